"""Every control over its whole range, without a browser: picture, alt text, status, errors, live training."""

import asyncio
import re
import threading
import time
from unittest.mock import patch

import ipywidgets as w
import pytest

from vqlab import LabError, sweeps
from vqlab.figures import View, canvas
from vqlab.training import Cancelled
from vqlab.widgets import Explorer, Prediction
from vqlab.widgets.hosts import WIDGET
from vqlab.widgets.sliders import PlayButton, Slider

PICTURE_HEAD = 'src="data:image/svg+xml,<svg '


def view(state: dict, live=None) -> View:
    figure, _ = canvas(1, "a title")
    numbers = f"x is {state['x']}, word is {state['word']}" + (f", live {live['value']}" if live else "")
    return View(figure, f"<alt> {numbers}", numbers)


def sliders() -> list[Slider]:
    return [
        Slider("x", "length x", (0, 10, 400), start=10, unit="steps", play=True),
        Slider("word", "kind", ("round", "square"), start="round"),
        Slider("look", "look", (0.5, 1.5), start=0.5, trained=False),
    ]


class FakeTrainer:
    def __init__(self, step: int) -> None:
        self.step, self.settings = step, type("S", (), {"steps": 100})


def train(state: dict, seeds, callback) -> dict:
    for step in range(0, 101, 20):
        callback(FakeTrainer(step))
    return {"value": len(seeds) + state["x"]}


def picture(explorer: Explorer) -> str:
    return explorer._picture.value


def displayed(widget: w.Widget) -> list[tuple[dict, dict]]:
    """The outputs of a cell that ends in a widget: (data, metadata) each."""
    outputs = []
    with patch("vqlab.widgets.hosts.display", lambda data, metadata=None, raw=False: outputs.append((data, metadata))):
        widget._ipython_display_()
    return outputs


def status(explorer: Explorer) -> str:
    text = explorer._status.value
    assert text.startswith('<p role="status"')
    return re.sub("<[^>]*>", "", text)


def inputs(explorer: Explorer, kind: type) -> list[w.Widget]:
    found, todo = [], list(explorer.children)
    while todo:
        widget = todo.pop(0)
        todo += getattr(widget, "children", ())
        if isinstance(widget, kind):
            found.append(widget)
    return found


def test_it_shows_the_start_position_at_once():
    explorer = Explorer(sliders(), view)
    assert PICTURE_HEAD in picture(explorer)
    assert 'alt="&lt;alt&gt; x is 10, word is round"' in picture(explorer)
    assert status(explorer) == "x is 10, word is round"


def test_every_position_of_every_control_redraws():
    explorer = Explorer(sliders(), view)
    track, box = inputs(explorer, w.SelectionSlider)[0], inputs(explorer, w.FloatText)[0]
    for value in (0, 10, 400):
        track.value = value
        assert f"x is {value}" in status(explorer)
        assert box.value == value
    box.value = 0
    assert track.value == 0
    inputs(explorer, w.Dropdown)[0].value = "square"
    assert "word is square" in status(explorer)


def test_every_slider_has_one_label_and_it_belongs_to_the_number_box():
    explorer = Explorer(sliders(), view)
    tracks = inputs(explorer, w.SelectionSlider)
    boxes = inputs(explorer, (w.FloatText, w.FloatText))
    assert [box.description for box in boxes] == ["length x (steps)", "look"]
    assert [track.description for track in tracks] == ["", ""]
    assert inputs(explorer, w.Dropdown)[0].description == "kind"


@pytest.mark.parametrize(("typed", "shown"), [(370, 400), (-5, 0), (2_000_000_000, 400), (6, 10)])
def test_a_number_between_positions_goes_to_the_nearest_and_says_so(typed, shown):
    explorer = Explorer(sliders(), view)
    inputs(explorer, w.FloatText)[0].value = typed
    assert explorer.state["x"] == shown
    assert inputs(explorer, w.FloatText)[0].value == shown
    assert f"length x {typed:g} is not stored: showing {shown}" in status(explorer)


@pytest.mark.parametrize("wrong", ["many", None, float("nan")])
def test_something_that_is_no_number_is_refused_with_a_sentence(wrong):
    explorer = Explorer(sliders(), view)
    with pytest.raises(LabError, match=r"length x takes a number.*type one of 0, 10, 400"):
        explorer.set(x=wrong)
    assert explorer.state["x"] == 10


def test_the_keys_of_a_number_box_step_along_the_stored_positions():
    explorer = Explorer(sliders(), view)
    box, seen = inputs(explorer, w.FloatText)[0], []
    for nudge in (1, 1, -1, -1, -1, 3):
        box.value = box.value + nudge * box.step
        seen.append(box.value)
    assert seen == [400, 400, 10, 0, 0, 10]
    assert "not stored" not in status(explorer)


def test_infinity_goes_to_the_end_it_points_at():
    explorer = Explorer(sliders(), view)
    explorer.set(look=float("inf"))
    assert explorer.state["look"] == 1.5
    explorer.set(look=float("-inf"))
    assert explorer.state["look"] == 0.5


def test_unknown_sliders_and_words_are_named():
    explorer = Explorer(sliders(), view)
    with pytest.raises(LabError, match="there is no slider z: choose from x, word, look"):
        explorer.set(z=1)
    with pytest.raises(LabError, match="kind has no choice 'flat': choose from round, square"):
        explorer.set(word="flat")
    with pytest.raises(LabError, match="cannot start at 3"):
        Slider("x", "x", (1, 2), start=3)


def test_the_play_button_plays_to_the_end_and_begins_anew_there(monkeypatch):
    monkeypatch.setattr("vqlab.widgets.sliders._PLAY_SECONDS", 0)
    explorer, seen = Explorer(sliders(), view), []
    (button,) = inputs(explorer, PlayButton)
    explorer._picture.observe(lambda _: seen.append(explorer.state["x"]), "value")

    async def play() -> None:
        button.click()
        while button._playing:
            await asyncio.sleep(0)

    asyncio.run(play())
    assert seen == [400]
    asyncio.run(play())
    assert seen == [400, 0, 10, 400]
    assert (button.description, button.icon) == ("Play length x", "play")


def test_pressed_again_the_play_button_pauses_where_it_is():
    explorer = Explorer(sliders(), view)
    explorer.set(x=400)
    (button,) = inputs(explorer, PlayButton)

    async def play_and_pause() -> None:
        button.click()
        await asyncio.sleep(0)
        assert (button.description, button.icon) == ("Pause length x", "pause")
        button.click()
        while button._playing:
            await asyncio.sleep(0)

    asyncio.run(play_and_pause())
    assert explorer.state["x"] == 0
    assert button.description == "Play length x"


def test_an_explorer_of_a_sweep_takes_sliders_and_training_from_it(refuses):
    sweep = sweeps.load("tokens_initialisation")
    seen = []

    def shows(sweep, state, live=None):
        seen.append(sweep.name)
        return view({"x": state["codebook_size"], "word": state["initialisation"]})

    start = {"codebook_size": 64, "initialisation": "k-means"}
    explorer = Explorer.of(sweep, shows, start=start, also=[Slider("look", "look", (1, 2), start=1)])
    assert list(explorer.sliders) == ["codebook_size", "initialisation", "look"]
    assert [slider.trained for slider in explorer.sliders.values()] == [True, True, False]
    assert explorer.sliders["codebook_size"].values == sweep.axes["codebook_size"].values
    assert not explorer.trains
    assert seen == ["tokens_initialisation"]
    with refuses("no start for warmup"):
        Explorer.of(sweep, shows, start=start, live=True)
    with refuses("there is no depth"):
        Explorer.of(sweep, shows, start={"depth": 1})


def test_a_view_that_cannot_draw_says_so_and_is_not_swallowed():
    def refuses(state):
        if state["x"] == 0:
            raise LabError("no data here: choose another x")
        if state["x"] == 400:
            raise ZeroDivisionError("a bug")
        return view(state)

    explorer = Explorer(sliders(), refuses)
    explorer.set(x=0)
    assert "no data here: choose another x" in status(explorer)
    with pytest.raises(ZeroDivisionError):
        explorer.set(x=400)
    assert "a bug" in status(explorer)
    explorer.set(x=10)
    assert status(explorer) == "x is 10, word is round"


def test_live_training_is_drawn_at_its_position_only():
    explorer = Explorer(sliders(), view, train=train)
    explorer.train_live()
    assert "live 14" in status(explorer)
    explorer.set(look=1.5)
    assert "live 14" in status(explorer)
    explorer.set(x=0)
    assert "live" not in status(explorer)
    explorer.set(x=10)
    assert "live 14" in status(explorer)


def test_cancel_stops_a_live_training_and_says_so():
    started = threading.Event()

    def endless(state, seeds, callback):
        for step in range(10_000):
            callback(FakeTrainer(step))
            started.set()
            time.sleep(0.01)
        raise AssertionError("never cancelled")

    explorer = Explorer(sliders(), view, train=endless)
    _, button, cancel, _ = inputs(explorer, w.Button)
    assert (button.description, cancel.description) == ("Train it live", "Cancel")
    button.click()
    assert started.wait(20)
    assert button.disabled
    assert not cancel.disabled
    cancel.click()
    explorer._training.thread.join(20)
    assert "cancelled" in status(explorer)
    assert not button.disabled
    assert cancel.disabled


def test_after_a_live_training_there_is_a_way_back_to_the_stored_picture():
    explorer = Explorer(sliders(), view, train=train)
    toggle = inputs(explorer, w.Button)[3]
    assert toggle.layout.visibility == "hidden"
    explorer.train_live()
    assert (toggle.description, toggle.layout.visibility) == ("Show stored", "visible")
    toggle.click()
    assert "live" not in status(explorer)
    assert toggle.description == "Show live"
    explorer.set(x=0)
    assert toggle.layout.visibility == "hidden"
    explorer.set(x=10)
    toggle.click()
    assert "live 14" in status(explorer)
    toggle.click()
    explorer.train_live()
    assert "live 14" in status(explorer)


def test_in_a_kernel_the_result_of_a_live_training_is_drawn_by_the_thread_of_the_cells():
    threads = []

    def watched(state, live=None):
        threads.append(threading.current_thread())
        return view(state, live)

    async def press() -> None:
        explorer = Explorer(sliders(), watched, train=train)
        inputs(explorer, w.Button)[1].click()
        while "live" not in status(explorer):
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(press(), 20))
    assert set(threads) == {threading.main_thread()}


def test_a_second_press_while_training_starts_nothing():
    gate, runs = threading.Event(), []

    def waits(state, seeds, callback):
        runs.append(1)
        gate.wait(20)
        return {"value": 0}

    explorer = Explorer(sliders(), view, train=waits)
    button = inputs(explorer, w.Button)[1]
    button.click()
    button.click()
    gate.set()
    explorer._training.thread.join(20)
    assert runs == [1]


def test_a_live_training_that_fails_says_why():
    def diverges(state, seeds, callback):
        raise LabError("the latents contain NaN: lower the learning rate")

    explorer = Explorer(sliders(), view, train=diverges)
    explorer.train_live()
    assert "Live training stopped: the latents contain NaN" in status(explorer)


def test_progress_is_reported():
    seen = []

    def watched(state, seeds, callback):
        for step in range(0, 101, 20):
            callback(FakeTrainer(step))
            seen.append(explorer._training.progress.value)
        return {"value": 0}

    explorer = Explorer(sliders(), view, train=watched)
    explorer.train_live()
    assert seen == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])


def test_without_a_kernel_the_picture_stands_in_with_its_alt_text():
    explorer = Explorer(sliders(), view)
    (alive, _), (still, metadata) = displayed(explorer)
    assert alive == {WIDGET: {"version_major": 2, "version_minor": 0, "model_id": explorer.model_id}}
    assert still["image/png"].startswith(b"\x89PNG")
    assert metadata["image/png"]["alt"].startswith("<alt> x is 10")
    assert PICTURE_HEAD in still["text/html"]
    assert WIDGET not in still


def test_cancelled_is_what_the_training_loop_understands():
    explorer = Explorer(sliders(), view, train=train)
    explorer._training.cancelled.set()
    with pytest.raises(Cancelled):
        explorer._training.report(FakeTrainer(0))


def test_a_prediction_is_compared_once_committed():
    prediction = Prediction("How many?", measured=lambda: [90.0, 110.0], possible=(0, 1000), unit="codes")
    sentence = prediction.commit(50)
    assert sentence == (
        "You said 50 codes. Measured: 100 ± 10 (2 seeds). Too low by 50, 5 standard deviations, a factor of 2."
    )
    assert inputs(prediction, w.Button)[0].disabled


@pytest.mark.parametrize(
    ("guess", "measured", "verdict"),
    [
        (105, [90.0, 110.0], "Close"),
        (480, [378.0, 390.0], "Too high by 96, 16 standard deviations, a factor of 1.2."),
        (0, [90.0, 110.0], "Too low by 100, 10 standard deviations."),
        (4, [4.0, 4.0], "Close"),
        (4.002, [4.0, 4.0], "Close"),  # the same number at the digits shown
        (5, [4.0, 4.0], "Too high by 1, a factor of 1.2."),
    ],
)
def test_close_is_judged_by_how_far_the_measured_values_lie_apart(guess, measured, verdict):
    said = Prediction("How many?", measured=lambda: measured, possible=(0, 1000)).commit(guess)
    assert said.split(" seeds). ")[1].startswith(verdict)


@pytest.mark.parametrize(
    ("typed", "possible", "understood"),
    [
        ("38,4", (1, 512), 38.4),
        ("38.4", (1, 512), 38.4),
        ("4,000", (1, 16384), 4000),
        ("4,000", (1, 32), 4),
        ("0,125", (0, 1), 0.125),
        ("0,125", (0, 1000), 0.125),
        ("1,234.5", (0, 2000), 1234.5),
        ("1.234,5", (0, 2000), 1234.5),
        ("12,345,678", (0, 1e9), 12345678),
        (" 4 000 ", (0, 5000), 4000),
        ("−3", (-5, 5), -3),
    ],
)
def test_numbers_are_understood_as_people_write_them(typed, possible, understood):
    prediction = Prediction("How many?", measured=lambda: [1.0], possible=possible)
    inputs(prediction, w.Text)[0].value = typed
    assert f"You said {understood:g}." in prediction.commit()


def test_commit_takes_what_arrives_a_moment_later_and_answers_once():
    prediction, answers = Prediction("How many?", measured=lambda: [480.0], possible=(1, 512)), []
    prediction._answer.observe(lambda change: answers.append(change["new"]), "value")
    box, button = inputs(prediction, w.Text)[0], inputs(prediction, w.Button)[0]

    async def impatient() -> None:
        box.value = "4"
        button.click()
        box._handle_custom_msg({"event": "submit"}, [])
        box.value = "480"
        await asyncio.sleep(0.4)

    asyncio.run(impatient())
    assert len(answers) == 1
    assert "You said 480." in answers[0]


def test_without_a_kernel_a_prediction_is_at_least_a_question():
    prediction = Prediction("How many?", measured=lambda: [1.0], possible=(0, 1))
    (alive, _), (still, _) = displayed(prediction)
    assert alive[WIDGET]["model_id"] == prediction.model_id
    assert still["text/markdown"].startswith("**Predict.** How many? *Run this cell")
    assert "How many?" in still["text/html"]


def test_what_stands_in_for_a_widget_hides_itself_while_the_widget_lives():
    prediction = Prediction("How many?", measured=lambda: [1.0], possible=(0, 1))
    _, (still, _) = displayed(prediction)
    (name,) = prediction._dom_classes
    assert f"body:has(.{name}) .{name}-still" in still["text/html"]
    assert f'class="vqlab-still {name}-still"' in still["text/html"]


@pytest.mark.parametrize("typed", ["", "many", "nan", "-5", "1001"])
def test_a_prediction_that_cannot_be_is_not_used_up(typed):
    prediction = Prediction("How many?", measured=lambda: [90.0, 110.0], possible=(0, 1000))
    inputs(prediction, w.Text)[0].value = typed
    inputs(prediction, w.Button)[0].click()
    assert "Type a number from 0 to 1,000 first" in prediction._answer.value
    assert not inputs(prediction, w.Button)[0].disabled
    inputs(prediction, w.Text)[0].value = "1,000"
    inputs(prediction, w.Button)[0].click()
    assert "You said 1000" in prediction._answer.value


def test_an_explorer_of_the_real_sweep_trains_live_and_agrees():
    from vqlab.labs.lab01.pictures import tokens

    sweep = sweeps.load("tokens_collapse")
    steps = tuple(sweep.settings["frames"])
    explorer = Explorer.of(
        sweep,
        tokens.training_view,
        start={"warmup": 400, "codebook_size": 32},
        also=[
            Slider("seed", "seed", sweep.seeds, start=0),
            Slider("step", "training step", steps, start=steps[-1], play=True),
        ],
        live=True,
    )
    explorer.train_live()
    assert "4 live seeds end at perplexity" in status(explorer)
    assert "agree with the 8 stored ones" in status(explorer)
