# %% [markdown]
# # Lab 77 · Tiny
#
# **A square grows faster than its side. You will see how fast.**
#
# | | |
# |---|---|
# | Time | 2 minutes, and 7 for the exercises |
# | You need | Python |
# | You will be able to | say what area a square has |
# | Exercises | 1, worth 2 points, and an open question worth 1 |

# %%
import numpy as np

from vqlab import sweeps

squares = sweeps.load("tiny")
for side in squares.axes["side"].values:
    print(f"side {side}: area {squares.at(side=side)['area'][:, -1].mean():.2f}")

# %% [markdown]
# ### Exercise 1 · `area` (★☆☆, 2 minutes, 2 points)
#
# Write `area(side)`, the area of a square. Yours shall also have this one:
#
# <details><summary>Hint 1</summary>A square of side 2 holds four squares of side 1.</details>

# %% exercise="area"
from vqlab.labs.lab77 import exercises as lab77

print(f"Your square has side {lab77.side()}.")


def area(side):
    ### BEGIN SOLUTION
    return side * np.asarray(side)
    ### END SOLUTION


# %% check="area"
lab77.area(area)

# %% [markdown]
# ### Open question (5 minutes, 1 point)
#
# Why do tiles cost four times as much for a floor twice as wide and twice as long?

# %% [markdown] open="tiles" points=1
# ### BEGIN SOLUTION
# Because the area is the product of the two sides, and both have doubled.
# ### END SOLUTION

# %% [markdown] rubric="tiles"
# | points | for |
# |---|---|
# | 1 | both factors are named |

# %% [markdown] model="tiles"
# ### A model answer to the open question
#
# Write yours first.
