"""A round of grading over a folder of hand-ins; what is finished stays finished, whatever happens next."""

import sys
from pathlib import Path

from tqdm import tqdm

from vqlab import LabError
from vqlab.classroom import collect, hand_marks, judge, report, run
from vqlab.classroom.course import Course
from vqlab.classroom.record import GRADED, Results
from vqlab.labs import Lab


def grade(
    course: Course,
    lab: Lab,
    folder: Path,
    *,
    again: bool = False,
    minutes: float = run.MINUTES,
    gigabytes: float = run.GIGABYTES,
) -> report.Report:
    """Grade every hand-in in `folder` and write marks_LAB.csv, hand_marks_LAB.csv and feedback.

    One that was graded before and has not changed is not graded again, unless `again`. What fails by a fault of this
    machine is named, and tried again in the next round.
    minutes, gigabytes: what one hand-in may use.
    Raises: LabError if the assignment was not released, if another round is at it, or if this machine cannot grade it:
        a solved and a blank hand-in are graded first, and must get full marks and none.
    """
    if not (course.release(lab).exists() and (course.folder / "gradebook.db").exists()):
        raise LabError(f"{lab.name} was not released in {course.folder}: make the assignment first")
    hand_ins, ignored = collect.find(folder, lab)
    with course.alone():
        results = Results(course, lab)
        limits = {"minutes": minutes, "gigabytes": gigabytes}
        todo = [hand_in for hand_in in hand_ins if again or not results.has(hand_in)]
        try:
            if todo:
                judge.try_out(course, lab, **limits)
            for hand_in in tqdm(todo, unit="hand-in", file=sys.stderr, disable=not todo):
                try:
                    results.keep(hand_in, judge.judge(course, lab, hand_in, **limits))
                except (run.MachineFault, LabError, OSError) as fault:
                    results.postpone(hand_in, f"this machine failed: {fault}; grade once more when that is mended")
        finally:
            report.write_marks(course, lab, results)
        by_hand = hand_marks.exchange(course, lab, results)
        without_feedback = []
        for student in tqdm(by_hand.changed, "feedback", unit="student", file=sys.stderr, disable=not by_hand.changed):
            try:
                problem = run.run(course, lab, student, **limits, steps=run.FEEDBACK)
            except run.MachineFault as fault:
                problem = str(fault)
            if problem:
                without_feedback.append(f"{student} ({problem})")
        failed = {name: "; ".join(o["remarks"]) for name, o in results.by_student.items() if o["status"] != GRADED}
        table, missing = report.write_marks(course, lab, results), report.missing(course, lab, results)
    if without_feedback:
        raise LabError(f"the marks are in {table}, but feedback could not be written for {', '.join(without_feedback)}")
    return report.Report(table, by_hand.path, by_hand.waiting, list(results.graded()), failed, missing, ignored)
