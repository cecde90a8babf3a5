"""What leaves a course: marks by hand read back, lateness, and what Moodle and Canvas import. Nothing is run here."""

import csv
import os
import subprocess
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from vqlab import labs
from vqlab.__main__ import main
from vqlab.classroom import collect, exports, hand_marks, overview, pages, record, report
from vqlab.classroom.course import Course, write
from vqlab.classroom.judge import Verdict
from vqlab.classroom.record import Results
from vqlab.classroom.release import release

ROOT = Path(__file__).parents[1]
LAB = labs.find("00")
NAME = f"{LAB.notebook}.ipynb"
OPEN = "too_few_tokens"
DUE = datetime(2026, 12, 1, 12, tzinfo=UTC)


@pytest.fixture
def course(tmp_path):
    made = Course(tmp_path / "course").prepare()
    release(made, LAB)
    return made


def verdict(passed: bool = True, text: str = "It errs to both sides.") -> Verdict:
    found = {"state": "passed" if passed else "wrong", "says": "", "marks": float(passed), "out_of": 1, "mistake": ""}
    found |= {
        "exercise": "healthy",
        "tests": [passed],
        "source": "healthy = 525",
        "errors": [],
        "case": "codebook: 600, 2400",
    }
    return Verdict(True, [], {"healthy": found}, {OPEN: text})


def handed_in(course: Course, came_as: str, days_late: float = -1.0) -> Path:
    """Hand in under this name, so long after the deadline."""
    path = course.folder.parent / "all" / came_as / ("" if came_as.endswith(".ipynb") else NAME)
    write(path, "{}")
    when = (DUE + timedelta(days=days_late)).timestamp()
    os.utime(path, (when, when))
    return path.parent


def graded(course: Course, given: dict[str, Verdict]) -> Results:
    """What is known after a round with these verdicts, by student."""
    results = Results(course, LAB)
    for hand_in in collect.find(course.folder.parent / "all", LAB)[0]:
        results.keep(hand_in, given[hand_in.student])
    return results


def rows(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.reader(file))


# --- Marks by hand -------------------------------------------------------------------------------------------


def marked(course: Course, points: str) -> None:
    """The teacher writes these points beside every open answer of the table."""
    path = course.folder / f"hand_marks_{LAB.name}.csv"
    head, *others = rows(path)
    report.write_csv(path, [head, *([s, q, points, *rest] for s, q, _, *rest in others)])


def test_a_mark_for_an_answer_that_was_replaced_before_the_next_round_is_not_given_to_the_new_one(course):
    handed_in(course, "ada")
    hand_marks.exchange(course, LAB, graded(course, {"ada": verdict(text="one")}))
    marked(course, "4")
    results = graded(course, {"ada": verdict(text="quite another")})  # handed in while the teacher was reading
    assert hand_marks.exchange(course, LAB, results).waiting == 1
    assert results.by_student["ada"]["by_hand"] == {}
    assert rows(course.folder / "hand_marks_lab00.csv")[1][2:5] == ["", "4", "an earlier answer got 4: "]


def test_an_override_survives_regrading_a_lost_table_and_a_table_without_it(course):
    handed_in(course, "ada")
    hand_marks.exchange(course, LAB, graded(course, {"ada": verdict(passed=False)}))
    path = course.folder / "hand_marks_lab00.csv"
    without = path.read_text(encoding="utf-8")
    path.write_text(f"{without}ada,healthy,1,,it was ambiguous\n", encoding="utf-8")
    for change in (lambda: None, path.unlink, lambda: path.write_text(without, encoding="utf-8")):
        change()
        results = graded(course, {"ada": verdict(passed=False)})
        hand_marks.exchange(course, LAB, results)
        assert results.by_student["ada"]["by_hand"]["healthy"]["points"] == 1
        assert rows(report.write_marks(course, LAB, results))[1][2] == "1"
    text = path.read_text(encoding="utf-8")
    assert "ada,healthy,1,1,it was ambiguous" in text
    path.write_text(text.replace("ada,healthy,1,1,it was ambiguous", "ada,healthy,,1,"), encoding="utf-8")
    results = graded(course, {"ada": verdict(passed=False)})
    hand_marks.exchange(course, LAB, results)
    assert rows(report.write_marks(course, LAB, results))[1][2] == "0", "a row without points takes it back"


def test_an_override_is_asked_for_again_where_the_student_hands_in_another_answer(course):
    handed_in(course, "ada")
    hand_marks.exchange(course, LAB, graded(course, {"ada": verdict(passed=False)}))
    path, page = course.folder / "hand_marks_lab00.csv", course.folder / "hand_marks_lab00.html"
    path.write_text(f"{path.read_text(encoding='utf-8')}ada,healthy,1,,it was ambiguous\n", encoding="utf-8")
    hand_marks.exchange(course, LAB, graded(course, {"ada": verdict(passed=False)}))
    another = verdict(passed=False)
    another.exercises["healthy"]["source"] = "healthy = 524"
    for change in (lambda: None, path.unlink, lambda: None):
        change()
        results = graded(course, {"ada": another})
        exchanged = hand_marks.exchange(course, LAB, results)
        assert (exchanged.waiting, exchanged.again) == (2, 1)
        (head, row) = rows(report.write_marks(course, LAB, results))
        assert (row[head.index("healthy")], row[head.index("to mark by hand")]) == ("0", f"{OPEN} healthy")
        assert ["ada", "healthy", "", "1", "an earlier answer got 1: it was ambiguous"] in [r[:5] for r in rows(path)]
    said = str(report.Report(path, *exchanged, ["ada"], {}, [], [], "", "", {}))
    assert "\n1 open answer and 1 new answer to what was marked by hand wait: mark them in " in said
    pages.write(course, LAB, results)
    text = page.read_text(encoding="utf-8")
    for words in ("healthy = 524", "An earlier answer got 1 of 1 by hand:", "it was ambiguous", "gives this one 0,"):
        assert words in text
    assert "will read this one, too" in course.feedback(LAB, "ada").read_text(encoding="utf-8")
    marked(course, "0")
    results = graded(course, {"ada": another})
    assert hand_marks.exchange(course, LAB, results)[1:] == (0, 0)
    pages.write(course, LAB, results)
    assert "healthy = 524" not in page.read_text(encoding="utf-8")


def test_what_a_person_gave_stands_first_and_what_it_overrules_is_left_out(course):
    for student in ("ada", "bob"):
        handed_in(course, f"{student}_7_assignsubmission_file")
    wrong = verdict(passed=False)
    wrong.exercises["healthy"] |= {"says": "This is K.", "mistake": "This is K.", "errors": ["it stopped"]}
    wrong.told.append("it stopped")
    results = graded(course, {"ada": wrong, "bob": wrong})
    results.by_student["ada"]["by_hand"] = {"healthy": {"points": 1.0, "comment": "it was ambiguous", "of": ""}}
    pages.write(course, LAB, results)
    exports.write(course, LAB, results)
    assert [row[-1] for row in rows(course.folder / "moodle_lab00.csv")[1:]] == ["", "it stopped"]
    overruled = ("This is K.", "✗ 0 points", "it stopped", "The mistake has a name")
    texts = {who: course.feedback(LAB, who).read_text(encoding="utf-8") for who in ("ada", "bob")}
    assert all(words in texts["bob"] for words in overruled)
    assert not any(words in texts["ada"] for words in overruled)
    places = [
        texts["ada"].index(words) for words in ("1 of 1, given by a person:", "it was ambiguous", "healthy = 525")
    ]
    assert places == sorted(places)


# --- Lateness ------------------------------------------------------------------------------------------------


def test_the_command_keeps_the_deadline_and_every_table_and_page_takes_off_what_it_costs(course, monkeypatch, capsys):
    monkeypatch.setattr("vqlab.classroom.grade.grade", lambda *_, **__: "")
    command = ["grade", "00", "all", "--course", str(course.folder)]
    assert main([*command, "--due", DUE.isoformat(), "--late", "101"]) == 1
    assert "from 0 to 100 per cent" in capsys.readouterr().err
    assert course.deadline(LAB) is None
    assert main([*command, "--due", DUE.isoformat(), "--late", "10"]) == 0
    assert main(command) == 0, "later rounds go by the same deadline"
    assert course.deadline(LAB) == (DUE.isoformat(), 10)
    handed_in(course, "in time")
    handed_in(course, "late", days_late=1.5)
    results = graded(course, {"in time": verdict(), "late": verdict()})
    found = {row[0]: row for row in rows(report.write_marks(course, LAB, results))}
    at = found["student"].index
    assert [found[who][at("late")] for who in ("in time", "late")] == ["", "-20%"]
    assert [found[who][at("total")] for who in ("in time", "late")] == ["1", "0.8"]
    assert [found[who][at("healthy")] for who in ("in time", "late")] == ["1", "1"], "what was earned stays visible"
    pages.write(course, LAB, results)
    texts = [course.feedback(LAB, who).read_text(encoding="utf-8") for who in ("in time", "late")]
    assert ["20% off for handing in after\n1 December 2026, 12:00 UTC" in text for text in texts] == [False, True]
    assert "0.8 of 5 points" in texts[1]


def test_a_due_date_is_typed_as_a_day_or_with_a_time_and_what_was_said_before_stays(course, monkeypatch, capsys):
    monkeypatch.setattr("vqlab.classroom.grade.grade", lambda *_, **__: "")
    command = ["grade", "00", "all", "--course", str(course.folder)]
    for late in ("10", "0"):
        assert main([*command, "--late", late]) == 1
        assert "lab00 has no due date" in capsys.readouterr().err
    for text in ("24.11.2026", "2026-13-01", "soon", ""):
        assert main([*command, "--due", text]) == 1
        said = capsys.readouterr().err
        assert f"{text!r} is not understood as a due date: type year, month and day as in 2026-12-01" in said
        assert "iso" not in said
    assert course.deadline(LAB) is None
    for given, wanted in (
        (["--due", "2026-11-24"], ("2026-11-24T23:59:59", 0)),
        (["--late", "10"], ("2026-11-24T23:59:59", 10)),
        (["--due", "2026-11-25T18:00"], ("2026-11-25T18:00:00", 10)),
        (["--due", "2026-11-26", "--late", "0"], ("2026-11-26T23:59:59", 0)),
    ):
        assert main([*command, *given]) == 0
        assert course.deadline(LAB) == wanted


def test_a_round_says_the_deadline_and_how_many_are_late_since_a_copy_makes_all_of_them_so(course):
    handed_in(course, "in time")
    results = graded(course, {"in time": verdict()})
    assert report.lateness(course, LAB, results) == ""
    course.set_deadline(LAB, DUE, 10)
    due = "due 1 December 2026, 12:00 UTC, 10 % off for each day begun after it"
    assert report.lateness(course, LAB, results) == f"{due}: none of 1 graded is late"
    for days, student in enumerate(("late", "later"), 1):
        handed_in(course, student, days_late=days)
        results = graded(course, dict.fromkeys(("in time", "late", "later"), verdict()))
        said = report.lateness(course, LAB, results)
        are = "is" if days == 1 else "are"
        assert f"{due}: {days} of {days + 1} graded {are} late by the time stamps of the files; if copying" in said
    assert said in str(report.Report(Path("marks.csv"), Path("hand.csv"), 0, 0, [], {}, [], [], said, "none", {}))


def test_a_time_is_said_in_the_zone_that_stands_beside_it():
    assert record.moment("2026-12-01T12:00:00+01:00") == "1 December 2026, 11:00 UTC"
    assert record.moment("2026-11-24T23:59:59") == "24 November 2026, 23:59"


def test_make_grade_takes_the_due_date_and_what_a_day_costs():
    def made(*given: str) -> str:
        command = ["make", "-n", "--no-print-directory", "-o", ".venv/.ready", "grade", "LAB=00", *given]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    assert made("DUE=2026-12-01 18:00", "LATE=10").endswith('--course course --due "2026-12-01 18:00" --late 10')
    assert made().endswith("--course course")


@pytest.mark.parametrize(
    ("waiting", "says"), [(1, "1 open answer waits: mark it in"), (2, "2 open answers wait: mark them in")]
)
def test_a_round_counts_the_answers_that_wait_in_plain_english(waiting, says):
    assert says in str(report.Report(Path("marks.csv"), Path("hand.csv"), waiting, 0, [], {}, [], [], "", "none", {}))


# --- Moodle and Canvas ---------------------------------------------------------------------------------------


def test_moodle_and_canvas_get_their_tables_and_everybody_a_page_under_the_name_they_came_as(course):
    course.set_deadline(LAB, DUE, 50)
    moodle, broken = "Zoë M_77_assignsubmission_file", "broken_9_assignsubmission_file"
    flat = f"Kim Li_78_assignsubmission_file_{NAME}"
    canvas, late = f"leeann_12_34_{NAME}", f"doejohn_LATE_56_78_{NAME}"
    for came_as in (moodle, broken, flat, canvas, "plain"):
        handed_in(course, came_as)
    handed_in(course, late, days_late=0.5)
    given = {student: verdict() for student in ("Zoë M", "Kim Li", "leeann", "doejohn", "plain")}
    results = graded(course, given | {"broken": Verdict(False, ["broken like jsmith's"], told=["hand in one"])})
    pages.write(course, LAB, results)
    exports.write(course, LAB, results)
    assert rows(course.folder / "moodle_lab00.csv") == [
        ["Identifier", "Full name", "Grade", "Feedback comments"],
        ["Participant 78", "Kim Li", "1", ""],
        ["Participant 77", "Zoë M", "1", ""],
        ["Participant 9", "broken", "", "hand in one"],
    ]
    assert rows(course.folder / "canvas_lab00.csv") == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "lab00"],
        ["doejohn", "56", "", "", "", "0.5"],
        ["leeann", "12", "", "", "", "1"],
    ]
    with zipfile.ZipFile(course.folder / "feedback_lab00.zip") as archive:
        assert not any(b"jsmith" in archive.read(name) for name in archive.namelist()), "it is for the teacher"
        names = set(archive.namelist())
        assert b"<strong>leeann</strong>" in archive.read(canvas.replace(".ipynb", ".html"))
    assert names == {
        *(f"{folder}/feedback.html" for folder in (moodle, "plain", broken)),
        *(name.replace(".ipynb", ".html") for name in (flat, canvas, late)),
    }


@pytest.mark.parametrize(
    ("writer", "name"), [(exports, "feedback_lab00.zip"), (overview, "overview_lab00.png")], ids=["exports", "overview"]
)
def test_what_cannot_be_written_for_want_of_room_is_one_sentence(course, refuses, writer, name):
    handed_in(course, "ada")
    results = graded(course, {"ada": verdict()})
    pages.write(course, LAB, results)
    (course.folder / f"{name}.partial").mkdir()  # nothing can be written there
    with refuses(f"{name} ([Errno"):
        writer.write(course, LAB, results)


def test_the_overview_shows_a_mistake_as_it_is_read(course):
    shown = {
        "log2 goes with 2**H, not 3**H. Open hint 1.": "log2 goes with 2**H, not 3**H.",
        "`/ 2 * n` needs brackets, `/ (2 * n)`.": "/ 2 * n needs brackets, / (2 * n).",
        "They pay *negative bits*: not the level D*, nor E*.": "They pay negative bits: not the level D*, nor E*.",
    }
    handed_in(course, "ada")
    for says, words in shown.items():
        given = verdict(passed=False)
        given.exercises["healthy"]["mistake"] = says
        figure = overview._picture(LAB, graded(course, {"ada": given}).graded(), {"healthy": 1.0})
        (label,) = figure.axes[1].get_yticklabels()
        assert label.get_text().replace("\n", " ") == f"healthy: {words}"
        assert not label.get_parse_math()


def test_answers_that_are_alike_are_listed_and_the_overview_counts_named_mistakes(course):
    for student in ("ada", "bob", "cy"):
        handed_in(course, student)
    text = "The formula errs to both sides: near N = K it is far too high, and far below it is too low. " * 3
    given = {
        "ada": verdict(text=text),
        "bob": verdict(text=text.replace("far", "much")),
        "cy": verdict(text=text[::-1]),
    }
    given["cy"].exercises["healthy"]["mistake"] = given["bob"].exercises["healthy"]["mistake"] = "This is K."
    results = graded(course, given)
    overview.write(course, LAB, results)
    (_, *alike) = rows(course.folder / "similar_lab00.csv")
    assert [row[:3] for row in alike] == [[OPEN, "ada", "bob"]]
    assert overview.mistakes(results.graded()) == {("healthy", "This is K."): 2}
    assert (course.folder / "overview_lab00.png").read_bytes().startswith(b"\x89PNG")
