# %% [markdown]
# # Lab 03 · Both collapses on CIFAR-10, told apart
#
# **Real images now. A tokenizer with 1,024 codes leaves most of them dead. Which of three diseases does it have? You will measure all three on the same trainings, cure one, and see where the cure costs more than it brings.**
#
# | | |
# |---|---|
# | Time | 40 minutes, and 29 for the exercises |
# | You need | [Lab 01](01_tokens_collapse.ipynb) and [Lab 02](02_embeddings_collapse.ipynb), NumPy basics |
# | You will be able to | tell a collapse of tokens, of embeddings and of dimensions apart, each by its own number · see through a codebook dimension that dead codes inflate · judge a tokenizer by rate and distortion, beside JPEG |
# | Exercises | 3, worth 8 points, and an open question worth 4 |
#
# The situation is once more that of *Representation Collapsing Problems in Vector Quantization* (arXiv 2411.16550), which ends with CIFAR-10: small photographs of ten classes.

# %% [markdown]
# ## 1. The puzzle
#
# The data: 20,000 images of 32 × 32 pixels. A convolutional encoder turns each into 8 × 8 latents of 64 numbers, one for each square of 4 × 4 pixels. The quantizer replaces every latent by the
# nearest of K codes, and a decoder paints the image from the codes. So an image becomes 64 tokens.
#
# As in Lab 01, the codes start from k-means on the outputs of an untrained encoder (**cold start**), and they follow their latents as running means (EMA). Here is the end of such a training, at K = 1,024.

# %%
from vqlab import sweeps
from vqlab.labs.lab03 import readings
from vqlab.labs.lab03.pictures import training as view

grid = sweeps.load("images_collapse")
view.training_view(grid, readings.START)

# %% [markdown]
# - **Left:** crops of two photographs beside what comes back from their tokens. The networks never saw them. (We may not show CIFAR-10's own pictures, so all pictures in this lab are such crops.)
# - **Middle:** how often each code was chosen, the most used first. With even use all would lie on the dashed line.
# - **Right:** latents and codes in the plane in which the latents vary most. The dead codes (✕) sit in one heap, where the untrained encoder had put everything.
#
# All numbers come from 1,000 held-out images, that is N = 64,000 tokens, and from three seeds. **One reservation holds for all of them:** we had CIFAR-10 only as a copy that somebody has compressed as JPEG
# (30.5 dB from the originals, in the median). Smoother images are a little easier to reconstruct.
#
# Most of the codebook is dead: that is *tokens* collapse. But is it all? Lab 02 had a second disease, merged *embeddings*. And there is a third, the subject of Lab 04: latents that spread along few *dimensions*.

# %% [markdown]
# ## 2. Predict
#
# The cure is that of Lab 01: train as a plain autoencoder first, place the codes then, go on with them. In all 3,000 steps, of which the **warm-up** takes 1,000.

# %%
from vqlab.widgets import Prediction

Prediction(
    "K = 1,024, and a warm-up of 1,000 steps: how many codes will be in use at the end?",
    measured=lambda: grid.final("active", **(readings.START | {"warmup": 1000})),
    possible=(1, 1024),
    unit="codes",
)

# %% [markdown]
# ## 3. Cause it, cure it
#
# Three things to try, in this order:
#
# 1. Drag the **warm-up** from 0 to 1,000. Watch the heap of dead codes, and the reconstructed trees.
# 2. Back to 0. Drag **K** from 64 to 4,096. How many more codes are used, how much better are the pictures?
# 3. K = 64. Compare warm-up 0 and 1,000: read the error in the line below the picture.
#
# The encoder **width** is its number of channels. Look in that line, too, at the dimensions: of the encoder's output, of the codes in use, of all rows of the codebook.

# %%
from vqlab.widgets import Explorer

explorer = Explorer.of(grid, view.training_view, start=readings.START)
explorer

# %% [markdown]
# ## 4. Read it: three diseases, three numbers
#
# The same trainings, asked three questions:
#
# - **Tokens:** which share of the codes is in use?
# - **Embeddings:** are classes still apart? A *linear probe* (a ridge classifier, fitted on 3,000 training images) reads the class of an image from all its latents, or from the codes they are replaced by. Held-out images judge it.
# - **Dimensions:** how many principal components hold 99 % of the variance? Of the encoder's output, of the codes in use, and of all K rows of the codebook, the dead ones included.

# %%
from vqlab.labs.lab03.pictures import sizes

wide = {"width": readings.START["width"]}
Explorer.of(grid, sizes.diseases_view, start=wide)

# %% [markdown]
# In numbers, at width 32 (mean ± standard deviation, or range, over the seeds):

# %%
from IPython.display import Markdown

from vqlab.figures import per_cent, range_of, seeds_apart, spread, table

longest, largest = grid.axes["warmup"].values[-1], grid.axes["codebook_size"].values[-1]
rows = []
for k in grid.axes["codebook_size"].values:
    for warmup in (0, longest):
        here = wide | {"codebook_size": k, "warmup": warmup}
        dims = [range_of(grid.final(f"{what}_dim", **here)) for what in ("latent", "used", "code")]
        probes = [per_cent(grid.at(**here)[f"probe_{what}"]) for what in ("latents", "tokens")]
        active, perplexity = (grid.final(key, **here) for key in ("active", "perplexity"))
        rows.append([f"{k:,}", warmup or "cold", active, perplexity, *probes, *dims])
table(
    [
        "K",
        "warm-up",
        "codes in use",
        "perplexity (N = 64,000)",
        "class from embeddings",
        "class from tokens",
        "dimensions: encoder output",
        "dimensions: codes in use",
        "dimensions: all rows",
    ],
    rows,
)

# %%
cold, warm = (wide | {"codebook_size": largest, "warmup": warmup} for warmup in (0, longest))
smaller = grid.axes["codebook_size"].values[-2]
probed = {start: 100 * grid.at(**wide, warmup=start)["probe_tokens"] for start in (0, longest)}  # (K, seeds)
Markdown(
    f"- **Tokens: ill.** Of {largest:,} codes a cold start uses {spread(grid.final('active', **cold))}, with the warm-up "
    f"{spread(grid.final('active', **warm))}.\n"
    f"- **Embeddings: not the patient.** Tokens tell the class for {spread(probed[0])} % of the images cold and for {spread(probed[longest])} % warm, over all K. "
    "The dead codes cost the classes next to nothing: to a linear reader, the codes that survive say as much as all of them. (It is a weak reader; ten classes, chance 10 %.)\n"
    f"- **Dimensions: ill as well.** The encoder's output has {range_of(grid.final('latent_dim', **cold))} of 64 dimensions cold and "
    f"{range_of(grid.final('latent_dim', **warm))} warm; the codes in use have {range_of(grid.final('used_dim', **cold))} and "
    f"{range_of(grid.final('used_dim', **warm))}.\n"
    f"- **And one number lies.** All rows of the cold codebook have dimension {range_of(grid.final('code_dim', **cold))}, "
    f"{'more' if grid.final('code_dim', **cold).mean() > grid.final('code_dim', **warm).mean() else 'no more'} than those of the warm one, "
    f"{range_of(grid.final('code_dim', **warm))}. That number alone does not show the patient's illness. "
    f"(At K = {smaller:,}: {range_of(grid.final('code_dim', **cold | {'codebook_size': smaller}))} cold, {range_of(grid.final('code_dim', **warm | {'codebook_size': smaller}))} warm, where the codes in use have "
    f"{range_of(grid.final('used_dim', **cold | {'codebook_size': smaller}))} and {range_of(grid.final('used_dim', **warm | {'codebook_size': smaller}))}.)"
)

# %% [markdown]
# ## 5. Explain it
#
# **Why the codes die** is Lab 01 again: k-means places them on the outputs of an untrained encoder, and then the latents move away. How far?

# %%
import numpy as np

grown = grid.at(**wide, warmup=0)["spread"]  # (K, seeds, frames): root mean square distance of latents from their mean
print(f"spread of the latents before training: {spread(grown[..., 0])}")
print(f"spread of the latents after training:  {spread(grown[..., -1])}")
print(f"they grow by a factor of               {spread(grown[..., -1] / grown[..., 0])}")

# %% [markdown]
# **Why dead codes inflate the dimension.** They keep the shape of what they were placed on. The outputs of an untrained encoder are small, but random weights spread them along many dimensions;
# training then stretches a few of these. So measure a codebook in which a few codes are large and the many are small. Nothing here is trained:

# %%
from vqlab import measures

rng = np.random.default_rng(0)
in_use = rng.normal(size=(250, 64)) * (np.arange(64) < 5)  # stretched along 5 dimensions
heap = 0.04 * rng.normal(size=(3846, 64)) * (np.arange(64) < 16)  # 14 times smaller, but along 16
print(f"codes in use: {measures.effective_dimension(in_use)} dimensions")
print(f"all rows:     {measures.effective_dimension(np.concatenate([in_use, heap]))} dimensions")

before = range_of(grid.at(**cold)["latent_dim"][:, 0])
print(f"measured, K = {largest:,}: an untrained encoder's output has {before} dimensions,")
print(
    f"the cold codebook {range_of(grid.final('code_dim', **cold))} by all rows, "
    f"{range_of(grid.final('used_dim', **cold))} by the codes in use"
)

# %% [markdown]
# So always say *of which rows*. The status lines of this lab give both.

# %% [markdown]
# ## 6. Does it always pay? Error and use against K
#
# The total is always 3,000 steps: what the warm-up takes, the quantized training lacks.

# %%
Explorer.of(grid, sizes.crossing_view, start=wide)

# %%
rows = []
for k in grid.axes["codebook_size"].values:
    errors = [grid.final("mse", **wide, codebook_size=k, warmup=warmup) for warmup in grid.axes["warmup"].values]
    savings = [
        f"{readings.saved(grid, warmup, codebook_size=k, **wide):+.0f} %" for warmup in grid.axes["warmup"].values[1:]
    ]
    clear = "yes" if seeds_apart(errors[0], errors[-1]) else "no"
    rows.append([f"{k:,}", *(1000 * error for error in errors), *savings, clear])
lengths = [f"{warmup:,}" for warmup in grid.axes["warmup"].values]
header = [
    "K",
    *(f"error (thousandths), warm-up {length}" for length in lengths),
    *(f"saved by {length}" for length in lengths[1:]),
]
table([*header, "all seeds of 0 and the longest apart"], rows)

# %%
turn = readings.crossing(grid, longest, **wide)
small = grid.axes["codebook_size"].values[0]
Markdown(
    f"**With few codes the warm-up costs, with many it saves, and the lines cross** between K = {turn[0]:,} and {turn[1]:,}. At K = {small} the error is "
    f"{-readings.saved(grid, longest, codebook_size=small, **wide):.1f} % higher with the warm-up; at K = {largest:,} it is {readings.saved(grid, longest, codebook_size=largest, **wide):.0f} % lower."
    if turn
    else f"**The lines do not cross**: at no K from {small} to {largest:,} does the warm-up turn from costing to saving."
)

# %% [markdown]
# The paper reports just this, its odd half included: with few tokens, pre-training is slightly worse. Two explanations offer themselves:
#
# - **Time.** A warm-up of 1,000 leaves 2,000 quantized steps instead of 3,000.
# - **Dimensions.** The warm-up gives the latents more dimensions than 64 codes can cover.
#
# Separate them: compare at **equal quantized steps**, a cold training after 2,000 steps with a warm one after 3,000, of which 1,000 were warm-up. Then time is no longer an excuse.

# %%
frames = grid.settings["frames"]
total = frames[-1]
rows = []
for k in grid.axes["codebook_size"].values:
    cold_cell, warm_cell = (grid.at(**wide, codebook_size=k, warmup=warmup) for warmup in (0, longest))
    moments = [(cold_cell, frames.index(total - longest)), (warm_cell, -1), (cold_cell, -1)]
    errors = [1000 * cell["mse"][:, moment] for cell, moment in moments]
    dims = [range_of(cell["latent_dim"][:, moment]) for cell, moment in moments[:2]]
    change = 100 * (1 - errors[1].mean() / errors[0].mean())
    rows.append([f"{k:,}", *errors[:2], f"{change:+.1f} %", *dims])
same = f"{total - longest:,} quantized steps"
table(
    [
        "K",
        f"error (thousandths), cold, {same}",
        f"warm-up {longest:,}, {same}",
        "saved",
        "dimensions, cold",
        "dimensions, warm",
    ],
    rows,
)

# %%
fewest = {start: 1000 * grid.final("mse", **wide, codebook_size=small, warmup=start) for start in (0, longest)}
halfway = 1000 * grid.at(**wide, codebook_size=small, warmup=0)["mse"][:, frames.index(total - longest)]
gap, rest = (100 * (fewest[longest].mean() / other.mean() - 1) for other in (fewest[0], halfway))
Markdown(
    f"**At equal quantized steps {'little' if rest < gap / 2 else 'most'} of the gap is left.** At K = {small} the warm start ends {gap:.1f} % behind the cold one; at equal quantized steps it is {rest:.1f} % behind "
    f"({spread(fewest[longest])} against {spread(halfway)} thousandths; the seeds {'do not overlap' if seeds_apart(halfway, fewest[longest]) else 'overlap'}). "
    "That speaks for time. From K = 256 on the warm-up brings far more than its steps cost."
)

# %% [markdown]
# If time were all, more of it would heal the gap. So let nobody be short of it: the same at K = 64, with **twice the steps**.

# %%
longer = sweeps.load("images_longer")
few = {"codebook_size": small}
rows = []
for warmup in longer.axes["warmup"].values:
    short, long = grid.final("mse", **wide, **few, warmup=warmup), longer.final("mse", **few, warmup=warmup)
    savings = [readings.saved(grid, warmup, **wide, **few), readings.saved(longer, warmup, **few)]
    savings = [f"{saving:+.1f} %" if warmup else "" for saving in savings]
    dims = [range_of(longer.final(f"{what}_dim", **few, warmup=warmup)) for what in ("latent", "used")]
    rows.append([f"{warmup:,}" if warmup else "cold", 1000 * short, savings[0], 1000 * long, savings[1], *dims])
totals = [f"{sweep.settings['steps']:,} steps" for sweep in (grid, longer)]
table(
    [
        f"K = {small}: warm-up",
        *(word for total in totals for word in (f"error (thousandths), {total}", "saved")),
        "dimensions at the end: encoder output",
        "codes in use",
    ],
    rows,
)

# %%
late = {warmup: longer.at(**few, warmup=warmup)["mse"] for warmup in (0, longest)}  # (seeds, frames)
moments = [frame for frame in longer.settings["frames"] if frame > grid.settings["steps"]]
behind = []
for frame in moments:
    pair = [late[w][:, longer.settings["frames"].index(frame - (0 if w else longest))] for w in (0, longest)]
    apart = "seeds apart" if seeds_apart(*pair) else "seeds overlap"
    behind.append(f"{100 * (pair[1].mean() / pair[0].mean() - 1):.1f} % after {frame - longest:,} ({apart})")
costs = [-readings.saved(grid, longest, **wide, **few), -readings.saved(longer, longest, **few)]
Markdown(
    f"**{'More time does not heal it' if costs[1] > costs[0] / 2 else 'More time heals it'}.** With {grid.settings['steps']:,} steps the warm-up of {longest:,} costs {costs[0]:.1f} %, with {longer.settings['steps']:,} it costs {costs[1]:.1f} % "
    f"({spread(1000 * late[longest][:, -1])} against {spread(1000 * late[0][:, -1])} thousandths; the seeds {'do not overlap' if seeds_apart(late[0][:, -1], late[longest][:, -1]) else 'overlap'}). "
    f"At equal quantized steps it is behind by {', '.join(behind)}."
)

# %% [markdown]
# So is it the dimensions? Move the width in the explorer above to 8, where a warm-up takes the same time:

# %%
rows = []
for width in grid.axes["width"].values:
    here = {"width": width, "codebook_size": small}
    errors = [1000 * grid.final("mse", **here, warmup=warmup) for warmup in (0, longest)]
    dims = [range_of(grid.final("latent_dim", **here, warmup=warmup)) for warmup in (0, longest)]
    rows.append([width, *errors, f"{readings.saved(grid, longest, **here):+.1f} %", *dims])
header = ["width", "error (thousandths), cold", f"warm-up {longest:,}", "saved", "dimensions, cold", "dimensions, warm"]
table([f"K = {small}: {header[0]}", *header[1:]], rows)

# %% [markdown]
# At width 8 the warm-up saves even at K = 64, at width 32 it costs. That fits the dimensions: two more in one case, seven in the other, for the same 64 codes. It does not prove them the cause, because the width changes the decoder, too.
# The paper names a third reason: the gap between a continuous representation and a discrete one, which few codes cannot bridge. Our numbers rule out time alone; they do not decide between the other two.

# %% [markdown]
# ## 7. What is a token worth? Rate and distortion
#
# One of K codes takes log₂ K bits to tell, so an image of 64 tokens takes 64 · log₂ K bits, and a pixel 64 · log₂ K / 1,024. Distortion is given as **PSNR**, −10 log₁₀ of the mean squared error (of pixels in 0…1), in dB: more is better.
#
# For scale, two ways without any learning, on the same held-out images: **JPEG** (all images as one mosaic, so that they share one header), and **downsampling** to a few pixels of 24 bits, enlarged again.
# (JPEG has an advantage here: our copy of the images has been through JPEG before.)

# %%
from functools import partial

codecs = sweeps.load("images_codecs")
Explorer.of(grid, partial(sizes.rates_view, codecs), start=wide)

# %% [markdown]
# **Left:** with a cold start the curve flattens: you pay for more bits and get little. With a warm-up it goes on rising.
#
# **Right:** the same trainings, but their tokens packed by an ideal entropy coder, which takes log₂ (perplexity) bits for a token. Each training is a marker. Join the warm ones by straight lines in your mind: how far below lies a cold one?
# (At the smallest K nothing collapses, so it is left out.)

# %%
below = {
    width: readings.behind_warm(grid, width)[1:] for width in grid.axes["width"].values
}  # (K, seeds), without the smallest K
table(
    ["width", "dB that cold trainings lie below the line through the warm ones, at their packed rate (K ≥ 256)"],
    [[width, values] for width, values in below.items()],
)

# %% [markdown]
# **At width 32 they lie close to it.** There a collapsed tokenizer is hardly worse than its *perplexity* says: it is a smaller tokenizer than its K says, and tokens collapse costs what the dead codes would have brought.
# **At width 8 they lie below.** That is not the tokens' fault, for they are packed. A cold start leaves these latents fewer dimensions (section 9). But so it does at width 32, where it costs next to nothing here: fewer dimensions alone do not explain it.

# %% [markdown]
# ## 8. Build it
#
# Three exercises. Each has hints to open and a check right under it. A blank exercise says "not yet"; nothing breaks.

# %%
from vqlab.labs.lab03 import exercises as lab03

# %% [markdown]
# ### Exercise 1 · `rate_and_psnr` (★☆☆, 5 minutes, 3 points)
#
# An image of `pixels` pixels becomes `tokens` tokens of `codebook_size` codes, and comes back with a mean squared error `mse`. Return two numbers: bits per pixel, and PSNR in dB.
# The cell prints which values a pixel may have, and how many bits a file spends on its header, before the tokens.
#
# <details><summary>Hint 1</summary>To tell one of K codes takes log2 K bits. Multiply by the tokens of an image, add the header, divide by its pixels.</details>
# <details><summary>Hint 2</summary>PSNR = 10 log10 (peak² / mse), and the peak is the largest value that a pixel may have. The error is a square already.</details>

# %% exercise="rate_and_psnr"
my_peak, my_header = lab03.peak_and_header()
print(f"pixels lie in 0…{my_peak}; a header of {my_header} bits")


def rate_and_psnr(mse, codebook_size, tokens, pixels):
    ### BEGIN SOLUTION
    return (tokens * np.log2(codebook_size) + my_header) / pixels, 10 * np.log10(my_peak**2 / mse)
    ### END SOLUTION


# %% check="rate_and_psnr"
lab03.rate_and_psnr(rate_and_psnr)

# %% [markdown]
# ### Exercise 2 · `used_dimension` (★★☆, 10 minutes, 4 points)
#
# Given a `codebook` (K, d) and the `tokens` (N,) of some images, return the effective dimension of the codes **in use**: the smallest number of principal components that hold 99 % of their variance.
# Each code in use counts once. A single code in use has dimension 0.
#
# <details><summary>Hint 1</summary><code>np.unique(tokens)</code> names every code in use once. Index the codebook with it.</details>
# <details><summary>Hint 2</summary>Subtract the mean of these rows. The squares of their singular values, <code>np.linalg.svd(rows, compute_uv=False) ** 2</code>, are the variances along the principal axes, largest first (up to a factor).</details>
# <details><summary>Hint 3</summary><code>np.cumsum</code> of the variances: how many of its entries are below 99 % of the total? One component more reaches it. With a single code there is nothing to hold.</details>


# %% exercise="used_dimension"
def used_dimension(codebook, tokens):
    ### BEGIN SOLUTION
    used = codebook[np.unique(tokens)]  # (codes in use, d)
    variances = np.linalg.svd(used - used.mean(0), compute_uv=False) ** 2
    if len(used) == 1:
        return 0
    return int((np.cumsum(variances) < 0.99 * variances.sum()).sum()) + 1
    ### END SOLUTION


# %% check="used_dimension"
lab03.used_dimension(used_dimension)

# %% [markdown]
# ### Exercise 3 · what packing spares (★☆☆, 4 minutes, 1 point)
#
# Run the cell: it names an encoder width and a K. The tokens of a cold start are stored with log₂ K bits each. By how many **per cent** of that does an ideal entropy coder, which takes log₂ (perplexity) bits for a token, shrink them?
# Mean over the seeds at the end of training. Set `spared` to it, to one per cent.
#
# <details><summary>Hint 1</summary>100 · (1 − log2(perplexity) / log2(K)), with the perplexities <code>grid.final("perplexity", warmup=0, codebook_size=…, width=…)</code>, which are one number for each seed.</details>

# %% exercise="spared" stub="spared = None"
its_width, its_size = lab03.width_and_size()
print(f"encoder width {its_width}, K = {its_size:,}")
### BEGIN SOLUTION
its_perplexities = grid.final("perplexity", warmup=0, codebook_size=its_size, width=its_width)
spared = 100 * (1 - np.log2(its_perplexities) / np.log2(its_size)).mean()
### END SOLUTION

# %% check="spared"
lab03.spared(spared)

# %% [markdown]
# ### Open question (10 minutes, 4 points)
#
# A colleague reports on a tokenizer of photographs, K = 8,192, cold start: "600 codes are in use, but the codebook has effective dimension 14, more than the 9 of our warmed-up one, and a linear probe reads the classes from its tokens as well as
# from the latents. So nothing essential has collapsed, and 13 bits a token is a good rate." In four to eight sentences: which of the three diseases does it have, which of the four statements mislead and why, and what would you measure instead?

# %% [markdown] open="three_diseases" points=4
# ### BEGIN SOLUTION
# It has tokens collapse: 600 of 8,192 codes are in use. The dimension 14 is misleading, because it counts all rows: the dead ones still lie where k-means put them, on the small but many-dimensional outputs of an untrained encoder
# (in this lab, at K = 4,096, at least twice as many dimensions by all rows as by the codes in use). I would measure the dimension of the codes in use, and of the encoder's output; I expect a collapse of dimensions there, too. The probe is right but answers another question:
# here it reads the classes equally well cold and warm, so embeddings have not merged, and that says nothing about the codes. And 13 bits are what a token costs, not what it is worth: with 600 codes at most log2 600 = 9.2 bits. I would compare
# PSNR at the packed rate, log2 of the perplexity, beside JPEG, and then train again with a warm-up.
# ### END SOLUTION

# %% [markdown] rubric="three_diseases"
# | points | for |
# |---|---|
# | 1 | tokens collapse, by the share of codes in use |
# | 1 | the codebook's dimension is inflated by dead rows; measure that of the codes in use (and of the encoder's output) |
# | 1 | the probe speaks of embeddings only; it does not see dead codes |
# | 1 | 13 bits are paid, at most log2 600 are used: compare at the packed rate, or say what changes with a warm-up |

# %% [markdown]
# ## 9. Break the cure: a narrow encoder
#
# Lab 02's disease came from an encoder that is too small, or whose ReLU units had died. Does it come here, and does the warm-up cure it? K = 1,024, encoders of different width, two of them once more with leaky ReLU (the decoder is as wide as the encoder here, so not all of the error is the encoder's):

# %%
variants = sweeps.load("images_variants")
rows = []
for width in ("width 4", "width 4, leaky ReLU", "width 8", "width 8, leaky ReLU", "width 16", "width 32"):
    for warmup in (0, longest):
        cell = readings.trained(grid, variants, warmup, width)
        dims = f"{range_of(cell['latent_dim'][:, -1])} / {range_of(cell['used_dim'][:, -1])}"
        probes = [per_cent(cell[f"probe_{what}"], 1) for what in ("latents", "tokens")]
        rows.append([width, warmup or "cold", cell["active"][:, -1], 1000 * cell["mse"][:, -1], *probes, dims])
table(
    [
        "encoder",
        "warm-up",
        "codes in use",
        "error (thousandths)",
        "class from embeddings",
        "class from tokens",
        "dimensions: output / codes in use",
    ],
    rows,
)


# %%
def narrowed(key, width, warmup):
    """The last of `key` over training, or the one of its end, (seeds,)."""
    values = readings.trained(grid, variants, warmup, width)[key]
    return values if values.ndim == 1 else values[:, -1]


def saves(width):
    cold, warm = (narrowed("mse", width, warmup).mean() for warmup in (0, longest))
    return f"{100 * (1 - warm / cold):.0f} %"


def probe(width, warmup):
    return 100 * narrowed("probe_latents", width, warmup)


one_picture = variants.final(
    "mse", variant="random codes", warmup=0
).mean()  # of trainings with a single code (section 10)
relu, leaky = (narrowed("mse", encoder, 0) for encoder in ("width 4", "width 4, leaky ReLU"))
dead = np.isclose(relu, leaky, rtol=1e-4) & (relu > 0.95 * one_picture)
alive = 100 * (1 - narrowed("mse", "width 4", longest)[~dead].mean() / relu[~dead].mean())
cost = {start: probe("width 32", start).mean() - probe("width 8", start).mean() for start in (0, longest)}
classes = [probe("width 4", 0), probe("width 4, leaky ReLU", 0), probe("width 4", longest)]
narrowest = (
    f"- **At width 4 a whole training can die.** {dead.sum()} of {dead.size} cold ones end with one and the same error whether the encoder has ReLU or leaky ReLU, {1000 * relu[dead].max():.0f} thousandths: "
    f"that of one picture for all ({1000 * one_picture:.0f}). So it is the *decoder* that no longer looks at its tokens. With the ReLU encoder the classes are gone, too (a probe reads {range_of(classes[0][dead])} %, chance is 10), "
    f"with the leaky one they are not ({range_of(classes[1][dead])} %). With the warm-up the same seed lives, and reads {range_of(classes[2][dead])} %.\n"
    if dead.any()
    else ""
)
Markdown(
    f"- **The warm-up saves error at every width**: {saves('width 4')} at width 4{f' ({alive:.0f} % without a seed that died)' if dead.any() else ''}, {saves('width 8')} at 8, {saves('width 16')} at 16 and {saves('width 32')} at 32.\n"
    + narrowest
    + f"- **From width 8 on little is lost, and no warm-up moves it.** From the embeddings of width 8 a probe reads {spread(probe('width 8', 0))} % cold and {spread(probe('width 8', longest))} % warm, "
    f"from those of width 32 {spread(probe('width 32', 0))} % and {spread(probe('width 32', longest))} %. Eight channels cost {cost[0]:.1f} points of {probe('width 32', 0).mean():.0f} cold and {cost[longest]:.1f} of {probe('width 32', longest).mean():.0f} warm, where chance has 10. "
    "Nothing has merged as the classes of Lab 02 did, and training for reconstruction never asked for classes.\n"
    f"- **Dimensions are scarce first.** Cold, the encoders of width 4, 8, 16 and 32 end with {', '.join(range_of(narrowed('latent_dim', f'width {w}', 0)) for w in (4, 8, 16, 32))} dimensions; "
    f"with the warm-up with {', '.join(range_of(narrowed('latent_dim', f'width {w}', longest)) for w in (4, 8, 16, 32))}."
)

# %% [markdown]
# How far can codes in use and perplexity be apart? The cold seeds of width 8:

# %%
used, packed, error = (narrowed(key, "width 8", 0) for key in ("active", "perplexity", "mse"))
most = used.argmax()
table(
    ["cold seed of width 8", "codes in use", "perplexity", "error (thousandths)"],
    [
        [seed, *(f"{value:.0f}" for value in (u, p)), f"{1000 * e:.2f}"]
        for seed, u, p, e in zip(grid.seeds, used, packed, error, strict=True)
    ],
)

# %%
Markdown(
    f"Seed {grid.seeds[most]} uses {used[most]:.0f} codes, {used[most] / np.delete(used, most).max():.1f} times as many as the next, and its error is "
    f"{'no smaller than the smallest of the others' if error[most] > np.delete(error, most).min() else 'the smallest'}. Its perplexity is {packed[most]:.0f}: so many codes it would use if it used them evenly."
)

# %% [markdown]
# ## 10. Change one thing: does it still hold?
#
# So far one recipe: k-means, EMA codes, a commitment weight of β = .25, squared error, dead codes left alone. A result that needs just this recipe would be worth little. Here is K = 1,024 with one thing changed at a time:
#
# - **random latents**: each code starts on an untrained encoder's output for some image, without k-means;
# - **random codes**: independent normal numbers of standard deviation 1, without a look at any latent;
# - **β = 1**: encoder outputs are held four times as strongly to their codes;
# - **replacement**: a code that is hardly chosen moves onto a latent of the present batch;
# - **L1 loss**: the mean absolute error is trained, not the squared one;
# - **4 × 4 tokens**: one more stage, so that each token stands for 8 × 8 pixels.

# %%
changed = [
    None,
    "random latents",
    "random codes",
    "β = 1",
    "replacement",
    "β = 1, replacement",
    "4×4 tokens, β = 1, replacement",
    "L1 loss",
]
rows = []
for variant in changed:
    cells = {warmup: readings.trained(grid, variants, warmup, variant) for warmup in (0, longest)}
    errors = {warmup: cell["mse"][:, -1] for warmup, cell in cells.items()}
    dims = [
        " / ".join(range_of(cell[f"{what}_dim"][:, -1]) for what in ("latent", "used", "centroid"))
        for cell in cells.values()
    ]
    rows.append(
        [
            variant or "nothing",
            *(cell["active"][:, -1] for cell in cells.values()),
            *(1000 * error for error in errors.values()),
            f"{100 * (1 - errors[longest].mean() / errors[0].mean()):+.0f} %",
            "yes" if seeds_apart(*errors.values()) else "no",
            *dims,
        ]
    )
starts = ("cold", f"warm-up {longest:,}")
table(
    [
        "changed",
        *(f"codes in use, {start}" for start in starts),
        *(f"error (thousandths), {start}" for start in starts),
        "saved",
        "all seeds apart",
        *(f"dimensions, {start}: output / codes in use / their means" for start in starts),
    ],
    rows,
)


# %%
def change(variant):
    """Codes in use and error of both starts, (seeds,) each, and the per cent of error that the warm-up saves."""
    ends = [readings.trained(grid, variants, warmup, variant) for warmup in (0, longest)]
    codes, errors = ([cell[key][:, -1] for cell in ends] for key in ("active", "mse"))
    return codes, errors, 100 * (1 - errors[1].mean() / errors[0].mean())


held = [variant for variant in changed if seeds_apart(*change(variant)[1]) and change(variant)[2] > 0]
left = change("β = 1, replacement")[2]
far = change("random codes")
untrained = readings.trained(grid, variants, 0, "random codes")["spread"][:, 0]
coarse = change("4×4 tokens, β = 1, replacement")[2]
l1 = readings.trained(grid, variants, longest, "L1 loss")
growth, squared = (
    cell["spread"][:, -1] / cell["spread"][:, grid.settings["frames"].index(longest)]
    for cell in (l1, readings.trained(grid, variants, longest))
)
still = readings.trained(grid, variants, longest, "L1 loss")["active"][:, -1]
Markdown(
    f"- **The warm-up saves error, all seeds apart, in {len(held)} of {len(changed)} rows.**"
    f"{' One of them, random codes, is no cure: there both starts fail.' if 'random codes' in held and max(far[0][1]) < 10 else ''}\n"
    f"- **Replacement restores the use, not the dimensions.** With it a cold start uses {spread(change('replacement')[0][0])} codes, and at β = 0.25 the warm-up then saves {change('replacement')[2]:.0f} %, "
    f"{'all seeds apart' if seeds_apart(*change('replacement')[1]) else 'less than the seeds differ'}. At β = 1 it still saves {left:.0f} %, and with 4 × 4 tokens {coarse:.0f} %. "
    "In all three the cold latents have fewer dimensions than the warm ones. When that costs, and why, is the question of Lab 04.\n"
    f"- **Random codes are the worst start of all**: {spread(far[0][0])} codes cold, {spread(far[0][1])} warm. In {grid.settings['latent_dim']} dimensions normal numbers lie about √{grid.settings['latent_dim']} = {grid.settings['latent_dim'] ** 0.5:.0f} from the middle, "
    f"each in a direction of its own, and untrained latents spread by {spread(untrained)}. All of them share the nearest code. In the plane of Lab 01 such codes had lain among the latents.\n"
    f"- **With L1 the latents go on growing** after the switch, by a factor of {spread(growth)}, where squared error has {spread(squared)}; and yet {spread(still)} codes are in use at the end."
)

# %% [markdown]
# "Their means" are the codes in use, each put anew where the mean of the held-out latents is that choose it. Where this number is that of the codes themselves, no noise of the running means pretends to be a dimension.

# %% [markdown]
# ## 11. Train it live, both starts side by side
#
# Press the button: a cold start and a warm-up of 150 steps, trained now on your machine, 600 steps each on the same batches, at K = 256 and width 16. Watch the cold codes die within 25 steps, and the middle row stay behind the lowest.
# It takes half a minute on a quiet machine. With CIFAR-10 on it (`python -m vqlab download cifar10`) it trains on that, without on crops of photographs.

# %%
from vqlab.labs.lab03.live import LiveComparison

LiveComparison()

# %% [markdown]
# ## 12. Your own image
#
# Four of the trained tokenizers, the corners of the grid of section 3, come with the lab. Upload a picture (a PNG or JPEG below 5 MB; its middle square is shrunk to 32 × 32 pixels; where JupyterLab was started without `make` or Binder, one above 10 MB is lost on its way without a word: then run the cell again): you get its 64 tokens, and what each tokenizer makes of them.
# Is the best one for your picture the best one of section 6?

# %%
from vqlab.labs.lab03.checkpoints import own_image

own_image()

# %% [markdown]
# ## 13. What the paper claims · what we measured
#
# The paper's widths, codebook sizes and learning rates are not at hand; this is its experiment in our setting. Every number is computed here, over three seeds.

# %%
from vqlab.labs.lab03 import claims

claims.claims_table(grid, variants)

# %%
hours = sum(sweep.provenance["core_seconds"] for sweep in (grid, variants, longer)) / 3600
print(f"The trainings behind this lab took at most {hours:.1f} hours of one core ({grid.provenance['machine']}).")
print(f"Images: {grid.settings['images']}.")

# %% [markdown] model="three_diseases"
# ### A model answer to the open question
#
# Write yours first (section 8).

# %% [markdown]
# ## 14. Without code
#
# 1. Two tokenizers have K = 4,096. One reads perplexity 230, the other 2,600, both at 64,000 tokens. You pack the tokens of both with an ideal entropy coder. Which takes fewer bits, and is it the better one?
# 2. Why does the dimension of *all rows* of a cold codebook grow with K, while that of its codes in use hardly does?
# 3. For K = 64 the warm-up raises the error. Your colleague concludes that the warm-up is harmful. What do you answer?
#
# <details><summary>Answers</summary>
#
# 1. The first: log₂ 230 = 7.8 bits a token against 11.3. It is not better: it has a larger error at fewer bits. At width 32 the two kinds of start lie on one line once packed (section 7).
# 2. More codes mean more dead ones, and they keep the many dimensions of the untrained encoder's outputs, on which k-means put them (section 5).
# 3. It costs a few per cent where the codebook is small, and it saves a third where the codebook is large. With a narrower encoder it saves even at K = 64 (section 6).
#
# </details>
#
# Next: [Lab 04, *Why dimensions die*](04_why_dimensions_die.ipynb). There theory says how many dimensions a warm-up gives, and when to stop it.
