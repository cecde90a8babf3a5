"""What a class got right and wrong, as a picture for the next lecture; and a list of answers that resemble others."""

import io
import itertools
import re
import textwrap
from collections import Counter

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vqlab.classroom.course import Course
from vqlab.classroom.course import write as write_file
from vqlab.classroom.record import Results, marks_of, most_marks
from vqlab.classroom.report import write_csv
from vqlab.labs import Lab

_ALIKE, _SHORTEST = 0.85, 150  # of shorter answers all right ones are alike
_MOST_MISTAKES = 10
_MARKDOWN = re.compile(r" Open hint \d\.|`([^`]*)`|(?<![\w*])\*(\w[^*`]*)\*(?![\w*])")


def write(course: Course, lab: Lab, results: Results) -> None:
    """Write overview_LAB.png and similar_LAB.csv. Raises: LabError if there is no room for them."""
    graded, most = results.graded(), most_marks(course, lab)
    if not graded:
        return
    picture = io.BytesIO()
    _picture(lab, graded, most).savefig(picture, format="png", dpi=110)
    write_file(course.folder / f"overview_{lab.name}.png", picture.getvalue())
    rows = [["question", "student", "other student", "alike"], *similar(lab, graded)]
    write_csv(course.folder / f"similar_{lab.name}.csv", rows)


def mistakes(graded: dict[str, dict]) -> Counter:
    """How many students made each mistake that has a name: (exercise, sentence) -> count."""
    found = ((name, one["mistake"]) for record in graded.values() for name, one in record["exercises"].items())
    return Counter((name, says) for name, says in found if says)


def similar(lab: Lab, graded: dict[str, dict]) -> list[list]:
    """Pairs of answers that share most of their trigrams, the likest first. It is listed, and never judged."""
    rows, exercises = [], lab.exercises()
    for name in next(iter(graded.values()))["exercises"] | next(iter(graded.values()))["texts"]:
        if name in exercises and exercises[name].is_value:
            continue
        answers = {
            student: one["texts"].get(name) or one["exercises"].get(name, {}).get("source", "")
            for student, one in graded.items()
        }
        long = {student: _trigrams(text) for student, text in answers.items() if len(text) >= _SHORTEST}
        for (one, mine), (other, others) in itertools.combinations(long.items(), 2):
            shared = 2 * (mine & others).total() / (mine.total() + others.total())
            if shared >= _ALIKE:
                rows.append([name, one, other, f"{shared:.2f}"])
    return sorted(rows, key=lambda row: -float(row[-1]))


def _trigrams(text: str) -> Counter:
    """How often every three characters follow each other: no text, whoever made it up, takes long to compare so."""
    return Counter(text[i : i + 3] for i in range(len(text) - 2))


def _picture(lab: Lab, graded: dict[str, dict], most: dict[str, float]) -> Figure:
    """Left, the share of the marks that the class got, question by question; right, the commonest mistakes."""
    found = mistakes(graded).most_common(_MOST_MISTAKES)
    figure = Figure(figsize=(13, 1.5 + 0.5 * max(len(most), len(found))), layout="constrained")
    left, right = figure.subplots(1, 2)
    given = [marks_of(one) for one in graded.values()]
    shares = [[mark[name] / most[name] for mark in given if mark.get(name) is not None] for name in most]
    means = [sum(share) / len(share) if share else 0 for share in shares]
    bars = left.barh(list(most), means, color="#0072B2", height=0.6)
    left.bar_label(
        bars, [f"{mean:.0%}" if s else "not marked yet" for mean, s in zip(means, shares, strict=True)], padding=3
    )
    left.set(xlim=(0, 1.25), xlabel="mean share of the points", title=f"{lab.name}: {len(graded)} students")
    left.set_xticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
    left.invert_yaxis()
    labels = [
        textwrap.fill(textwrap.shorten(f"{name}: {_plain(says)}", 110, placeholder=" …"), 60)
        for (name, says), _ in found
    ]
    bars = right.barh(range(len(found)), [count for _, count in found], color="#D55E00", height=0.6)
    right.bar_label(bars, padding=3)
    right.set_yticks(range(len(found)), labels, fontsize=9, parse_math=False)
    right.set(
        xlabel="students", title="mistakes that have a name" if found else "nobody made a mistake that has a name"
    )
    right.set_ylim(max(len(most), len(found)) - 0.5, -0.5)  # as thick as on the left, and from the top
    right.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def _plain(says: str) -> str:
    """What a mistake is, without the marks of Markdown and the hint to open; a power and a product keep their stars."""
    return _MARKDOWN.sub(lambda found: found[1] or found[2] or "", says)
