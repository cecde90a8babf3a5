# %% [markdown]
# # Lab 02 · Embeddings collapse
#
# **A narrow encoder sends different classes to one place, and no codebook can tell them apart again. You will cause this with a slider, predict it before any training, and cure it.**
#
# | | |
# |---|---|
# | Time | 30 minutes, and 30 for the exercises |
# | You need | [Lab 01](01_tokens_collapse.ipynb), NumPy basics |
# | You will be able to | see merged classes where perplexity sees nothing · tell two diseases apart, and give each its own cure · say how many hidden units it takes, and why |
# | Exercises | 4, worth 11 points, and an open question worth 4 |
#
# The situation is again that of *Representation Collapsing Problems in Vector Quantization* (arXiv 2411.16550). An **embedding** is what we call a latent: the output of the encoder.

# %% [markdown]
# ## 1. The puzzle
#
# The data: 4,000 points from 16 classes on a ring. The encoder is 2 → h → h → 2, and h, its **width**, is now 2. The decoder keeps its 32 hidden units,
# so it is not the one that fails. And the codebook gets all that Lab 01 recommends: a warm-up of 400 of the 1,000 steps, and four codes for each class.

# %%
from vqlab import sweeps
from vqlab.labs.lab02.pictures import embeddings as view

sweep = sweeps.load("embeddings_collapse")
ring = {"classes": 16, "layout": "ring", "codebook_size": 64}
shown = {"seed": 1, "step": 1000, "read": "tokens"}
view.training_view(sweep, {"width": 2, "warmup": 400, **ring, **shown})

# %% [markdown]
# Every code is in use: the disease of Lab 01 is cured. And yet the reconstructions lie on a line, and half of the samples are taken for another class.
#
# - **Middle:** the grey grid of the left panel, as the encoder sees it. It has folded the plane flat, and the ring with it. The latents are shown
#   around their mean, in units of the farthest, in the colours of their classes.
# - **Right:** each row is a class; the columns say which class a reader of the tokens takes it for. A perfect tokenizer has a diagonal.
#   The second diagonal is the fold: two classes, one from each side of the ring, lie on one place.
#
# This is **embeddings collapse**. What lies on one place has the same nearest code, wherever you put the codes.

# %% [markdown]
# ## 2. Predict
#
# We call classes **merged** if less than two standard deviations part them (on the line between their means). Merged classes share a **region**.
# With 16 classes, the best is 16 distinct regions.

# %%
from vqlab.widgets import Prediction

Prediction(
    "Width 4 instead of 2, all else the same: how many distinct regions do you expect, on average over seeds?",
    measured=lambda: sweep.at(width=4, warmup=400, **ring)["regions"][:, -1],
    possible=(1, 16),
    unit="regions",
)

# %% [markdown]
# ## 3. Cause it, cure it
#
# Three things to try, in this order:
#
# 1. Drag the **width** from 1 to 64. Where does the second diagonal go?
# 2. Back to width 2. Try to cure it with the codebook: K, warm-up. Then look at other **seeds** (pictures are stored of four of the eight).
# 3. Width 64, and no warm-up. Read the classes from the *embeddings*, then from the *tokens*.
#
# "Train it live" trains the shown position now, with four new seeds, and draws their regions over the eight stored ones.

# %%
from vqlab.widgets import Explorer, Slider

steps = tuple(sweep.settings["frames"])
explorer = Explorer.of(
    sweep,
    view.training_view,
    start={"width": 2, "codebook_size": 64, "warmup": 400, "classes": 16, "layout": "ring"},
    also=[
        Slider("read", "read the class from", view.READ_FROM, start="tokens"),
        Slider("seed", "seed", sweep.seeds[:4], start=1),
        Slider("step", "training step", steps, start=steps[-1], play=True),
    ],
    live=True,
)
explorer

# %% [markdown]
# ## 4. Read it: two diseases, two cures
#
# Whoever uses a tokenizer gets tokens, nothing else. So ask what they are good for: take half of the samples, note for each token the class that most of its
# samples have, and see how often that is right for the other half (**right**). The same can be asked of the embeddings, with the class whose mean is nearest.

# %%
from vqlab.labs.lab02.pictures import widths

Explorer.of(sweep, widths.two_diseases_view, start={"codebook_size": 64, "classes": 16, "layout": "ring"})

# %% [markdown]
# Left, the two curves lie on each other: **what the encoder has merged, the warm-up does not part.** Right, they do not:
# **what the encoder keeps apart, a cold codebook throws together.** (Set C to 4, and the left curves do part a little at width 2. Look at the bands: the gain comes
# from the few seeds that a cold start folds worst.) The four corners of the right panel, mean ± standard deviation over the seeds:

# %%
from vqlab.figures import per_cent, spread, table


def final(key, width, warmup, **where):
    """A number at the end of training, one for each seed."""
    return sweep.at(width=width, warmup=warmup, **(ring | where))[key][:, -1]


def corner(width, warmup):
    """What is left of 16 classes: in the embeddings, in the tokens, and of the data."""
    regions, right, error = (final(key, width, warmup) for key in ("regions", "token_accuracy", "mse"))
    return f"{spread(regions)} regions<br>{per_cent(right)} right by token<br>error {spread(error)}"


names = (("narrow", 2), ("wide", 64))
table(
    ["", "cold", "warm-up 400"],
    [[f"**{name}** (width {width})", corner(width, 0), corner(width, 400)] for name, width in names],
)

# %% [markdown]
# **A narrow encoder is a lottery.** The deviations at width 2 are half as large as the means. So look at its seeds one by one, with a warm-up,
# and at the numbers that might warn you:
#
# - **scatter ratio**: spread of the class means over the spread within classes;
# - **purity**: share of samples with the majority class of their token; **information**: bits that the token tells about the class, 4 at best for 16 classes;
# - **linear probe**: logistic regression on the embeddings.

# %%
import numpy as np

looked_at = ("perplexity", "scatter", "regions", "purity", "information")
narrow, wide = (sweep.at(width=width, warmup=400, **ring) for width in (2, 64))
rows = []
for seed in sweep.seeds:
    values = [float(narrow[key][seed, -1]) for key in looked_at]
    formats = ("{:.0f}", "{:.0f}", "{:.0f}", "{:.2f}", "{:.1f}")
    cells = [form.format(value) for form, value in zip(formats, values, strict=True)]
    rows.append([f"width 2, seed {seed}", *cells, f"{narrow['probe_accuracy'][seed]:.0%}"])
rows.append(["**width 64**", *(wide[key][:, -1] for key in looked_at), per_cent(wide["probe_accuracy"])])
table(["", "perplexity (of 64)", "scatter ratio", "regions (of 16)", "purity", "information", "linear probe"], rows)

# %%
from IPython.display import Markdown

best = int(narrow["perplexity"][:, -1].argmax())
dead = np.flatnonzero(narrow["regions"][:, -1] == 1)
errors = narrow["class_error"][1][:16].astype(float)  # (classes,) of the seed of section 1
Markdown(
    f"- **Perplexity does not see it.** Seed {best} of width 2 has perplexity {narrow['perplexity'][best, -1]:.0f} at 4,000 tokens, "
    f"as high as with 64 units, and {narrow['regions'][best, -1]:.0f} regions.\n"
    f"- **Nor does the scatter ratio**, {narrow['scatter'][best, -1]:.0f} for that seed: it averages over all pairs of classes, and "
    "most pairs are far apart. The other columns see it.\n"
    f"- **Some tickets win nothing:** seeds {' and '.join(map(str, dead))} end with a single region.\n"
    f"- **The mean error hides who pays.** In the seed of section 1 the best class has error {errors.min():.3f}, the worst {errors.max():.2f}."
)

# %% [markdown]
# ## 5. Explain it: layers that say too little
#
# A ReLU unit is **dead** at a point where its input is negative. Before training that is a coin toss: weights and bias are drawn symmetric around 0, so whatever the
# point, the input of a unit is as often negative as positive. Toss h coins for each of the two layers:
#
# - **no unit of a layer at work:** the layer says the same for all points nearby; they become *one point*;
# - **one unit:** one number is left; they become a *curve*;
# - **two or more in each layer:** they stay a *sheet*.
#
# $$P(\text{point}) = 1 - (1 - 2^{-h})^2 \qquad P(\text{sheet}) = \bigl(1 - (1 + h)\,2^{-h}\bigr)^2$$
#
# Test it: 20,000 untrained encoders, one point of the plane.

# %%
from vqlab.labs.lab02 import dead_units

rng = np.random.default_rng(0)


def layer(inputs, h):
    """A fresh ReLU layer of h units for each draw, started like torch.nn.Linear: (draws, n) -> (draws, h)."""
    draws, n = inputs.shape
    weight, bias = (rng.uniform(-1, 1, size) / np.sqrt(n) for size in ((draws, n, h), (draws, h)))
    return np.maximum(np.einsum("dn,dnh->dh", inputs, weight) + bias, 0)


for h in (2, 3, 6):
    first = layer(np.full((20_000, 2), 0.7), h)
    second = layer(first, h)
    at_work = np.minimum((first > 0).sum(1), (second > 0).sum(1))  # (draws,): in the layer that has fewer
    tossed = np.bincount(np.minimum(at_work, 2), minlength=3) / len(at_work)
    print(f"h = {h}: point, curve, sheet: tossed {tossed.round(3)}, formula {dead_units.rank_chances(h).round(3)}")

# %% [markdown]
# And in the trainings of the sweep: the share of the 4,000 samples at which the encoder is a point or a curve, before and after.

# %%
point, curve = (sweep.at(warmup=400, **ring)[key] for key in ("constant", "curve"))  # (width, seeds, frames)
rows = []
for i, width in enumerate(sweep.axes["width"].values[:6]):
    chances = dead_units.rank_chances(width)
    measured = [per_cent(share[i, :, frame], 1) for share in (point, curve) for frame in (0, -1)]
    rows.append([width, f"{chances[0]:.1%}", *measured[:2], f"{chances[1]:.1%}", *measured[2:]])
table(["width", "point: formula", "untrained", "trained", "curve: formula", "untrained", "trained"], rows)

# %% [markdown]
# **Read it.** Untrained, it is as the coins say, within the scatter of eight seeds. Training wakes points up: it moves the lines at which units switch. At widths 2 and 3
# they wake up as curves; wider encoders shed curves as well, the wider the more. Why do narrow ones keep them?
#
# A unit that is dead at *all* samples has no gradient, so training cannot wake it. Call the others **living units**. A layer with one living unit leaves
# a curve, a layer with none a point, and both for good. So the fate of a seed should be visible before its first step. The sweep with 32 seeds has the living units
# at step 0, counted in the layer that has fewer, and what became of them:

# %%
many = sweeps.load("embeddings_activation")
relu = many.at(activation="relu", classes=16, layout="ring")
tried = many.axes["width"].values
which = slice(tried.index(2), tried.index(6) + 1)
living, ended = relu["living"][which, :, 0], relu["regions"][which, :, -1]  # (widths, seeds): before, after
rows = []
for label, chosen in (("0", living == 0), ("1", living == 1), ("2 or more", living >= 2)):
    fates = (ended[chosen] == 1, (ended[chosen] > 1) & (ended[chosen] < 16), ended[chosen] == 16)
    rows.append([label, chosen.sum(), *(fate.sum() for fate in fates)])
table(["living units at step 0", "trainings (width 2–6)", "all merged", "some merged", "all 16 apart"], rows)

# %% [markdown]
# Few are spared: when the layer before changes, a dead unit may come to life after all. And two living units are no guarantee: a sheet, too, can be folded.
#
# This also says why the warm-up cannot help. It trains the same units by the same gradient.
#
# **A theorem beside it.** Points do not die one by one. Without biases a layer is dead on an arc of directions, or nowhere; with h random directions there is
# such an arc with chance $h / 2^{h-1}$ (Wendel 1962), and one as wide as the step between two of C classes on a ring with chance $h\,(1/2 - 1/C)^{h-1}$.
# The last column has what the theorem leaves out, biases and the second layer: how often untrained encoders send two of the 16 classes to one place.

# %%
from vqlab.data import class_centres

rows = []
for h in (2, 3, 4, 6, 8):
    arcs = dead_units.dead_direction_chance(h), dead_units.dead_arc_chance(h, 2 * np.pi / 16)
    merged = (dead_units.classes_kept_apart(class_centres("ring", 16), h) < 16).mean()
    rows.append([h, *(f"{chance:.1%}" for chance in (*arcs, merged))])
table(["width", "some direction is dead", "an arc of a class step is dead", "drawn: two classes merged"], rows)

# %% [markdown]
# ## 6. Predicted and measured: where do classes merge?
#
# Which width do C classes need? Three ways to tell before any training:
#
# - **Count linear regions.** h lines cut the plane into at most 1 + h + h(h − 1)/2 pieces, and on each a ReLU layer is linear. A piece for each class?
# - **Count dead points.** Draw untrained encoders, and count how many class centres they send to different places.
# - **Count living units.** How often do untrained encoders have two living units in each layer?
#
# And one question: are there **too few units**, or are they **dead**? Leaky ReLU has the same kink and is never dead; tanh has no kink, either.
# 32 seeds each, always K = 64 and warm-up 400.

# %%
Explorer.of(many, widths.merge_boundary_view, start={"classes": 16, "layout": "ring"})

# %% [markdown]
# The **boundary** is the width from which on at least 95 % of the classes stay apart, on average over the seeds. (For living units: 95 % of the encoders have two.)

# %%
from vqlab import measures

activations = many.axes["activation"].values
rows = []
for layout in many.axes["layout"].values:
    for classes in many.axes["classes"].values:
        shares = [widths.shares_apart(many, activation, classes, layout) for activation in activations]
        boundaries = [measures.boundary(tried, share.mean(axis=1)) for share in shares]
        rows.append([f"{classes}, {layout}", *widths.predictions(tried, classes, layout).values(), *boundaries])
counts = [f"predicted: {what}" for what in widths.predictions(tried, 4, "ring")]
table(["classes", *counts, *(f"measured: {activation}" for activation in activations)], rows)

# %% [markdown]
# **Read it.** *Linear regions* get the trend wrong: they ask for ever more units, and the boundary stays where it is. Classes need no piece of their own; one linear piece
# keeps any number of them apart. *Living units* get it right from 8 classes on: what must not happen is a curve, and on a curve 8 classes are as lost as 32.
# Four classes need less than that, because four fit on a curve.
# (One reservation: the same 32 untrained encoders meet every task, so the rows are no independent evidence. Another 32 may move a boundary by one.)
#
# The dashed line of the picture is the count of dead points. It has the height of the curve and no training in it, and it misses twice:
# at width 1 and 2 it is too kind for many classes, since it does not count curves; from width 5 on it is too strict, since training wakes points up.
#
# And the question: **most of it is dead units.** Units that never die need about half the width. What remains is "too few" in the strict sense: one unit gives
# one number, whatever its shape, and a ring does not fit into one number. At width 2 the kink of leaky ReLU still folds the plane more often than tanh does.

# %% [markdown]
# ## 7. Build it
#
# Four exercises, in NumPy. And an open question at the end. Each exercise has hints to open and a check right under it. A blank exercise says "not yet"; nothing breaks.

# %% [markdown]
# ### Exercise 1 · `token_purity` (★☆☆, 5 minutes, 3 points)
#
# Given `tokens` (N,) and the classes `y` (N,), both whole numbers, return the share of samples that belong to the majority class of their token.
#
# <details><summary>Hint 1</summary>For each token: how many samples has its commonest class? Add these up over tokens, and divide by N.</details>
# <details><summary>Hint 2</summary><code>y[tokens == token]</code> are the classes of one token, <code>np.bincount(…).max()</code> is the size of the commonest. Go through <code>np.unique(tokens)</code>: not every number need occur.</details>


# %% exercise="token_purity"
def token_purity(tokens, y):
    ### BEGIN SOLUTION
    largest = [np.bincount(y[tokens == token]).max() for token in np.unique(tokens)]
    return sum(largest) / len(y)
    ### END SOLUTION


# %% check="token_purity"
from vqlab.labs.lab02 import exercises as lab02

lab02.token_purity(token_purity)

# %% [markdown]
# ### Exercise 2 · `nearest_mean_accuracy` (★★☆, 8 minutes, 3 points)
#
# Take the mean of each class from `z_fit` (N, d) and `y_fit` (N,). Then give each sample of `z_test` the class whose mean is nearest, and return the share that is right
# by `y_test`. The classes may be any whole numbers, such as 3, 7 and 40.
#
# <details><summary>Hint 1</summary><code>classes = np.unique(y_fit)</code>, and one mean for each: <code>z_fit[y_fit == c].mean(axis=0)</code>.</details>
# <details><summary>Hint 2</summary><code>np.linalg.norm(z_test[:, None] - means, axis=-1)</code> is (N, C). Its argmin over the classes is the <i>position</i> of the nearest mean; <code>classes[…]</code> is its name.</details>
# <details><summary>Hint 3</summary>Means from the fit half, judgement on the test half: <code>np.mean(predicted == y_test)</code>.</details>


# %% exercise="nearest_mean_accuracy"
def nearest_mean_accuracy(z_fit, y_fit, z_test, y_test):
    ### BEGIN SOLUTION
    classes = np.unique(y_fit)
    means = np.stack([z_fit[y_fit == c].mean(axis=0) for c in classes])  # (C, d)
    distances = np.linalg.norm(z_test[:, None] - means, axis=-1)  # (N, 1, d) − (C, d) -> (N, C)
    predicted = classes[distances.argmin(axis=1)]  # (N,)
    return float(np.mean(predicted == y_test))
    ### END SOLUTION


# %% check="nearest_mean_accuracy"
lab02.nearest_mean_accuracy(nearest_mean_accuracy)

# %% [markdown]
# ### Exercise 3 · `constant_chance` (★★☆, 5 minutes, 4 points)
#
# Return the chance that an untrained ReLU encoder sends a given point, with all around it, to one place: for `layers` hidden layers of `width` units each.
#
# <details><summary>Hint 1</summary>One layer: all <code>width</code> units must be dead, each with chance ½.</details>
# <details><summary>Hint 2</summary>One dead layer is enough, whichever it is.</details>
# <details><summary>Hint 3</summary>So ask the opposite first: the chance that <i>no</i> layer is dead is a product. Then take it from 1.</details>


# %% exercise="constant_chance"
def constant_chance(width, layers):
    ### BEGIN SOLUTION
    return 1 - (1 - 0.5**width) ** layers
    ### END SOLUTION


# %% check="constant_chance"
lab02.constant_chance(constant_chance)

# %% [markdown]
# ### Exercise 4 · where classes merge (★☆☆, 2 minutes, 1 point)
#
# Run the cell: it names an activation, a number of classes and a layout. What is the smallest width from which on at least 95 % of these classes stay apart,
# on average over the seeds? Set `merge_width` to it.
#
# <details><summary>Hint 1</summary>The table of section 6 has the answer.</details>

# %% exercise="merge_width" stub="merge_width = None"
activation, classes, layout = lab02.activation_and_classes()
print(f"{activation}, {classes} classes, {layout}")
### BEGIN SOLUTION
kept = widths.shares_apart(many, activation, classes, layout).mean(axis=1)
merge_width = measures.boundary(many.axes["width"].values, kept)
### END SOLUTION

# %% check="merge_width"
lab02.merge_width(merge_width)

# %% [markdown]
# ### Open question (10 minutes, 4 points)
#
# Someone trains a tokenizer for 40 kinds of birds. Perplexity is 950 of 1,024 at 500,000 tokens. A classifier on the tokens is right for 35 %, a classifier on the
# embeddings for 37 %, a classifier on the images for 90 %. They want to add a warm-up. In four to eight sentences: what is ill, what would the warm-up do,
# what would you change, and what could make you doubt your diagnosis?

# %% [markdown] open="forty_birds" points=4
# ### BEGIN SOLUTION
# The codebook is healthy: 950 of 1,024 at many tokens. The classes are lost before it, in the encoder: the embeddings give 37 %, hardly more than the tokens, while the
# images hold 90 %. So this is embeddings collapse, and a warm-up, which cures where codes lie, will change little (section 4: at width 2 the error stays).
# I would widen the narrowest layer of the encoder, or take units that never die, and expect the classifier on the embeddings to rise first, then that on the tokens.
# I would doubt it if the classifier on the embeddings were too simple for classes that lie apart but curved (so try a stronger one, or count distinct regions),
# or if the tokenizer was trained to reconstruct and the birds differ in details that cost no error; and I would repeat it with other seeds.
# ### END SOLUTION

# %% [markdown] rubric="forty_birds"
# | points | for |
# |---|---|
# | 1 | embeddings collapse, and not tokens collapse, told from perplexity and from embeddings against tokens |
# | 1 | a warm-up will change little, with the reason or with evidence of this lab |
# | 1 | a change of the encoder (width of the narrowest layer, units that never die), and the number that would show its effect |
# | 1 | one sound reason for doubt: a weak probe, classes that the training loss does not need, a single seed |

# %% [markdown]
# ## 8. Break the cure
#
# Say what happens before you look, then try it in the explorer of section 3.
#
# - **32 classes, K = 16**, width 64, with warm-up. Both cures are given. What share can be right at most?
# - **4 classes, K = 16**, width 64, cold. Does a cold codebook hurt at all?
# - **16 classes on the grid** instead of the ring, width 64, cold.

# %%
rows = []
for layout in sweep.axes["layout"].values:
    for classes in sweep.axes["classes"].values:
        cells = [
            100 * final("token_accuracy", 64, warmup, codebook_size=k, classes=classes, layout=layout)
            for k in (16, 64)
            for warmup in (0, 400)
        ]
        rows.append([f"{classes}, {layout}", *cells])
table(["classes (width 64)", "right by token (%): K = 16, cold", "K = 16, warm", "K = 64, cold", "K = 64, warm"], rows)

# %% [markdown]
# - *Fewer codes than classes* is no disease: with K = 16 and 32 classes, half of them must share a token, and no more than half can be right.
# - *Few classes* forgive a cold codebook: the handful of codes that survive is enough to name them. The error still pays: compare it at K = 64, in the line under the picture.
# - *On the grid* more codes survive a cold start than on the ring, so the tokens lose less. The disease is the same; it is the dose that differs.
#
# And the cure by width has a price that this lab does not charge: a wider encoder is a larger one. Never-dead units are free.

# %% [markdown]
# ## 9. What the paper claims · what we measured
#
# | | arXiv 2411.16550 | here |
# |---|---|---|
# | cause | an encoder that is too small | reproduced (section 4); most of it is dead ReLU units, not too few (section 6) |
# | cure | a larger encoder | reproduced (section 4) |
# | and the warm-up? | given as the cure of the other disease | does not part merged classes, from 8 classes on (section 4) |
# | where is the boundary? | not given | the same for 8 to 32 classes, and about half as wide if no unit can die (section 6) |
# | what are the tokens good for? | asked in its open review | the class is read from them (sections 4 and 8) |
#
# The paper's widths and its number of classes are not public. Ours is the smallest encoder in which the question makes sense: two hidden layers, two dimensions. In a large
# encoder dead units are common, and layers with fewer living units than latent dimensions are not. There, look at the narrowest layer.
#
# ### Two diseases, two cures
#
# | | tokens collapse ([Lab 01](01_tokens_collapse.ipynb)) | embeddings collapse |
# |---|---|---|
# | what falls together | codes | embeddings of different classes |
# | seen by | perplexity, active codes | distinct regions, classes read from the embeddings |
# | not seen by | classes read from the embeddings | perplexity, active codes |
# | cause | codes placed on an untrained encoder | a layer with fewer than two living units |
# | cure | warm-up, replacement | width, units that are never dead |
# | no help | width, more codes | warm-up, more codes |
#
# Reading the classes from the *tokens* sees both, and cannot tell which one it is. Compare it with reading them from the embeddings.

# %% [markdown]
# ## 10. Without code
#
# 1. Perplexity 60 of 64, and a classifier on the tokens is right for half of the samples. Which disease, and what do you look at next?
# 2. Why does the width that is needed hardly grow with the number of classes?
# 3. One run of width 4 keeps all classes apart. May you write "width 4 is enough"?
#
# <details><summary>Answers</summary>
#
# 1. Embeddings collapse: the codebook is healthy. Read the classes from the embeddings, and if they are merged, widen the encoder (section 4).
# 2. A class is not lost for want of a linear piece of its own, but because the encoder is a point or a curve, and then eight are as lost as thirty-two (section 6).
# 3. No: width 4 is a lottery, and you have drawn one ticket (section 4).
#
# </details>
#
# In both diseases the embeddings could use two dimensions, and once cured, they did. In [Lab 04](04_why_dimensions_die.ipynb) every code is in use, and *dimensions* die.
