"""The page on which open answers are marked: names stay hidden, and its button saves a table that grading reads."""

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
