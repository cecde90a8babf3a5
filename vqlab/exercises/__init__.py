"""Exercises: checks with feedback in place, comparisons, and questions that differ from student to student."""

from vqlab.exercises.checks import Exercise as Exercise
from vqlab.exercises.checks import Mistake as Mistake
from vqlab.exercises.checks import Test as Test
from vqlab.exercises.checks import check as check
from vqlab.exercises.checks import number as number
from vqlab.exercises.checks import too_far as too_far
from vqlab.exercises.comparing import near as near
from vqlab.exercises.running import with_gradients as with_gradients
