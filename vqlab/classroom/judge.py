"""The verdict on one hand-in: graded or not, and why; and the trial that this machine can judge at all."""

import difflib
import json
import re
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import nbformat

from vqlab import LabError, doctor
from vqlab.classroom import students
from vqlab.classroom.collect import HandIn
from vqlab.classroom.course import Course, write
from vqlab.classroom.reading import Unreadable, read
from vqlab.classroom.report import not_here
from vqlab.classroom.sandbox import Job, Reply, Sandbox
from vqlab.exercises import variants
from vqlab.exercises.feedback import Feedback
from vqlab.exercises.judging import judge as judge_outcomes
from vqlab.labs import Lab
from vqlab.notebooks.build import SOLVED, build

_LONGEST_SOURCE = 20_000  # characters of an answer that are kept for feedback
_NO_MODULE = re.compile(r"ModuleNotFoundError: No module named '(\w{1,60})'")


@dataclass(frozen=True)
class Verdict:
    """What became of a hand-in.

    exercises: the feedback on each, as a dictionary, with the "source" of the answer, the "case" it was asked for, and
    the module that it "wants" and that is not here, "" if none.
    texts: the answer to each open question.   told: what the student reads; the remarks are for the teacher.
    """

    graded: bool
    remarks: list[str]
    exercises: dict[str, dict] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)


def judge(course: Course, lab: Lab, hand_in: HandIn, box: Sandbox) -> Verdict:
    """Grade one hand-in: its code answers questions behind walls, and its answers are compared here.

    Raises: MachineFault or LabError where the machine is to blame.
    """
    student = hand_in.student
    try:
        _check_is_expected(course, lab, student)
        answers = read(hand_in, nbformat.read(course.release(lab), as_version=4))
    except Unreadable as error:
        return Verdict(False, [str(error)], told=[error.told])
    foreign, individual = _foreign_variant(course, lab, hand_in), bool(course.students(lab))
    remarks, told = [*answers.remarks, *foreign], list(answers.told)
    if foreign:
        whose = "your own questions" if individual else "the questions that everybody has"
        told.append(f"the {variants.FILE} that came with it is not yours: you were graded with {whose}")
    with variants.asking(course.seed(lab, student) if individual else 0):
        drawn = lab.module("exercises").VARIANTS.items()
        cases = {
            name: f"{asked.__name__.replace('_', ' ')}: {variants.in_words(asked())}" for name, (asked, _) in drawn
        }
        known, jobs = lab.exercises(), []
        for name, cells in answers.code.items():
            # The same instances for everybody, and not to be known beforehand.
            questions = known[name].questions(course.seed(lab, "\0instances"))
            jobs.append(Job(known[name], cells, questions))
        begun = [job for job in jobs if job.cells]
        files = dict(hand_in.helpers)
        if individual:
            files[variants.FILE] = course.variant(lab, student)
        replies = iter(box.ask(begun, _asked(lab), files))
        done = {}
        for job in jobs:
            reply = next(replies) if job.cells else Reply()
            feedback = _feedback(job, reply)
            for said in (remarks, told):
                said += [error for error in reply.errors if error not in said]
            done[job.exercise.name] = {
                **asdict(feedback),
                "source": answers.sources[job.exercise.name][:_LONGEST_SOURCE],
                "errors": list(reply.errors),
                "wants": _missing_module(reply) if feedback.state != "passed" else "",
                "case": cases.get(job.exercise.name, ""),
            }
    remarks += [f"{name} stopped at {not_here(one['wants'])}" for name, one in done.items() if one["wants"]]
    texts = {name: text[:_LONGEST_SOURCE] for name, text in answers.texts.items()}
    return Verdict(True, remarks, done, texts, told)


def _missing_module(reply: Reply) -> str:
    said = [*reply.errors, *(outcome.fault for outcome in reply.outcomes or ())]
    found = filter(None, map(_NO_MODULE.search, said))
    return next((match[1] for match in found), "")


def _feedback(job: Job, reply: Reply) -> Feedback:
    """What is said of a reply. It was made by a stranger's process, so that it may be anything."""
    exercise, out_of = job.exercise, len(job.exercise.tests)
    if reply.problem:
        return Feedback(exercise.name, "wrong", f"There is no answer: {reply.problem}.", 0, out_of)
    if reply.outcomes is None:
        says = f"`{exercise.name}` was left as it came." if not job.cells else f"`{exercise.name}` holds nothing."
        return Feedback(exercise.name, "not yet", says, 0, out_of)
    try:
        return judge_outcomes(exercise, job.questions, reply.outcomes)
    except Exception as error:  # an answer so odd that a comparison fails is no right one
        says = f"Your answer cannot be compared ({type(error).__name__})."
        return Feedback(exercise.name, "wrong", says, 0, out_of)


def _asked(lab: Lab) -> dict[str, object]:
    """What the lab's functions tell the student that is being asked: the case, not the answer."""
    return {asked.__name__: asked() for asked, _ in lab.module("exercises").VARIANTS.values()}


def _check_is_expected(course: Course, lab: Lab, student: str) -> None:
    listed = course.students(lab)
    if listed and student not in listed:
        folded = {other.casefold(): other for other in listed}
        close = difflib.get_close_matches(student.casefold(), folded, n=1)
        hint = f": did you mean {folded[close[0]]}?" if close else ""
        told = "the name that it came under is not on the list of the class: ask which name to use"
        raise Unreadable(f"{student} is not on the list that {lab.name} was released to{hint}", told)


def _foreign_variant(course: Course, lab: Lab, hand_in: HandIn) -> list[str]:
    """Everybody is graded with their own variant, whichever came with the notebook; says so if that was another's."""
    path = hand_in.notebook.parent / variants.FILE
    came_with, own = None, (None, *([hand_in.student] if course.students(lab) else []))
    if path.is_file() and path.stat().st_size < 10_000:
        with suppress(Exception):  # edited or damaged: what counts is the list of the class
            came_with = students.composed(str(json.loads(path.read_text(encoding="utf-8"))["student"]))[:80]
    graded = f"with that of {hand_in.student}" if course.students(lab) else f"without, as {lab.name} was released"
    return [f"it came with the variant of {came_with}; graded {graded}"] if came_with not in own else []


def try_out(course: Course, lab: Lab, box: Sandbox) -> None:
    """Make sure that grading can work here, before anybody gets a zero for a missing package.

    Raises: LabError if a package is missing, or if the solved notebook does not get full marks, or the blank one any.
    """
    for check in doctor.quick_checks():
        if (finding := doctor.examine(check)).status == doctor.FAIL:
            raise LabError(f"grading cannot start: {finding.text}; {finding.mend}")
    with tempfile.TemporaryDirectory() as folder:
        trial = Course(Path(folder) / "course").prepare()
        write(trial.release(lab), course.release(lab).read_text(encoding="utf-8"))
        solved = Path(folder) / "solved.ipynb"
        write(solved, nbformat.writes(build(lab.source, SOLVED, assignment=True)))
        for student, notebook in (("solved", solved), ("blank", trial.release(lab))):
            verdict = judge(trial, lab, HandIn(student, notebook), box)
            earned, most = (sum(one[key] for one in verdict.exercises.values()) for key in ("marks", "out_of"))
            if not verdict.graded or earned != (most if student == "solved" else 0):
                said = [one["says"] for one in verdict.exercises.values() if one["state"] == "wrong"]
                reason = "; ".join([*verdict.remarks, *said]) or "no reason given"
                raise LabError(
                    f"grading cannot start: the {student} notebook got {earned:g} of {most:g} points "
                    f"({reason}): run `python -m vqlab doctor` and mend what it names"
                )
