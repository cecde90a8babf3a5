# %% [markdown]
# # Lab 01 · Tokens collapse
#
# **You give a tokenizer 256 codes and it uses fewer than thirty. You will cause this with a slider, explain it, and cure it.**
#
# | | |
# |---|---|
# | Time | 30 minutes, and 35 for the exercises |
# | You need | [Lab 00](00_start_here.ipynb), PyTorch basics |
# | You will be able to | cause tokens collapse and cure it · find the codebook size at which it begins · tell apart what the warm-up does and what a better-spread initialisation does |
# | Exercises | 5, worth 14 points, and an open question worth 4 |
#
# The situation is that of *Representation Collapsing Problems in Vector Quantization* (arXiv 2411.16550), made small enough to watch.
# What collapses is the codebook. The paper speaks of *tokens* where we say *codes*, hence the name.

# %% [markdown]
# ## 1. The puzzle
#
# The data: 4,000 points from 8 Gaussians on a ring. An encoder (a small network, 2 → 32 → 32 → 2) maps each point to a latent, the quantizer
# replaces it by the nearest of K codes, and a decoder maps it back.
#
# The codebook starts from k-means (K cluster means) of the encoder's outputs, as is usual. So at the start **every code sits on latents**.
# Quantization begins at step 0, on an untrained encoder: we call that a **cold start**.
#
# Here it is before the first step and after the last. The pictures come from a *sweep*: many trainings, done once and stored,
# each repeated with 8 random *seeds*.

# %%
from vqlab import sweeps
from vqlab.labs.lab01.pictures import tokens as view

sweep = sweeps.load("tokens_collapse")
view.training_view(sweep, {"warmup": 0, "codebook_size": 256, "seed": 0, "step": 0})

# %%
view.training_view(sweep, {"warmup": 0, "codebook_size": 256, "seed": 0, "step": 1000})

# %% [markdown]
# Before training all 256 codes are in use (the heap in the middle panel: zoomed in below, in section 5).
# After training most are dead (✕): they still sit in the middle, where no latent is.
# This is **tokens collapse**. More codes do not help: look at how flat the right panel is.

# %% [markdown]
# ## 2. Predict
#
# The cure tried here is a **warm-up**: train the autoencoder for a while *without* a quantizer, then place the codes by k-means, then go on with them.
# The total number of steps stays 1,000, so a warm-up of 400 leaves 600 quantized steps.

# %%
from vqlab.widgets import Prediction

Prediction(
    "With a warm-up of 400 steps and K = 256: which perplexity do you expect at the end?",
    measured=lambda: sweep.at(warmup=400, codebook_size=256)["perplexity"][:, -1],
    possible=(1, 256),
)

# %% [markdown]
# ## 3. Cause it, cure it
#
# Drag the **warm-up length** from 0 to 800. Then set it back to 0 and press play on **training step**: watch the codes die.
#
# "Train it live" trains the shown position now, on your machine, with four new seeds, and draws them over the eight stored ones.

# %%
from vqlab.widgets import Explorer, Slider

steps = tuple(sweep.settings["frames"])
explorer = Explorer.of(
    sweep,
    view.training_view,
    start={"warmup": 0, "codebook_size": 256},
    also=[
        Slider("seed", "seed", sweep.seeds, start=0),
        Slider("step", "training step", steps, start=steps[-1], play=True),
    ],
    live=True,
)
explorer

# %% [markdown]
# ## 4. Read it
#
# Every number below is read from the stored sweep: mean ± standard deviation over its seeds.

# %%
from vqlab.figures import table


def cold_and_warm(sweep, warm):
    """Final perplexity and error for every K, cold and with the warm-up `warm`."""
    rows = []
    for k in sweep.axes["codebook_size"].values:
        cells = [sweep.at(warmup=warmup, codebook_size=k) for warmup in (0, warm)]
        rows.append([k, *(cell[key][:, -1] for key in ("perplexity", "mse") for cell in cells)])
    return table(["K", "perplexity, cold", "perplexity, warm", "error, cold", "error, warm"], rows)


cold_and_warm(sweep, warm=400)

# %% [markdown]
# **Three things to see**, in numbers of this sweep:

# %%
from IPython.display import Markdown

from vqlab import theory
from vqlab.figures import spread

cold, warm = (sweep.at(warmup=warmup)["perplexity"][..., -1] for warmup in (0, 400))  # (K, seeds)
sizes = sweep.axes["codebook_size"].values
errors = [sweep.at(warmup=warmup, codebook_size=8)["mse"][:, -1].mean() for warmup in (0, 400)]
healthy = theory.expected_perplexity(sizes[-1], 4000)
Markdown(
    f"- **Cold, perplexity stops growing.** K = 16 has {spread(cold[1])} (at N = 4,000 tokens, like all here); "
    f"sixteen times as many codes, K = {sizes[-1]}, have {spread(cold[-1])}.\n"
    f"- **Warm, it grows with K.** It is at least "
    f"{min(w.mean() / k for w, k in zip(warm, sizes, strict=True)):.0%} of K at every K. "
    f"K = {sizes[-1]} has {spread(warm[-1])}; "
    f"perfectly even codes would read {healthy:.0f} (Lab 00).\n"
    f"- **At the small end there is less to cure.** K = 8 has perplexity {spread(cold[0])} cold and "
    f"{spread(warm[0])} warm: with one code per cluster, every code finds work. "
    f"Its error still falls by {1 - errors[1] / errors[0]:.0%}, because cold codes often share a cluster."
)

# %% [markdown]
# Is it the setting? Here is the same with twice the width, twice the batch, twice the steps and half the learning rate.
# The cold codebook gets further. But from K = 64 to K = 256, four times the codes bring it only a little.

# %%
cold_and_warm(sweeps.load("tokens_long"), warm=1000)

# %% [markdown]
# ## 5. Explain it
#
# An untrained encoder maps all data to nearly one spot. K-means puts all codes on that spot.
# Then the encoder learns, and its outputs spread. How much?

# %%
cold_cell = sweep.at(warmup=0, codebook_size=256)
latents = cold_cell["latents"]  # (seeds, frames, points, 2)
size = latents.std(axis=2).mean(axis=-1)  # (seeds, frames): standard deviation of the latents
print(f"spread of the latents before training: {spread(size[:, 0])}")
print(f"spread of the latents after training:  {spread(size[:, -1])}")
print(f"they grow by a factor of               {spread(size[:, -1] / size[:, 0])}")

# %% [markdown]
# A code only moves when a latent chooses it. So leave the codes of step 0 where they are, put the *trained* latents around them,
# and ask which codes are nearest to any latent at all. No training, a few lines:

# %%
import numpy as np

codes = cold_cell["codebook"][0, 0]  # (256, 2): seed 0, before the first step
for growth in (0.0, 0.25, 0.5, 1.0):
    moved = (1 - growth) * latents[0, 0] + growth * latents[0, -1]  # from untrained to trained
    distances = ((moved[:, None] - codes) ** 2).sum(-1)  # (80, 1, 2) − (256, 2) -> (80, 256)
    chosen = np.unique(distances.argmin(axis=1))
    print(f"latents {growth:4.0%} of the way: {len(moved)} of them choose {len(chosen)} codes")

# %% [markdown]
# Which ones? Look at the heap from near (left and middle), and at how the number of active codes goes on (right).

# %%
view.death_view(sweep)

# %% [markdown]
# **Once the latents surround the heap, only codes on its rim are nearest to any latent.** They win, they move out, and win even more.
# All the others are left behind, within the first fifty steps.
#
# A few come back: when the winners have moved far away, some code of the heap becomes the nearest again. Most never move.
#
# This also says why the warm-up helps: after it the latents have found their size, and k-means puts the codes where the latents *stay*.

# %% [markdown]
# ## 6. Build it
#
# Five exercises. And an open question at the end. Each exercise has hints to open and a check right under it. A blank exercise says "not yet"; nothing breaks.

# %% [markdown]
# ### Exercise 1 · `nearest_code` (★☆☆, 5 minutes, 3 points)
#
# Given latents `z` (N, d) and a `codebook` (K, d), return for each latent the index of the nearest code, shape (N,).
#
# <details><summary>Hint 1</summary>Nearest means the <i>smallest</i> Euclidean distance.</details>
# <details><summary>Hint 2</summary><code>torch.cdist(z, codebook)</code> has shape (N, K). You want one index per row, so reduce over the axis of the codes.</details>
# <details><summary>Hint 3</summary>If you expand ‖z − c‖² = ‖z‖² − 2 z·c + ‖c‖², only ‖z‖² may be left out: it is the same for all codes.</details>

# %% exercise="nearest_code"
import torch


def nearest_code(z, codebook):
    ### BEGIN SOLUTION
    return torch.cdist(z, codebook).argmin(dim=1)  # (N, K) -> (N,)
    ### END SOLUTION


# %% check="nearest_code"
from vqlab.labs.lab01 import exercises as lab01

lab01.nearest_code(nearest_code)

# %% [markdown]
# ### Exercise 2 · `perplexity` (★☆☆, 5 minutes, 3 points)
#
# Given `tokens` (N,) with values in 0…K−1 and the codebook size `k`, return the perplexity of code usage, a number between 1 and K.
#
# <details><summary>Hint 1</summary>p is the share of each code. Perplexity is exp(H) with H = −Σ p ln p. (Or 2 to the power H, if H uses log2. Do not mix them.)</details>
# <details><summary>Hint 2</summary><code>torch.bincount(tokens, minlength=k)</code> counts. Drop the codes with p = 0 before the logarithm.</details>


# %% exercise="perplexity"
def perplexity(tokens, k):
    ### BEGIN SOLUTION
    p = torch.bincount(tokens, minlength=k) / len(tokens)  # (K,)
    p = p[p > 0]
    return float(torch.exp(-(p * p.log()).sum()))
    ### END SOLUTION


# %% check="perplexity"
lab01.perplexity(perplexity)

# %% [markdown]
# ### Exercise 3 · `straight_through` (★★☆, 5 minutes, 3 points)
#
# Return a tensor whose *value* is `z_q` and whose *gradient* flows to `z` as if nothing had happened. One line.
#
# <details><summary>Hint 1</summary>Write z_q as z plus something.</details>
# <details><summary>Hint 2</summary>The something must look constant to autograd: <code>.detach()</code> it, all of it, and nothing else.</details>


# %% exercise="straight_through"
def straight_through(z, z_q):
    ### BEGIN SOLUTION
    return z + (z_q - z).detach()
    ### END SOLUTION


# %% check="straight_through"
lab01.straight_through(straight_through)

# %% [markdown]
# ### Exercise 4 · `ema_step` (★★☆, 8 minutes, 4 points)
#
# One EMA update of the codebook. Given the running `counts` (K,) and `sums` (K, d), latents `z` (N, d), their `tokens` (N,) and the decay γ,
# return the new `codes, counts, sums`.
#
# <details><summary>Hint 1</summary>new = γ · old + (1 − γ) · what this batch says. For counts the batch says: how many tokens chose each code.</details>
# <details><summary>Hint 2</summary>For sums the batch says: the sum of the latents that chose each code. With K = len(counts), <code>torch.nn.functional.one_hot(tokens, K).to(z)</code> is (N, K) with a one where a token chose a code; its transpose times z gives all sums, its sum over axis 0 all hits.</details>
# <details><summary>Hint 3</summary>codes = sums / counts, with the <i>running</i> values, which are never zero here.</details>


# %% exercise="ema_step"
def ema_step(counts, sums, z, tokens, decay):
    ### BEGIN SOLUTION
    chosen = torch.nn.functional.one_hot(tokens, len(counts)).to(z)  # (N, K)
    counts = decay * counts + (1 - decay) * chosen.sum(0)  # (K,)
    sums = decay * sums + (1 - decay) * chosen.T @ z  # (K, N) @ (N, d) -> (K, d)
    return sums / counts[:, None], counts, sums
    ### END SOLUTION


# %% check="ema_step"
lab01.ema_step(ema_step)

# %% [markdown]
# ### Exercise 5 · where the curve bends (★☆☆, 2 minutes, 1 point)
#
# Run the cell: it names a warm-up length and a share. Which is the smallest K on the slider at which such a start uses, on average,
# *less than that share* of its codebook? (Mean perplexity over the seeds, at the end, below the share of K.) Set `bend` to it.
#
# <details><summary>Hint 1</summary>The explorer of section 3 shows the perplexity at every K; its last sentence says it in numbers. <code>sweep.at(warmup=…, codebook_size=…)["perplexity"][:, -1].mean()</code> does, too.</details>

# %% exercise="bend" stub="bend = None"
warmup, share = lab01.start_and_share()
print(f"warm-up {warmup} steps, less than {share:.0%} of the codebook")
### BEGIN SOLUTION
for bend in sweep.axes["codebook_size"].values:
    if sweep.at(warmup=warmup, codebook_size=bend)["perplexity"][:, -1].mean() < share * bend:
        break
### END SOLUTION

# %% check="bend"
lab01.bend(bend)

# %% [markdown]
# ### Open question (10 minutes, 4 points)
#
# A colleague's codebook has K = 1,024 and reads a perplexity of 31 at 200,000 tokens. They propose to double K and to train twice as long.
# In four to eight sentences: what will happen, why, and which two changes would you try first? Say for each by which number you would see that it worked.

# %% [markdown] open="double_k" points=4
# ### BEGIN SOLUTION
# Doubling K will change next to nothing: with a cold start the perplexity hardly grows with K (section 4), because k-means put all codes into the heap of outputs of an
# untrained encoder, and when the latents spread only the codes at the rim of the heap are ever nearest. Twice the steps do not help either: a code that nobody
# chooses gets no update, so it stays where it is. First I would spend part of the same steps as a warm-up without quantization and place the codes
# then; the perplexity at 200,000 tokens should come near K, at a lower reconstruction error. Or I would replace dead codes by latents while training; then the
# number of active codes must rise and stay up. In both cases I would compare the reconstruction error, for perplexity alone is not the aim.
# ### END SOLUTION

# %% [markdown] rubric="double_k"
# | points | for |
# |---|---|
# | 1 | doubling K changes next to nothing, with a number or a picture of this lab as evidence |
# | 1 | why: codes start in one heap, only those on its rim are ever nearest, unchosen codes are not updated |
# | 1 | two changes out of: warm-up before placing the codes, replacement of dead codes, codes placed at the final scale of the latents |
# | 1 | a number for each: perplexity at stated K and N, or active codes, and the reconstruction error |

# %% [markdown]
# ## 7. Is it the training, or just a better-spread start?
#
# The warm-up does two things at once: it trains the encoder, and it spreads the codes (k-means now sees spread latents). Which one cures?
# The paper leaves this open. We can separate them: place the codes in nine ways, each cold and after a warm-up of 400 steps.

# %%
placed = sweeps.load("tokens_initialisation")
from vqlab.labs.lab01.pictures import initialisations

Explorer.of(placed, initialisations.initialisation_view, start={"codebook_size": 128})

# %% [markdown]
# **Read it**, at K = 128.
#
# - *Every clustering method ends the same.* K-means, k-means++, a Gaussian mixture, hierarchical clustering: all collapse cold, all work warm.
#   A cleverer clustering of a useless heap is still a heap.
# - *Normal, std 1* ignores the encoder altogether and does far better cold, with **no warm-up at all**: its codes happen to lie where the latents will be.
#   At three times that scale many codes lie outside and never win. At K = 128 one seed even put all its tokens on one code: that is the long bar.
# - *Normal, std 0.1 and 0.01* are **worse** after a warm-up than cold. A trained encoder cannot save codes that all lie on one spot.
# - *K-means + replacement* moves dead codes onto latents while training, and needs no warm-up. It calls a code dead when its EMA count
#   is under a tenth of its fair share.
#
# So in this lab the answer is: **what counts is that codes lie where the latents end up.** Warm-up with k-means achieves it without knowing the scale,
# and so does replacement. Pre-training by itself does not.
#
# Is the warm-up then superfluous, if replacement does as well? Here, in two dimensions, yes. [Lab 04](04_why_dimensions_die.ipynb)
# puts the question again where latents have many dimensions.
#
# How long does replacement have to wait? A code that nobody chooses keeps a share γᵗ of its EMA count after t steps, with the decay γ = 0.99:

# %%
wait = theory.steps_until_dead(start=1.0, threshold=0.1, decay=0.99)
print(f"from its fair share to a tenth of it: {wait:.0f} steps, of 1,000 in the training")

# %% [markdown]
# ## 8. Break the cure
#
# Say what happens before you look, then try it in the explorer of section 3:
#
# - How *short* may the warm-up be? Try 10 and 25 steps of 1,000, at K = 256.
# - How *long* may it be? At 800 only 200 quantized steps are left.
# - K = 8, with any warm-up: does it ever get worse than cold?

# %%
rows = []
for warmup in sweep.axes["warmup"].values:
    large, small = (sweep.at(warmup=warmup, codebook_size=k) for k in (256, 8))
    perplexity, *others = (
        values[:, -1] for values in (large["perplexity"], large["mse"], small["perplexity"], small["mse"])
    )
    rows.append([warmup, perplexity, f"{perplexity.min():.0f}", *others])
table(
    ["warm-up (steps)", "perplexity of 256", "lowest seed", "error, K = 256", "perplexity of 8", "error, K = 8"],
    rows,
)

# %% [markdown]
# A tenth of the steps already cures. What counts is that the latents have found their size when the codes are placed, and here
# they find it quickly. (At 50 steps the lowest seed has not: its latents still lie on a line. Set the explorer to it and look.)

# %% [markdown]
# ## 9. What the paper claims · what we measured
#
# | | arXiv 2411.16550 | here |
# |---|---|---|
# | cause | k-means on an untrained encoder, whose outputs are nearly a point | reproduced (section 5) |
# | cure | train without quantization first, then k-means, then fine-tune | reproduced (section 4) |
# | large K | the gain grows with the codebook | reproduced (section 4) |
# | small K | with few codes, pre-training is slightly *worse* | **not reproduced**: at K = 8 the error with a warm-up is no higher (section 4) |
# | other initialisations | not compared | clusterings change nothing; scale and replacement do (section 7) |
#
# The paper's widths, codebook sizes and learning rates are not public. Our set-up is in its spirit, not a copy, and two dimensions are few.

# %% [markdown]
# ## 10. Without code
#
# 1. A colleague says: "our codebook is collapsed, let us double K." What will happen?
# 2. Why do codes in the *middle* of the heap die and codes at its rim survive?
# 3. You may not change the number of training steps. Name three ways to keep the codebook alive.
#
# <details><summary>Answers</summary>
#
# 1. Next to nothing: a cold perplexity hardly grows with K (section 4).
# 2. When latents surround the heap, the nearest code to any latent is on the side that faces it (section 5).
# 3. Replace dead codes by latents while training; or start the codes at the scale that the latents will have; or spend part of the steps as a warm-up.
#
# </details>
#
# Next: [Lab 02, *Embeddings collapse*](02_embeddings_collapse.ipynb). There the codes are fine, and the encoder is too small.
