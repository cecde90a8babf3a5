"""Judge the outcomes of an answer. The student's function is not needed for it, nor the process that ran it."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from vqlab.exercises.comparing import near
from vqlab.exercises.feedback import Feedback, instance
from vqlab.exercises.running import Outcome

if TYPE_CHECKING:
    from vqlab.exercises.checks import Exercise, Mistake, Question


def judge(exercise: "Exercise", questions: Sequence["Question"], outcomes: Sequence[Outcome]) -> Feedback:
    """What is said of these outcomes, and the marks: one for each test whose questions are all answered right."""
    return _Judgement(exercise, questions, outcomes).feedback()


def verdicts(exercise: "Exercise", questions: Sequence["Question"], outcomes: Sequence[Outcome]) -> list[bool]:
    """For each question whether its answer is right, without a word on why not."""
    judgement = _Judgement(exercise, questions, outcomes)
    return [judgement.passes(i) for i in range(len(questions))]


class _Judgement:
    def __init__(self, exercise: "Exercise", questions: Sequence["Question"], outcomes: Sequence[Outcome]) -> None:
        self.exercise, self.questions, self.outcomes = exercise, questions, outcomes
        self.rights = [exercise.parts(exercise.reference, question.arguments) for question in questions]

    def feedback(self) -> Feedback:
        out_of = len(self.exercise.tests)
        if any(outcome.blank for outcome in self.outcomes):
            says = "Replace `raise NotImplementedError` by your code."
            return Feedback(self.exercise.name, "not yet", says, 0, out_of)
        failed = [i for i in range(len(self.questions)) if not self.passes(i)]
        tests = tuple(t not in {self.questions[i].test for i in failed} for t in range(out_of))
        if not failed:
            says = "The test passes." if out_of == 1 else f"All {out_of} tests pass."
            return Feedback(self.exercise.name, "passed", says, out_of, out_of, tests=tests)
        mistake = self.named()
        if mistake:
            says = f"{mistake.says} {self.instance_of(mistake)}".rstrip()
        else:
            says = self.failure(min(failed, key=self.order))
        return Feedback(self.exercise.name, "wrong", says, sum(tests), out_of, mistake.says if mistake else "", tests)

    def order(self, i: int) -> tuple:
        """Questions to show first: of the first test, answered wrong and not only by writing into arguments, small."""
        return self.questions[i].test, self.agrees(i, self.rights[i], None), self.questions[i].size

    def agrees(self, i: int, other: tuple, parts: Sequence[int] | None) -> bool:
        """Whether the answer to question i agrees in these parts with other parts."""
        arguments, answer = self.questions[i].arguments, self.outcomes[i].parts
        looked_at = range(len(other)) if parts is None else parts
        return len(answer) == len(other) and all(self.exercise.same(arguments, answer[p], other[p]) for p in looked_at)

    def passes(self, i: int) -> bool:
        """Whether the answer to question i is right where its test looks."""
        test, outcome, right = self.exercise.tests[self.questions[i].test], self.outcomes[i], self.rights[i]
        if outcome.fault or outcome.changed:
            return False
        if test.where is None:
            return self.agrees(i, right, test.parts)
        rows, (part,) = test.where(*self.questions[i].arguments), test.parts
        return outcome.parts[part].shape == right[part].shape and near(outcome.parts[part][rows], right[part][rows])

    def named(self) -> "Mistake | None":
        """The first mistake that the answer looks like.

        It gives what the wrong function gives, to every question that it answers at all, and that is not always right.
        """
        answered = [i for i, outcome in enumerate(self.outcomes) if outcome.parts]
        for mistake in self.exercise.mistakes:
            if any(self.is_like(wrong, mistake.parts, answered) for wrong in mistake.wrong):
                return mistake
            if any(
                mistake.seen and mistake.seen(q.arguments, o)
                for q, o in zip(self.questions, self.outcomes, strict=True)
            ):
                return mistake
        return None

    def is_like(self, wrong: Callable, parts: Sequence[int] | None, answered: Sequence[int]) -> bool:
        """Whether a wrong function gives the same in these parts, and not always what is right."""
        for i in answered:
            if not self.agrees(i, self.exercise.parts(wrong, self.questions[i].arguments, parts), parts):
                return False
        return any(not self.agrees(i, self.rights[i], parts) for i in answered)

    def instance_of(self, mistake: "Mistake") -> str:
        """The smallest question in which the mistake shows."""
        answered = [i for i, outcome in enumerate(self.outcomes) if outcome.parts]
        shows = [i for i in answered if not self.agrees(i, self.rights[i], mistake.parts)]
        if not shows:
            return ""
        smallest = min(shows, key=lambda i: self.questions[i].size)
        return instance(
            self.exercise, self.questions[smallest], self.outcomes[smallest], self.rights[smallest], mistake.parts
        )

    def failure(self, i: int) -> str:
        """What is said of the answer to question i, which no mistake explains."""
        test, outcome, right = self.exercise.tests[self.questions[i].test], self.outcomes[i], self.rights[i]
        if outcome.changed and self.agrees(i, right, None):
            return f"Your function writes into its argument `{outcome.changed}`: work on a copy. (Test: {test.says}.)"
        shown = instance(self.exercise, self.questions[i], outcome, right, test.parts)
        if outcome.raised:
            return f"{outcome.fault} (Test: {test.says}.) {shown}".rstrip()
        remark = self.rounded()
        return " ".join(filter(None, (f"It fails this test: {test.says}.", outcome.fault, shown, remark)))

    def rounded(self) -> str:
        """A remark if the answer is the right one, rounded; a constant near to all right answers is no such answer."""
        given = {part.tobytes() for outcome in self.outcomes for part in outcome.parts}
        if self.exercise.is_value or len(given) <= 2 or not all(outcome.parts for outcome in self.outcomes):
            return ""
        for digits in range(5):
            rounded = (tuple(np.round(part.astype(float), digits) for part in parts) for parts in self.rights)
            if all(self.agrees(i, parts, None) for i, parts in enumerate(rounded)):
                return "Your answer is the right one, rounded: return all its digits."
        return ""
