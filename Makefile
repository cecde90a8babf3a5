PYTHON ?= python3
BIN := .venv/bin
JUPYTER := .venv/etc/jupyter/jupyter_server_config.d
READY := .venv/.ready
READY_TESTS := .venv/.ready-tests
LAB_ARGS ?=
LAB ?= 01
COURSE ?= course
SUBMISSIONS ?= submissions

.PHONY: help lab test labs style sweeps assignment grade pack clean

help:  ## list what can be made
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*## /\t/' | expand -t 10

lab: $(READY)  ## set everything up and open JupyterLab on Lab 00
	$(BIN)/jupyter lab $(LAB_ARGS) labs/00_start_here.ipynb

STAGES := doctor style imports fresh quick browser nbval
TWO := -n 2 --dist loadscope --no-loadscope-reorder
WITHOUT_NBVAL := -p no:nbval  # where it runs no notebook, each worker need not import it
doctor = VQLAB_DATA= $(BIN)/python -m vqlab doctor
style = $(BIN)/ruff check . && $(BIN)/ruff format --check .
imports = $(BIN)/lint-imports
fresh = $(BIN)/python -m vqlab.notebooks.build --check
quick = $(BIN)/python -m pytest $(TWO) $(WITHOUT_NBVAL) --ignore tests/browser tests
browser = $(BIN)/python -m pytest $(TWO) $(WITHOUT_NBVAL) tests/browser
nbval = $(BIN)/python -m pytest -n 2 --dist loadfile --nbval-lax --nbval-current-env --nbval-cell-timeout=60 labs

# Two workers have both cores: threads of their libraries would only wait for each other, busily.
test: export OMP_NUM_THREADS := 1
test: $(READY_TESTS)  ## set up if needed and run every test, notebooks included
	@failed=; $(foreach stage,$(STAGES),echo "== $(stage)"; { $($(stage)); } || failed="$$failed $(stage)"; ) \
	if [ -n "$$failed" ]; then echo "failed:$$failed"; exit 1; fi; echo "All stages passed."

labs: $(READY)  ## rebuild the notebooks from their sources
	$(BIN)/python -m vqlab.notebooks.build

style: $(READY_TESTS)  ## format and lint
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

sweeps: $(READY)  ## remake every stored sweep (hours)
	$(BIN)/python -m vqlab sweep --all

assignment: $(READY)  ## release a lab to a class: LAB=01 [STUDENTS=ids.txt] [COURSE=folder]
	$(BIN)/python -m vqlab assignment $(LAB) --course $(COURSE) $(if $(STUDENTS),--students $(STUDENTS))

grade: $(READY)  ## grade what came back: LAB=01 SUBMISSIONS=folder [DUE=2026-12-01 LATE=10] [COURSE=folder]
	$(BIN)/python -m vqlab grade $(LAB) $(SUBMISSIONS) --course $(COURSE) $(if $(DUE),--due "$(DUE)") $(if $(LATE),--late $(LATE))

pack: $(READY)  ## write the teacher's pack: LAB=01 [STUDENTS=ids.txt] [COURSE=folder]
	$(BIN)/python -m vqlab pack $(LAB) --course $(COURSE) $(if $(STUDENTS),--students $(STUDENTS))

clean:  ## remove the environment and caches
	rm -rf .venv .pytest_cache .hypothesis .ruff_cache

$(READY): requirements.txt pyproject.toml binder/jupyter_server_config.json
	@echo "Setting up .venv (about two minutes, once)"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -e .
	@$(BIN)/jupyter labextension disable "@jupyterlab/apputils-extension:announcements" 2>/dev/null  # no news pop-up over a lab
	@mkdir -p $(JUPYTER) && cp binder/jupyter_server_config.json $(JUPYTER)/vqlab.json  # large pictures reach a widget
	VQLAB_DATA= $(BIN)/python -m vqlab doctor
	@touch $@

$(READY_TESTS): $(READY) tests/requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	@touch $@
