# %% [markdown]
# # Lab 02 · Embeddings collapse
#
# **A narrow encoder sends different classes to one place, and no codebook can tell them apart again. You will cause this with a slider, predict it before any training, and cure it.**
#
# | | |
# |---|---|
# | Time | 50 minutes, and 20 for the exercises |
# | You need | [Lab 01](01_tokens_collapse.ipynb), NumPy basics |
# | You will be able to | see merged classes, which perplexity alone does not show · tell two diseases apart, and give each its own cure · say how many hidden units it takes, and why |
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
# Every code is in use: the disease of Lab 01 is cured. And yet the reconstructions lie on a line, and about half of the samples are taken for another class.
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
# "Train it live" trains the shown position now, with four seeds that are not stored, and draws their regions over those of the eight that are.

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
# **what the encoder keeps apart, a cold codebook throws together.** (Set C to 4, and the left curves do part a little at width 2. Look at the lower edge of the blue band.)
# The four corners of the right panel, mean ± standard deviation over the seeds:

# %%
from vqlab.figures import per_cent, spread, table


def final(key, width, warmup, **where):
    """A number at the end of training, one for each seed."""
    return sweep.final(key, width=width, warmup=warmup, **(ring | where))


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
# **A narrow encoder is a lottery.** Look at the deviations at width 2. Here are its seeds one by one, with a warm-up,
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
columns = ("perplexity (of 64, N = 4,000)", "scatter ratio", "regions (of 16)", "purity", "information", "linear probe")
table(["", *columns], rows)

# %% [markdown]
# Which of these numbers can be trusted? Take the runs of *all* widths and seeds with a warm-up, and draw the kindest line: the lowest value of any run that kept its
# 16 classes apart. Which merged runs fall below that line, so that the number alone gives them away?

# %%
from IPython.display import Markdown

from vqlab.labs.lab02 import readings

merged = sweep.final("regions", warmup=400, **ring) < 16  # (widths, seeds)
asked = {
    "perplexity (of 64, N = 4,000)": "perplexity",
    "active codes (of 64)": "active",
    "scatter ratio": "scatter",
    "purity": "purity",
    "information (bits)": "information",
    "class from the token, right": "token_accuracy",
    "class from the embedding, right": "mean_accuracy",
}
rows = []
for name, key in asked.items():
    lowest, caught = readings.seen_by(sweep.final(key, warmup=400, **ring), merged)
    rows.append([name, f"{lowest:.3g}", f"{caught} of {merged.sum()}"])
table(["number", f"lowest of the {(~merged).sum()} runs with 16 regions", "merged runs below it"], rows)

# %%
perplexities, cold_wide = sweep.final("perplexity", warmup=400, **ring), final("perplexity", 64, 0)
ordinary, caught = readings.seen_by(perplexities, merged)
single = np.flatnonzero(narrow["regions"][:, -1] == 1)
class_errors = narrow["class_error"][:, :16].astype(float)  # (seeds, classes)
Markdown(
    f"- **Perplexity is no test.** {caught} of the {merged.sum()} merged runs read less than every healthy one; an encoder that is a single point uses a single code. "
    f"The other {merged.sum() - caught} read {perplexities[merged & (perplexities >= ordinary)].min():.0f} to {perplexities[merged].max():.0f}, "
    f"as healthy runs do ({ordinary:.0f} to {perplexities[~merged].max():.0f}).\n"
    f"- **A low one does not tell which disease it is.** Width 64 without a warm-up reads {spread(cold_wide)}, and its encoder has merged nothing.\n"
    "- **The scatter ratio is no test, either.** It averages over all pairs of classes, and merged pairs are few of them.\n"
    "- **Whatever asks for the *class* sees every merged run.**\n"
    f"- **Some tickets win nothing:** at width 2, {len(single)} of {len(sweep.seeds)} seeds end with a single region.\n"
    f"- **The mean error hides who pays.** In half of the seeds of width 2 the worst of the 16 classes has more than "
    f"{np.median(class_errors.max(1) / class_errors.min(1)):.0f} times the error of the best."
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
# And in trainings? A second sweep has 32 seeds: the share of the 4,000 samples at which the encoder is a point, a curve or a sheet, before and after.

# %%
many = sweeps.load("embeddings_activation")
relu = many.at(activation="relu", classes=16, layout="ring")
tried = many.axes["width"].values
sheet = np.maximum(0, 1 - relu["constant"] - relu["curve"])  # (widths, seeds, before and after)
rows = []
for i, width in enumerate(tried[:7]):
    cells = []
    for chance, share in zip(dead_units.rank_chances(width), (relu["constant"], relu["curve"], sheet), strict=True):
        cells += [f"{number:.1%}" for number in (chance, *share[i].mean(axis=0))]
    rows.append([width, *cells])
table(
    [
        "width",
        *(f"{what}: {when}" for what in ("point", "curve", "sheet") for when in ("formula", "untrained", "trained")),
    ],
    rows,
)

# %%
off = max(
    abs(relu["constant"][i, :, 0].mean() - dead_units.rank_chances(width)[0]) for i, width in enumerate(tried[:7])
)
grown = ", ".join(
    f"from {sheet[i, :, 0].mean():.0%} to {sheet[i, :, -1].mean():.0%} at width {tried[i]}"
    for i in map(tried.index, (3, 4, 5))
)
Markdown(
    f"**Read it.** Untrained, points are as frequent as the coins say, within {off:.1%} of the samples. "
    f"Training wakes units up, for it moves the lines at which they switch: sheets grow {grown}."
)

# %% [markdown]
# Not everything wakes up. A unit that is dead at *all* samples has no gradient, so training cannot wake it as long as the layers before it stay as they are.
# Call the others **living units**. A layer with one living unit leaves a curve, a layer with none a point. So the fate of a seed should be visible before its
# first step. Here are the living units at step 0, counted in the layer that has fewer, and what became of them:

# %%
which = slice(tried.index(2), tried.index(6) + 1)
living, ended = relu["living"][which, :, 0], relu["regions"][which, :, -1]  # (widths, seeds): before, after
fate = readings.fates(living, ended, classes=16)
table(
    ["living units at step 0", "trainings (width 2–6)", "all merged", "some merged", "all 16 apart"],
    [[label, *numbers] for label, numbers in fate.items()],
)

# %%
lost = ended < 16
folded = lost & (living >= 2)
by_width = ", ".join(
    f"{folded[i].sum()} of {lost[i].sum()} at width {width}" for i, width in enumerate(tried[which]) if lost[i].any()
)
Markdown(
    f"- **Few are spared.** Of {fate['0'][0] + fate['1'][0]} trainings with fewer than two living units, {fate['0'][3] + fate['1'][3]} end with all classes apart: "
    f"when the layer before changes, a dead unit may come to life after all.\n"
    f"- **Two living units are no guarantee.** A sheet, too, can be folded. Of the {lost.sum()} trainings that merged classes, "
    f"{folded.sum()} had two or more: {by_width}."
)

# %% [markdown]
# This also says why the warm-up cannot help. It trains the same units by the same gradient.
#
# **A theorem beside it.** Take one layer without biases. Its h random directions leave some direction dead if they fit into a half-plane, and the chance
# of that is $h / 2^{h-1}$ (Wendel 1962). In the encoder there are biases and a second layer, and what counts is 16 places and not every direction. So the last column
# is another number: how often untrained encoders send two of the 16 classes to one place. But it, too, falls with the width.

# %%
from vqlab.data import class_centres

rows = []
for h in (2, 3, 4, 6, 8):
    directions = np.random.default_rng(h).uniform(-1, 1, (20_000, h, 2))  # as torch.nn.Linear draws them
    angles = np.sort(np.arctan2(directions[..., 1], directions[..., 0]), axis=1)
    gaps = np.diff(angles, axis=1, append=angles[:, :1] + 2 * np.pi)  # (draws, h): one above π leaves a dead direction
    two_merged = (dead_units.classes_kept_apart(class_centres("ring", 16), h) < 16).mean()
    rows.append(
        [h, f"{dead_units.dead_direction_chance(h):.1%}", f"{(gaps.max(1) > np.pi).mean():.1%}", f"{two_merged:.1%}"]
    )
table(["width", "some direction is dead: theorem", "drawn", "the whole encoder, drawn: two classes merged"], rows)

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
# In brackets: where it lies when the 32 seeds are drawn again with replacement, nine times in ten.


# %%
def with_range(activation, classes, layout):
    """The measured boundary, and in brackets its range if it has one."""
    low, high = readings.redrawn_merge_width(many, activation, classes, layout)
    width = readings.merge_width(many, activation, classes, layout)
    return f"{width}" if low == high else f"{width} ({low}–{high})"


activations = many.axes["activation"].values
tasks = [(classes, layout) for layout in many.axes["layout"].values for classes in many.axes["classes"].values]
rows = []
for task in tasks:
    measured = [with_range(activation, *task) for activation in activations]
    rows.append([f"{task[0]}, {task[1]}", *readings.predictions(tried, *task).values(), *measured])
counts = [f"predicted: {what}" for what in readings.predictions(tried, 4, "ring")]
table(["classes", *counts, *(f"measured: {activation}" for activation in activations)], rows)

# %% [markdown]
# **Read it.** *Linear regions* get the trend wrong: they ask for ever more units, and the boundary stays where it is. Classes need no piece of their own; one linear piece
# keeps any number of them apart. *Living units* get it right from 8 classes on. Four classes need less than that. Why? Look at the encoders that
# start with a single living unit, hence as a curve. Which share of the classes do they keep apart in the end?

# %%
kept_on_curves = {}
for task in tasks:
    start, end = (many.at(activation="relu", classes=task[0], layout=task[1])[key] for key in ("living", "regions"))
    kept_on_curves[f"{task[0]}, {task[1]}"] = end[..., -1][start[..., 0] == 1] / task[0]  # (encoders,)
table(
    ["classes", *kept_on_curves],
    [
        ["encoders with one living unit", *(len(shares) for shares in kept_on_curves.values())],
        ["classes kept apart", *(f"{shares.mean():.0%}" for shares in kept_on_curves.values())],
    ],
)

# %% [markdown]
# Four classes nearly fit on a curve. Eight do not, and more even less.
# (One reservation: the same 32 untrained encoders meet every task, so the rows are no independent evidence.)
#
# The dashed line of the picture is the count of dead points. It has the height of the curve and no training in it, and from 8 classes on it misses twice:
# at width 1 and 2 it is too kind, since it does not count curves; at width 5 it is too strict, since training wakes points up.
#
# And the question: **most of it is dead units.** Units that never die need little more than half the width. What remains is "too few" in the strict sense: one unit gives
# one number, whatever its shape, and a ring does not fit into one number. At width 2 the kink of leaky ReLU still folds the plane more often than tanh does.
#
# ### Where too few is too few: ten dimensions
#
# Do not carry this further than it goes. Data and latents have two dimensions here, so the encoder need only be the identity. Where classes fill more dimensions
# than a layer has units, it must throw numbers away. So take sixteen classes around random points of the unit sphere in **ten** dimensions, as far apart for
# their spread as those on the ring, and ten dimensions for the latents. Nothing else changes. Three activations: ReLU; leaky ReLU, which never dies; and none at all.
# A **linear** encoder has neither dead units nor folds: what it loses is lost for want of numbers. The dotted line has no training in it: it is
# the data itself, squeezed onto as many principal components as there are units.
#
# Which curves will part in the plane, and which in ten dimensions?

# %%
from vqlab.labs.lab02.pictures import capacity

both = sweeps.load("embeddings_capacity")
Explorer.of(
    both,
    capacity.capacity_view,
    start={"warmup": 400},
    also=[Slider("read", "read the class from", tuple(capacity.READ_FROM), start="embeddings")],
)

# %%
kinds = both.axes["activation"].values
rows = []
for width in both.axes["width"].values:
    cells = [both.final("regions", dimensions=d, width=width, activation=a, warmup=400) for d in (2, 10) for a in kinds]
    rows.append([width, *cells])
places = ("plane", "ten dimensions")
table(["width", *(f"{place}: {kind}" for place in places for kind in kinds)], rows)

# %%
from vqlab.labs.lab02.capacity import regions_left

stored_widths = both.axes["width"].values


def kept_apart(d, activation, warmup=400):
    """Share of the sixteen classes that stay apart: (widths, seeds)."""
    return both.final("regions", dimensions=d, activation=activation, warmup=warmup) / 16


said, squeezed = {}, {}
for d in (2, 10):
    mortal = kept_apart(d, "relu")
    as_well = [readings.shared_loss(mortal, kept_apart(d, kind)) for kind in ("leaky relu", "linear")]
    start_units = both.at(dimensions=d, activation="relu", warmup=400)["living"][..., 0]  # (widths, seeds)
    full = start_units == np.array(stored_widths)[:, None]
    said[d] = (
        f"leaky ReLU loses {as_well[0]:.0%} as well, the linear encoder {as_well[1]:.0%}. "
        f"Of the {np.sum(mortal < 1)} ReLU trainings that merged classes, {np.sum((mortal < 1) & full)} started without a single dead unit"
    )
    squeezed[d] = next(width for width in range(1, 17) if regions_left(d, width) == 16)
at_2, at_4 = (
    ", ".join(f"{16 * kept_apart(10, kind)[stored_widths.index(width)].mean():.1f} ({kind})" for kind in kinds)
    for width in (2, 4)
)
gain = np.mean([kept_apart(10, kind).mean() - kept_apart(10, kind, 0).mean() for kind in kinds])
Markdown(
    f"With a warm-up, over all widths of the table:\n\n"
    f"- **In the plane it is dead units.** Of what ReLU loses of the classes, {said[2]}.\n"
    f"- **In ten dimensions much is lost without them.** Of what ReLU loses, {said[10]}. What even the linear encoder loses is lost for want of "
    f"numbers.\n"
    f"- Squeezed and not trained, the data keep all sixteen classes from width {squeezed[2]} on in the plane, from width {squeezed[10]} on in ten dimensions.\n"
    f"- At width 4 the three stand close together in ten dimensions: {at_4} classes of 16. At width 2 dead units still cost: {at_2}.\n"
    f"- Here a warm-up helps the embeddings, too: it keeps {100 * gain:.0f} points more of the classes apart, on average over widths and activations, and most at width 2, "
    + ", ".join(
        f"{16 * kept_apart(10, kind, 0)[0].mean():.1f} → {16 * kept_apart(10, kind)[0].mean():.1f} ({kind})"
        for kind in kinds
    )
    + " classes of 16."
)

# %% [markdown]
# So both kinds exist. **Count the dimensions that the classes need before you blame dead units**, and the living units before you blame the width.

# %% [markdown]
# ## 7. Build it
#
# Four exercises, in NumPy. And an open question at the end. Each exercise has hints to open and a check right under it. A blank exercise says "not yet"; nothing breaks.

# %%
from vqlab.labs.lab02 import exercises as lab02

# %% [markdown]
# ### Exercise 1 · `token_purity` (★☆☆, 4 minutes, 3 points)
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
lab02.token_purity(token_purity)

# %% [markdown]
# ### Exercise 2 · `nearest_mean_accuracy` (★★☆, 4 minutes, 3 points)
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
# ### Exercise 3 · `constant_chance` (★★☆, 3 minutes, 4 points)
#
# Return the chance that an untrained ReLU encoder sends a given point, with all around it, to one place: for `layers` hidden layers of `width` units each.
# Each unit is dead at the point with the chance that the cell prints. It is ½ unless biases shift it.
#
# <details><summary>Hint 1</summary>One layer: all <code>width</code> units must be dead, each with that chance.</details>
# <details><summary>Hint 2</summary>One dead layer is enough, whichever it is.</details>
# <details><summary>Hint 3</summary>So ask the opposite first: the chance that <i>no</i> layer is dead is a product. Then take it from 1.</details>

# %% exercise="constant_chance"
my_chance = lab02.chance_to_be_dead()
print(f"a unit is dead with chance {my_chance}")


def constant_chance(width, layers):
    ### BEGIN SOLUTION
    return 1 - (1 - my_chance**width) ** layers
    ### END SOLUTION


# %% check="constant_chance"
lab02.constant_chance(constant_chance)

# %% [markdown]
# ### Exercise 4 · where classes merge (★☆☆, 2 minutes, 1 point)
#
# Run the cell: it names an activation, a number of classes, a layout and a share. What is the smallest width from which on at least that share of these classes stays apart,
# on average over the seeds? Set `merge_width` to it.
#
# <details><summary>Hint 1</summary>The table of section 6 has the answer for 95 %, and the explorer shows every share.</details>
# <details><summary>Hint 2</summary><code>readings.shares_apart(many, activation, classes, layout)</code> is the share at every width and seed, (widths, seeds); the widths are <code>many.axes["width"].values</code>.</details>

# %% exercise="merge_width" stub="merge_width = None"
from vqlab import measures

my_activation, my_classes, my_layout, my_share = lab02.classes_and_share()
print(f"{my_activation}, {my_classes} classes, {my_layout}: {my_share:.0%} apart")
### BEGIN SOLUTION
my_shares = readings.shares_apart(many, my_activation, my_classes, my_layout).mean(axis=1)  # (widths,)
merge_width = measures.boundary(many.axes["width"].values, my_shares, my_share)
### END SOLUTION

# %% check="merge_width"
lab02.merge_width(merge_width)

# %% [markdown]
# ### Open question (7 minutes, 4 points)
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
for task in tasks:
    where = {"classes": task[0], "layout": task[1]}
    cells = []
    for k in (16, 64):
        for warmup in (0, 400):
            named, used = (
                final(key, 64, warmup, codebook_size=k, **where).mean() for key in ("token_accuracy", "active")
            )
            cells.append(f"{named:.0%} right, {used:.0f} codes")
    rows.append([f"{task[0]}, {task[1]}", *cells])
table(["classes (width 64, N = 4,000)", "K = 16, cold", "K = 16, warm", "K = 64, cold", "K = 64, warm"], rows)

# %%
crowded = final("token_accuracy", 64, 400, codebook_size=16, classes=32)
few = final("token_accuracy", 64, 0, codebook_size=16, classes=4)
cold_error, warm_error = (final("mse", 64, warmup, classes=4).mean() for warmup in (0, 400))
survivors = {layout: final("active", 64, 0, layout=layout) for layout in ("ring", "grid")}
Markdown(
    f"- *Fewer codes than classes* is no disease: with K = 16 and 32 classes, half of them must share a token, and no more than half can be right. "
    f"On the ring it is {per_cent(crowded)}.\n"
    f"- *Few classes* forgive a cold codebook: with 4 classes and K = 16 the token is right for {per_cent(few)}. "
    f"With K = 64, {spread(final('active', 64, 0, classes=4))} codes survive. But the error still pays: it is {cold_error / warm_error:.1f} times that of a warm start.\n"
    f"- *On the grid* more codes survive a cold start than on the ring, {spread(survivors['grid'])} against {spread(survivors['ring'])} of 64 with 16 classes, "
    f"and the tokens lose less."
)

# %% [markdown]
# And the cure by width has a price that this lab does not charge: a wider encoder is a larger one. Never-dead units are free.

# %% [markdown]
# ## 9. What the paper claims · what we measured
#
# | | arXiv 2411.16550 | here |
# |---|---|---|
# | cause | an encoder that is too small | reproduced (section 4); in two dimensions most of it is dead ReLU units; in ten a good part is too few (section 6) |
# | cure | a larger encoder | reproduced (section 4) |
# | and the warm-up? | given as the cure of the other disease | does not part merged classes, from 8 classes on (section 4) |
# | where is the boundary? | not given in what we read | much the same for 8 to 32 classes, and little more than half as wide if no unit can die (section 6) |
# | what are the tokens good for? | a third party's summary asks for more than error and perplexity | the class is read from them (sections 4 and 8) |
#
# The paper's widths and its number of classes were not at hand; what it claims is quoted from its abstract and from summaries. Ours is the smallest encoder in which the
# question makes sense: two hidden layers, two dimensions. In a large encoder look at the narrowest layer, and count whether it has fewer living units than latent dimensions.
#
# ### Two diseases, two cures
#
# | | tokens collapse ([Lab 01](01_tokens_collapse.ipynb)) | embeddings collapse |
# |---|---|---|
# | what falls together | codes | embeddings of different classes |
# | seen by | perplexity, active codes | distinct regions, classes read from the embeddings |
# | not shown by | classes read from the embeddings | perplexity, active codes: low in some merged runs, ordinary in the others |
# | cause | codes placed on an untrained encoder | a layer with fewer than two living units, most often; else a fold (section 5) |
# | cure | warm-up, replacement | width, units that are never dead |
# | no help | width, more codes | warm-up (in the plane), more codes |
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

# %% [markdown] model="forty_birds"
# ### A model answer to the open question
#
# Write yours first (section 7).

# %% [markdown]
# In both diseases the embeddings could use two dimensions, and once cured, they did. In [Lab 04](04_why_dimensions_die.ipynb) every code is in use, and *dimensions* die.
