"""A round of grading over a folder of hand-ins; what is finished stays finished, whatever happens next."""

import sys
from pathlib import Path

from tqdm import tqdm

from vqlab import LabError
from vqlab.classroom import collect, exports, hand_marks, judge, overview, pages, report
from vqlab.classroom.course import Course
from vqlab.classroom.record import GRADED, Results
from vqlab.classroom.sandbox import GIGABYTES, MINUTES, MachineFault, sandbox
from vqlab.labs import Lab


def grade(
    course: Course,
    lab: Lab,
    folder: Path,
    *,
    again: bool = False,
    minutes: float = MINUTES,
    gigabytes: float = GIGABYTES,
) -> report.Report:
    """Grade every hand-in in `folder`; write marks, hand marks, feedback, an overview, and what Moodle and Canvas read.

    One that was graded before and has not changed is not graded again, unless `again`. What fails by a fault of this
    machine is named, and tried again in the next round.
    minutes, gigabytes: what one exercise, and one hand-in, may use.
    Raises: LabError if the assignment was not released, if another round is at it, or if this machine cannot grade it:
        a solved and a blank hand-in are graded first, and must get full marks and none.
    """
    if not course.release(lab).exists():
        raise LabError(f"{lab.name} was not released in {course.folder}: make the assignment first")
    hand_ins, ignored = collect.find(folder, lab)
    with course.alone(), sandbox(lab, minutes, gigabytes) as box:
        results = Results(course, lab)
        todo = [hand_in for hand_in in hand_ins if again or not results.has(hand_in)]
        try:
            if todo:
                _try_out(course, lab, box)
            for hand_in in tqdm(todo, unit="hand-in", file=sys.stderr, disable=not todo):
                try:
                    results.keep(hand_in, judge.judge(course, lab, hand_in, box))
                except (MachineFault, LabError, OSError) as fault:
                    results.postpone(hand_in, f"this machine failed: {fault}; grade once more when that is mended")
        finally:
            report.write_marks(course, lab, results)
        by_hand = hand_marks.exchange(course, lab, results)
        failed = {name: "; ".join(o["remarks"]) for name, o in results.by_student.items() if o["status"] != GRADED}
        table, missing = report.write_marks(course, lab, results), report.missing(course, lab, results)
        pages.write(course, lab, results)
        exports.write(course, lab, results)
        overview.write(course, lab, results)
    graded, late = list(results.graded()), report.lateness(course, lab, results)
    wanted = report.wanted(results)
    return report.Report(table, *by_hand, graded, failed, missing, ignored, late, box.walls.says, wanted)


def _try_out(course: Course, lab: Lab, box) -> None:
    try:
        judge.try_out(course, lab, box)
    except (MachineFault, OSError) as fault:
        raise LabError(f"grading cannot start: {fault}") from fault
