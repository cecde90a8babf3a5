"""Hostile code behind the walls: no mark, nothing reached, nothing left, and who comes after is graded as ever."""

import os
import re
import socket
from dataclasses import replace
from pathlib import Path

import attacks
import psutil
import pytest

import vqlab
from vqlab import labs
from vqlab.classroom import judge, walls
from vqlab.classroom.sandbox import Job, Reply, sandbox
from vqlab.classroom.slicing import Cell
from vqlab.files import repository

LAB = labs.find("02")
EXERCISE = LAB.exercises()["constant_chance"]
RIGHT = "constant_chance = lambda width, layers: 1 - (1 - 0.5**width) ** layers"
QUESTIONS = EXERCISE.questions(7)

pytestmark = pytest.mark.skipif(not walls.best().bwrap, reason=f"walls are tried where they stand: {walls.best().says}")


@pytest.fixture(scope="module")
def box():
    """Behind walls, with a gigabyte and seconds instead of minutes, so that nobody waits long for the greedy."""
    with sandbox(LAB, gigabytes=1) as made:
        yield replace(made, minutes=0.1, seconds=2.0)


def job(code: str) -> Job:
    return Job(EXERCISE, [Cell("the cell of constant_chance", code, "constant_chance")], QUESTIONS)


def marks(reply: Reply) -> int:
    return judge._feedback(job(""), reply).marks


def ask(box, *codes: str) -> list[Reply]:
    return box.ask([job(code) for code in codes], {}, {})


def stays_well(box, table: dict[str, str]) -> dict[str, Reply]:
    """The replies to attacks, each of which is followed by a right answer that must get all its marks."""
    codes = [code for attack in table.values() for code in (attack, RIGHT)]
    replies = ask(box, *codes)
    for name, attack, honest in zip(table, replies[::2], replies[1::2], strict=True):
        assert marks(attack) == 0, (name, attack)
        assert marks(honest) == 4, (name, honest)
    return dict(zip(table, replies[::2], strict=True))


@pytest.mark.parametrize("name", attacks.FAKE)
def test_no_trick_makes_a_mark(faked, name):
    assert marks(faked[name]) == 0, faked[name]


@pytest.fixture(scope="module")
def faked(box):
    return stays_well(box, attacks.FAKE)


def test_what_an_attack_says_of_itself_is_quoted_as_its_own(faked):
    said = judge._feedback(job(""), faked["an error that says passed"])
    assert said.says.startswith("Your code raised ValueError: passed.")
    assert (said.state, said.tests) == ("wrong", (False,) * 4)


def test_why_a_function_is_missing_is_said(faked):
    said = judge._feedback(job(""), faked["the answer in one call"]).says
    assert "labs.lab02.dead_units.rank_chances would answer for you: it is not there when your work is graded" in said


def test_a_right_answer_gets_its_marks_so_the_tricks_could_have(box):
    assert marks(ask(box, RIGHT)[0]) == 4


@pytest.fixture(scope="module")
def reached(box, tmp_path_factory):
    """What every attempt to reach something answered, 1.0 or 0.0, with a listener and files that are really there."""
    course = tmp_path_factory.mktemp("course")
    (course / "submissions").mkdir()
    with socket.socket() as listener, pytest.MonkeyPatch.context() as patched:
        patched.setenv("VQLAB_SECRET", "of the grader")
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        known = {
            "COURSE": str(course),
            "SUBMISSIONS": str(course / "submissions"),
            "PACKAGE": str(Path(vqlab.__file__).parent),
            "REPOSITORY": str(repository()),
            "PORT": listener.getsockname()[1],
            "GRADER": os.getpid(),
        }
        given = "".join(f"{name} = {value!r}\n" for name, value in known.items())
        here: dict = {}
        exec(given + attacks.REACH["the folder of the course"] + attacks.ANSWER, here)
        assert here["reached"], "an attempt that fails without walls shows nothing"
        replies = ask(box, *(given + code + attacks.ANSWER for code in attacks.REACH.values()))
    assert not (course / "hand_marks_lab02.csv").exists()
    return dict(zip(attacks.REACH, replies, strict=True))


@pytest.mark.parametrize("name", attacks.REACH)
def test_nothing_of_others_is_reached(reached, name):
    reply = reached[name]
    assert reply.outcomes, reply
    assert {outcome.parts[0].item() for outcome in reply.outcomes} == {0.0}
    assert marks(reply) == 0


@pytest.fixture(scope="module")
def stopped(box):
    return stays_well(box, attacks.STOP)


@pytest.mark.parametrize("name", attacks.STOP)
def test_nothing_stops_the_round(stopped, name):
    assert marks(stopped[name]) == 0


def test_a_process_that_was_ended_is_named(stopped):
    for name, words in (
        ("kill the parent", "was killed"),
        ("stop the parent", "longer"),
        ("a crash", "ended the process"),
    ):
        assert words in stopped[name].problem, (name, stopped[name])


def test_nothing_outlives_its_hand_in(box):
    stays_well(box, {name: code.replace("98765", f"98765{os.getpid()}") for name, code in attacks.HIDE.items()})
    assert not psutil.Process().children()
    assert not [p for p in psutil.process_iter(["cmdline"]) if f"98765{os.getpid()}" in (p.info["cmdline"] or [])]


@pytest.fixture(scope="module")
def exhausted(box):
    return stays_well(replace(box, minutes=0.25), attacks.EXHAUST)


@pytest.mark.parametrize("name", attacks.EXHAUST)
def test_no_greed_is_fed(exhausted, name):
    assert marks(exhausted[name]) == 0


def test_greed_is_named(exhausted):
    said = {name: judge._feedback(job(""), reply).says for name, reply in exhausted.items()}
    assert "more than 1 GB of memory" in said["memory of children"]
    assert re.search("more than (100 processes|1 GB of memory)", said["processes"])
    assert "ran longer than 2 s" in said["time in the function"]
    assert "RecursionError" in said["recursion"]
    assert any("MemoryError" in error for error in exhausted["memory"].errors)
    assert any("ran longer than" in error for error in exhausted["time in the cell"].errors)


def test_files_beside_a_notebook_replace_nothing_of_ours(box):
    names = ("psutil", "numpy", "torch", "vqlab", "IPython", "json", "select", "sitecustomize")
    (reply,) = box.ask([job(RIGHT)], {}, {f"{name}.py": "import os; os._exit(0)" for name in names})
    assert marks(reply) == 4


def test_each_hand_in_finds_an_empty_home(box):
    leave = "open('left', 'w').write('x'); import os; open(os.path.expanduser('~/.left'), 'w').write('x')"
    look = "import os; reached = os.path.exists('left') or os.path.exists(os.path.expanduser('~/.left'))"
    ask(box, leave)
    (reply,) = ask(box, look + attacks.ANSWER)
    assert {outcome.parts[0].item() for outcome in reply.outcomes} == {0.0}


def test_without_walls_no_trick_makes_a_mark_either(box):
    bare = replace(box, walls=walls.Walls("", "none"))
    some = ("patched check", "forged outcomes", "private reference", "right answers of the lab", "reloaded exercises")
    stays_well(bare, {name: attacks.FAKE[name] for name in some})
    stays_well(bare, attacks.HIDE | {name: attacks.STOP[name] for name in ("a crash", "no streams")})
