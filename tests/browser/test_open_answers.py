"""The page on which open answers are marked: names stay hidden, and its button saves a table that grading reads.

What was typed is not lost without a warning, and no mark is saved that grading would refuse.
"""

import contextlib
import re

import pytest

from vqlab import labs
from vqlab.classroom import hand_marks, pages
from vqlab.classroom.collect import HandIn
from vqlab.classroom.course import Course
from vqlab.classroom.judge import Verdict
from vqlab.classroom.record import Results, answer_digest
from vqlab.classroom.release import release

LAB = labs.find("00")
OPEN = "too_few_tokens"
STUDENTS = ("Zoë 李雷", "O'Hara, Ann", "x&y")
ANSWERS = {name: f'</pre><b>answer</b> of "{i}"; =1+1, é' for i, name in enumerate(STUDENTS)}
COMMENT = 'Well said: "quite", so; yes\nand 数 = 3'


@pytest.fixture
def marking(tmp_path, context):
    """A course with three open answers, and the page to mark them: (course, results, page)."""
    course = Course(tmp_path / "course").prepare()
    release(course, LAB)
    results = Results(course, LAB)
    for student, text in ANSWERS.items():
        results.keep(HandIn(student, course.release(LAB), came_as=student), Verdict(True, [], {}, {OPEN: text}))
    hand_marks.exchange(course, LAB, results)
    pages.write(course, LAB, results)
    page = context.new_page()
    page.goto((course.folder / "hand_marks_lab00.html").as_uri())
    yield course, results, page
    page.close()


def test_the_button_saves_a_table_that_grading_reads_with_every_character(marking):
    course, results, page = marking
    articles = page.locator("article")
    assert articles.count() == len(STUDENTS)
    for i in range(len(STUDENTS)):
        who = articles.nth(i).get_attribute("data-student")
        assert articles.nth(i).locator("pre").inner_text().strip() == ANSWERS[who]
        if who != "x&y":
            articles.nth(i).locator("input[type=number]").fill(str(STUDENTS.index(who) + 1.5))
            articles.nth(i).locator("textarea").fill(COMMENT)
    with page.expect_download() as download:
        page.get_by_role("button").click()
    assert download.value.suggested_filename == "hand_marks_lab00.csv"
    download.value.save_as(course.folder / "hand_marks_lab00.csv")
    saved = hand_marks.read(course.folder / "hand_marks_lab00.csv")
    assert {who: row.answer for (who, _), row in saved.items()} == {
        who: answer_digest(one, OPEN) for who, one in results.by_student.items()
    }
    assert hand_marks.exchange(course, LAB, results).waiting == 1
    by_hand = {student: one["by_hand"].get(OPEN) for student, one in results.by_student.items()}
    assert by_hand["x&y"] is None
    for student, points in (("Zoë 李雷", 1.5), ("O'Hara, Ann", 2.5)):
        assert (by_hand[student]["points"], by_hand[student]["comment"]) == (points, COMMENT)


def test_names_are_hidden_until_asked_for_and_the_order_does_not_tell(marking):
    *_, page = marking
    names = page.locator(".name")
    assert not any(names.nth(i).is_visible() for i in range(names.count()))
    page.get_by_label("show names").check()
    assert all(names.nth(i).is_visible() for i in range(names.count()))
    order = [re.search("by (.*)", names.nth(i).inner_text())[1] for i in range(names.count())]
    assert sorted(order) == sorted(STUDENTS)
    assert order != sorted(STUDENTS)


def leaving(page) -> list[str]:
    """Load the page again, and stay where it asks. Returns: what kinds of question it asked."""
    from playwright.sync_api import Error

    asked = []

    def stay(dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    with contextlib.suppress(Error):  # of a load that is broken off
        page.reload(timeout=5000)
    page.remove_listener("dialog", stay)
    return asked


def test_what_was_typed_is_not_left_behind_without_a_warning(marking):
    course, _, page = marking
    page.get_by_label("show names").click()
    assert leaving(page) == [], "nothing was typed"
    page.locator("textarea").first.click()
    page.keyboard.type("well")
    assert leaving(page) == ["beforeunload"]
    assert page.locator("textarea").first.input_value() == "well"
    with page.expect_download() as download:
        page.get_by_role("button").click()
    download.value.save_as(course.folder / "hand_marks_lab00.csv")
    assert leaving(page) == [], "it was saved"


def test_a_number_that_is_none_of_the_points_is_seen_and_not_saved(marking):
    *_, page = marking
    saved, box = [], page.locator("input[type=number]").nth(1)
    page.on("download", lambda download: saved.append(download))
    for typed, says in (("7", "has 7 points"), ("-1", "has -1 points"), ("1e", "has no number of points")):
        box.click()
        page.keyboard.press("Control+A")
        page.keyboard.type(typed)
        assert box.evaluate("box => getComputedStyle(box).outlineStyle") == "solid"
        page.get_by_role("button").click()
        said = page.get_by_role("alert").inner_text()
        assert said == f"Nothing was saved: Answer 2 to {OPEN} {says}, so give it a number from 0 to 4."
        assert box.evaluate("box => box === document.activeElement")
    assert saved == []
    box.fill("4")
    assert not page.get_by_role("alert").is_visible()
    assert box.get_attribute("aria-invalid") == "false"
    with page.expect_download():
        page.get_by_role("button").click()


def test_answers_that_wait_come_first_and_are_counted_at_the_top(marking):
    course, results, page = marking
    (first, *others) = [one.get_attribute("data-student") for one in page.locator("article").all()]
    results.by_student[first]["by_hand"] = {OPEN: {"points": 3.0, "comment": "", "of": ""}}
    pages.write(course, LAB, results)
    page.reload()
    assert [one.get_attribute("data-student") for one in page.locator("article").all()] == [*others, first]
    count = page.get_by_text(re.compile(r"^\d of \d wait$"))
    assert count.inner_text() == "2 of 3 wait"
    page.locator("input[type=number]").first.fill("1")
    assert count.inner_text() == "1 of 3 wait"
