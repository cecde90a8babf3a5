# %% [markdown]
# # Lab 01 · Tokens collapse
#
# **You give a tokenizer 256 codes and it uses fewer than thirty. You will cause this with a slider, explain it, and cure it.**
#
# | | |
# |---|---|
# | Time | 45 minutes, and 20 for the exercises |
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
# Before training all 256 codes are in use. They lie in a tiny **heap** in the middle panel; section 5 zooms in.
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
# "Train it live" trains the shown position now, on your machine, with four seeds that are not stored, and draws them over the eight that are.

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


def cold_and_warm(stored, warm):
    """Final perplexity and error for every K, cold and with the warm-up `warm`."""
    rows = []
    for k in stored.axes["codebook_size"].values:
        cells = [stored.at(warmup=warmup, codebook_size=k) for warmup in (0, warm)]
        rows.append([k, *(cell[key][:, -1] for key in ("perplexity", "mse") for cell in cells)])
    columns = ("perplexity (N = 4,000), cold", "perplexity (N = 4,000), warm", "error, cold", "error, warm")
    return table(["K", *columns], rows)


cold_and_warm(sweep, warm=400)

# %% [markdown]
# **Two things to see**, in numbers of this sweep:

# %%
from IPython.display import Markdown

from vqlab import theory
from vqlab.figures import per_cent, spread

cold, warm = (sweep.final("perplexity", warmup=warmup) for warmup in (0, 400))  # (K, seeds)
sizes = sweep.axes["codebook_size"].values
least = min(w.mean() / k for w, k in zip(warm, sizes, strict=True))
Markdown(
    f"- **Cold, perplexity stops growing.** K = {sizes[1]} has {spread(cold[1])} (at N = 4,000 tokens, like all here). "
    f"{sizes[-1] // sizes[1]} times as many codes, K = {sizes[-1]}, have {spread(cold[-1])}.\n"
    f"- **Warm, it grows with K.** It is at least {least:.0%} of K at every K. K = {sizes[-1]} has {spread(warm[-1])}; "
    f"perfectly even codes would read {theory.expected_perplexity(sizes[-1], 4000):.0f} (Lab 00)."
)

# %% [markdown]
# **The small end is another story.** K = 8 has one code for each of the 8 clusters.
# What can go wrong is that two codes share a cluster: then another cluster has none of its own, and its points go to a neighbour's code.
# Count the clusters that have a code of their own, in every training with K = 8. (Of each the sweep keeps 80 latents, 10 from each cluster.)

# %%
import numpy as np

from vqlab import data
from vqlab.labs.lab01 import readings

small = sweep.at(codebook_size=8)  # (warm-up, seeds, frames, …)
y = data.gaussian_ring().y[: small["latents"].shape[-2]]
error_of_8 = small["mse"][..., -1]  # (warm-up, seeds)
served = np.zeros(error_of_8.shape, int)
for run in np.ndindex(served.shape):
    served[run] = readings.clusters_served(small["latents"][run][-1], small["codebook"][run][-1], y)
rows = []
for count in np.unique(served)[::-1]:
    here = served == count
    low, high = error_of_8[here].min(), error_of_8[here].max()
    rows.append([f"{count} of 8", here[0].sum(), here[1:].sum(), f"{low:.3f} to {high:.3f}"])
table(["clusters with their own code", "cold trainings", "warm trainings, all lengths", "error"], rows)

# %%
Markdown(
    f"A shared cluster decides: no training in which every cluster has a code reads more than {error_of_8[served == 8].max():.3f}, "
    f"none in which one lacks it reads less than {error_of_8[served < 8].min():.3f}. It befalls {np.sum(served[0] < 8)} of {served[0].size} "
    f"cold trainings and {np.sum(served[1:] < 8)} of {served[1:].size} warm ones. So at K = 8 it is a matter of luck, with better odds after a warm-up."
)

# %% [markdown]
# Is it the setting? Here is the same with twice the width, twice the batch, twice the steps and half the learning rate.

# %%
long = sweeps.load("tokens_long")
cold_and_warm(long, warm=1000)

# %%
longer_cold, longer_warm = (long.final("perplexity", warmup=warmup).mean(-1) for warmup in (0, 1000))  # (K,)
Markdown(
    f"The cold codebook gets further: {longer_cold[-1]:.0f} instead of {cold[-1].mean():.0f} at K = {sizes[-1]}. "
    f"But {sizes[-1] // sizes[-3]} times the codes, {sizes[-1]} instead of {sizes[-3]}, make {longer_cold[-1] / longer_cold[-3]:.1f} times "
    f"the perplexity. With the warm-up they make {longer_warm[-1] / longer_warm[-3]:.1f} times."
)

# %% [markdown]
# ## 5. Explain it
#
# An untrained encoder maps all data to nearly one spot. K-means puts all codes on that spot.
# Then the encoder learns, and its outputs spread. How much?

# %%
latents = sweep.at(warmup=0, codebook_size=256)["latents"]  # (seeds, frames, points, 2)
size = readings.spread_of(latents)  # (seeds, frames): standard deviation of the latents
print(f"spread of the latents before training: {spread(size[:, 0])}")
print(f"spread of the latents after training:  {spread(size[:, -1])}")
print(f"they grow by a factor of               {spread(size[:, -1] / size[:, 0])}")

# %% [markdown]
# A code only moves when a latent chooses it. So leave the codes of step 0 where they are, put the *trained* latents around them,
# and ask which codes are nearest to any latent at all.
#
# Mind Lab 00: the sweep keeps 80 latents of each training, and 80 latents cannot choose more than 80 codes. So train the eight seeds again,
# cold, and keep all 4,000. (Some seconds.)

# %%
import torch

from vqlab.models import MLPAutoencoder
from vqlab.training import Settings, Trainer

torch.set_num_threads(1)  # so small a model gains nothing from more, and loses much while the machine is busy
ring = torch.from_numpy(data.gaussian_ring().x)  # (4000, 2)
quick = {key: sweep.settings[key] for key in ("steps", "batch_size", "learning_rate")}
model = MLPAutoencoder(sweep.seeds, hidden=sweep.settings["hidden"])
cold_run = Trainer(model, ring, Settings(codebook_size=256, **quick), sweep.seeds).run(until=0)
heap = cold_run.quantizer.codebook.detach().clone()  # (8, 256, 2): the codes at step 0
before = cold_run.latents(ring)  # (8, 4000, 2)
after = cold_run.run().latents(ring)

# %%
rows = []
for growth in (0.0, 0.1, 0.25, 0.5, 1.0):
    moved = (1 - growth) * before + growth * after  # from untrained to trained
    closest = torch.cdist(moved, heap).argmin(dim=2)  # (8, 4000, 256) -> (8, 4000)
    rows.append([f"{growth:.0%} of the way", np.array([len(run.unique()) for run in closest])])
table(["4,000 latents", "codes they choose (of 256)"], rows)

# %% [markdown]
# Which ones? Look at the heap of seed 0 from near (left). It is the ring of the data, squeezed and bent, with a hole in it.
# In the middle the latents lie far outside, and only the round codes are nearest to any. On the right, how the number of active codes goes on, in all stored seeds.

# %%
view.death_view(sweep, *(tensor[0].numpy() for tensor in (heap, before, after)))

# %% [markdown]
# **Once the latents surround the heap, hardly any codes but those on its rim are nearest to a latent**: codes that reach farthest in some direction.
# Is that so in every seed? And do the others really stay behind?

# %%
on_rim = []
for codes, outside in zip(heap.numpy(), after.numpy(), strict=True):
    on_rim.append(np.isin(readings.nearest(outside, codes), readings.rim(codes)).mean())
travelled = (cold_run.quantizer.codebook.detach() - heap).norm(dim=-1).numpy()  # (8, 256)
stayed = (travelled < size[:, :1]).mean(1)  # nearer to their first place than the heap is wide
active = sweep.at(warmup=0, codebook_size=256)["active"]  # (seeds, frames)
frames = sweep.settings["frames"]
fewest = int(active.mean(0).argmin())
Markdown(
    f"- Of the codes that trained latents would choose, {np.mean(on_rim):.0%} are on the rim of the heap (lowest seed {min(on_rim):.0%}).\n"
    f"- In the real training the codes move while the latents spread. {spread(active[:, frames.index(50)])} are active at step 50 "
    f"({active[:, frames.index(50)].min():.0f} to {active[:, frames.index(50)].max():.0f}), {spread(active[:, fewest])} at step {frames[fewest]}.\n"
    f"- Then a few come back: {spread(active[:, -1])} at the end.\n"
    f"- Most never leave: {stayed.mean():.0%} of all codes end nearer to their first place than the heap is wide (lowest seed {stayed.min():.0%})."
)

# %% [markdown]
# So the mechanism here is **scale**: codes were placed on a heap, and the latents grew out of it. The paper gives another reason: the outputs of an untrained encoder are
# **indistinct**, so codes placed on them are, too. Are they? Take 32 untrained encoders and name the cluster of a point by its 5 nearest neighbours among the latents:

# %%
from sklearn.neighbors import KNeighborsClassifier

cluster, half = data.gaussian_ring().y, 2000
with torch.no_grad():
    untrained = MLPAutoencoder(range(32), hidden=32).encode(ring.expand(32, *ring.shape)).numpy()  # (32, 4000, 2)
named = [KNeighborsClassifier(5).fit(z[:half], cluster[:half]).score(z[half:], cluster[half:]) for z in untrained]
itself = KNeighborsClassifier(5).fit(ring[:half], cluster[:half]).score(ring[half:], cluster[half:])
print(
    f"right: {np.mean(named):.0%} ± {np.std(named):.0%} from untrained latents, {itself:.0%} from the data, {1 / 8:.0%} by guessing"
)

# %% [markdown]
# Nearly as distinct as the data, then. But a warm-up mends both, size *and* what little is lacking. To tell the two reasons apart, mend or break **one at a time**:
#
# - *codes grow with the latents*: a cold start, but before each step all codes are moved and enlarged as the latents have been;
# - *latents enlarged before*: a cold start, but the outputs of the untrained encoder are first multiplied, so that they are as wide as after a warm-up;
# - *latents shrunk before*: after a warm-up the outputs are divided, so that they are as narrow as untrained ones;
# - *codes on shapeless noise*: after a warm-up the codes are placed not on latents, but on normal noise of their mean and covariance. They know the size and no cluster.
#
# In the table, two columns say what each reason foretells. Cover the rest and go through them. Then look. (600 quantized steps each, after a warm-up of 400 steps or none.
# *Alive* is a perplexity above the geometric mean of cold and warm.)

# %%
told_apart = sweeps.load("tokens_reasons")
from vqlab.labs.lab01 import reasons


def ends(start, k):
    """Final perplexity of every seed, and whether the codebook is alive: (seeds,) each."""
    cold_end, warm_end, here = (
        told_apart.final("perplexity", start=s, codebook_size=k) for s in ("cold", "warm-up", start)
    )
    return here, here > readings.halfway(cold_end, warm_end)


def foretold(alive):
    return "alive" if alive else "dead"


rows = []
for start, (_, by_scale, by_distinctness) in reasons.STARTS.items():
    placed_on = told_apart.at(start=start, codebook_size=256)  # (seeds, frames): when codes are placed, and at the end
    end, alive = ends(start, 256)
    right = per_cent(placed_on["named"][:, 0])
    said = (foretold(by_scale), foretold(by_distinctness))
    rows.append(
        [start, *said, spread(placed_on["size"][:, 0], 2), right, spread(end), f"{alive.sum()} of {alive.size}"]
    )
columns = (
    "latents' spread when codes are placed",
    "cluster named by neighbours",
    "perplexity of 256 (N = 4,000)",
    "alive",
)
table(["start", "scale says", "indistinct says", *columns], rows)

# %%
sides = {"scale": [], "indistinct": []}
for start, (_, by_scale, by_distinctness) in reasons.STARTS.items():
    if by_scale != by_distinctness:
        for k in told_apart.axes["codebook_size"].values:
            alive = ends(start, k)[1]
            sides["scale"] += [*(alive == by_scale)]
            sides["indistinct"] += [*(alive == by_distinctness)]
from_cold, all_of_it = (ends(start, 256)[0].mean() for start in ("cold", "warm-up"))
size_alone, distinct_alone, elsewhere, of_noise = (
    (ends(start, 256)[0].mean() - from_cold) / (all_of_it - from_cold)
    for start in (
        "cold, latents enlarged before",
        "warm-up, latents shrunk before",
        "warm-up, codes of another encoder",
        "warm-up, codes on shapeless noise",
    )
)
used_at_once = {
    start: told_apart.at(start=f"warm-up, codes {start}", codebook_size=256)["active"][:, 0].mean()
    for start in ("on shapeless noise", "of another encoder")
}
Markdown(
    f"- **Scale it is.** Where the two disagree, in {len(sides['scale'])} trainings at K = 64 and 256, scale foretells the end of "
    f"{sum(sides['scale'])}, indistinct that of {sum(sides['indistinct'])}.\n"
    f"- Of all that the warm-up brings at K = 256, the right *size* alone brings {size_alone:.0%}, *distinct* latents alone {distinct_alone:.0%}.\n"
    f"- **The rest is place.** Noise of the right size has {of_noise:.0%}: it also lies where no latent is, so that only "
    f"{used_at_once['on shapeless noise']:.0f} of its 256 codes are ever chosen at the start. Codes from the latents of *another* trained encoder, turned "
    f"to the same mean and covariance, have {elsewhere:.0%}: theirs is the right shape ({used_at_once['of another encoder']:.0f} chosen)."
)

# %% [markdown]
# This also says why the warm-up helps: after it the latents have found their size, and k-means puts the codes where the latents *stay*.

# %% [markdown]
# ## 6. Build it
#
# Five exercises. Each has hints to open and a check right under it. A blank exercise says "not yet"; nothing breaks.

# %%
from vqlab.labs.lab01 import exercises as lab01

# %% [markdown]
# ### Exercise 1 · `nearest_code` (★☆☆, 3 minutes, 3 points)
#
# Given latents `z` (N, d) and a `codebook` (K, d), return for each latent the index of the nearest code, shape (N,).
#
# <details><summary>Hint 1</summary>Nearest means the <i>smallest</i> Euclidean distance.</details>
# <details><summary>Hint 2</summary><code>torch.cdist(z, codebook)</code> has shape (N, K). You want one index per row, so reduce over the axis of the codes.</details>
# <details><summary>Hint 3</summary>If you expand ‖z − c‖² = ‖z‖² − 2 z·c + ‖c‖², only ‖z‖² may be left out: it is the same for all codes.</details>


# %% exercise="nearest_code"
def nearest_code(z, codebook):
    ### BEGIN SOLUTION
    return torch.cdist(z, codebook).argmin(dim=1)  # (N, K) -> (N,)
    ### END SOLUTION


# %% check="nearest_code"
lab01.nearest_code(nearest_code)

# %% [markdown]
# ### Exercise 2 · `perplexity` (★☆☆, 3 minutes, 3 points)
#
# Given `tokens` (N,) with values in 0…K−1 and the codebook size `k`, return the perplexity of code usage, a number between 1 and K.
# Where a model writes tokens, a prompt may come first; it is no part of the image. The cell prints how many tokens to leave out at the beginning.
#
# <details><summary>Hint 1</summary>p is the share of each code. Perplexity is exp(H) with H = −Σ p ln p. (Or 2 to the power H, if H uses log2. Do not mix them.)</details>
# <details><summary>Hint 2</summary><code>torch.bincount(tokens, minlength=k)</code> counts. Drop the codes with p = 0 before the logarithm.</details>

# %% exercise="perplexity"
my_prompt = lab01.prompt_length()
print(f"tokens of a prompt: {my_prompt}")


def perplexity(tokens, k):
    ### BEGIN SOLUTION
    image = tokens[my_prompt:]
    p = torch.bincount(image, minlength=k) / len(image)  # (K,)
    p = p[p > 0]
    return float(torch.exp(-(p * p.log()).sum()))
    ### END SOLUTION


# %% check="perplexity"
lab01.perplexity(perplexity)

# %% [markdown]
# ### Exercise 3 · `straight_through` (★★☆, 2 minutes, 3 points)
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
# ### Exercise 4 · `ema_step` (★★☆, 4 minutes, 4 points)
#
# One EMA update of the codebook. Given the running `counts` (K,) and `sums` (K, d), latents `z` (N, d), their `tokens` (N,) and the decay γ,
# return the new `codes, counts, sums`. To save time one may update with every m-th batch only, and leave out the others: then γᵐ takes the place of γ. The cell prints m.
#
# <details><summary>Hint 1</summary>With m = 1: new = γ · old + (1 − γ) · what this batch says. For counts the batch says: how many tokens chose each code.</details>
# <details><summary>Hint 2</summary>For sums the batch says: the sum of the latents that chose each code. With K = len(counts), <code>torch.nn.functional.one_hot(tokens, K).to(z)</code> is (N, K) with a one where a token chose a code; its transpose times z gives all sums, its sum over axis 0 all hits.</details>
# <details><summary>Hint 3</summary>codes = sums / counts, with the <i>running</i> values, which are never zero here.</details>

# %% exercise="ema_step"
my_batches = lab01.batches_per_update()
print(f"one update for every m = {my_batches} batches")


def ema_step(counts, sums, z, tokens, decay):
    ### BEGIN SOLUTION
    kept = decay**my_batches
    chosen = torch.nn.functional.one_hot(tokens, len(counts)).to(z)  # (N, K)
    counts = kept * counts + (1 - kept) * chosen.sum(0)  # (K,)
    sums = kept * sums + (1 - kept) * chosen.T @ z  # (K, N) @ (N, d) -> (K, d)
    return sums / counts[:, None], counts, sums
    ### END SOLUTION


# %% check="ema_step"
lab01.ema_step(ema_step)

# %% [markdown]
# ### Exercise 5 · where the curve bends (★☆☆, 1 minute, 1 point)
#
# Run the cell: it names a warm-up length and a share. Which is the smallest K on the slider at which such a start uses, on average,
# *less than that share* of its codebook? (Mean perplexity over the seeds, at the end, below the share of K.) Set `bend` to it.
#
# <details><summary>Hint 1</summary>The explorer of section 3 shows the perplexity at every K; its last sentence says it in numbers. <code>sweep.at(warmup=…, codebook_size=…)["perplexity"][:, -1].mean()</code> does, too.</details>

# %% exercise="bend" stub="bend = None"
my_warmup, my_share = lab01.start_and_share()
print(f"warm-up {my_warmup} steps, less than {my_share:.0%} of the codebook")
### BEGIN SOLUTION
for bend in sweep.axes["codebook_size"].values:
    if sweep.at(warmup=my_warmup, codebook_size=bend)["perplexity"][:, -1].mean() < my_share * bend:
        break
### END SOLUTION

# %% check="bend"
lab01.bend(bend)

# %% [markdown]
# ## 7. Is it the training, or just a better-spread start?
#
# The warm-up does two things at once: it trains the encoder, and it spreads the codes (k-means now sees spread latents). Which one cures?
# We can separate them: place the codes in nine ways, each cold and after a warm-up of 400 steps.

# %%
placed = sweeps.load("tokens_initialisation")
from vqlab.labs.lab01.pictures import initialisations

Explorer.of(placed, initialisations.initialisation_view, start={"codebook_size": 128})


# %%
def perplexity_at(placement, warmup, k=128):
    """Final perplexity of every seed: (seeds,)."""
    return placed.final("perplexity", initialisation=placement, warmup=warmup, codebook_size=k)


def cold_then_warm(placement):
    """The means over the seeds, in words."""
    return f"{perplexity_at(placement, 0).mean():.0f} cold, {perplexity_at(placement, 400).mean():.0f} warm"


clusterings = ("k-means", "k-means++", "Gaussian mixture", "hierarchical")
highest = max(perplexity_at(name, 0).max() for name in clusterings)
lowest = min(perplexity_at(name, 400).min() for name in clusterings)
far = perplexity_at("normal, std 3", 0)
Markdown(
    f"**Read it**, at K = 128 and N = 4,000.\n\n"
    f"- *Every clustering method ends the same.* K-means, k-means++, a Gaussian mixture, hierarchical clustering: no seed of any reads more than "
    f"{highest:.0f} cold, none less than {lowest:.0f} warm. A cleverer clustering of a useless heap is still a heap.\n"
    f"- *Normal, std 1* ignores the encoder altogether, and has {cold_then_warm('normal, std 1')}: its codes happen to lie where the latents "
    f"will be, with **no warm-up at all**.\n"
    f"- *Normal, std 3* has {cold_then_warm('normal, std 3')}: many of its codes lie far outside. The lowest seed reads {far.min():.0f}: "
    f"that is the end of the long bar.\n"
    f"- *Normal, std 0.1 and 0.01* have {cold_then_warm('normal, std 0.1')}, and {cold_then_warm('normal, std 0.01')}. "
    f"A trained encoder cannot save codes that all lie on one spot.\n"
    f"- *K-means + replacement* moves dead codes onto latents while training: {cold_then_warm('k-means + replacement')}. "
    f"It calls a code dead when its EMA count is under a tenth of its fair share."
)

# %% [markdown]
# Why are std 0.1 and 0.01 *worse* after a warm-up than cold? One guess: codes come back from the heap slowly (section 5), and after a warm-up only 600 of the 1,000 steps are
# quantized. Test it: train cold, and stop after 600 steps.

# %%
from vqlab import measures

rows, explained = [], []
for std in (0.1, 0.01):
    stopped = Settings(codebook_size=128, initialisation=f"normal:{std}", **quick | {"steps": 600})
    short_run = Trainer(MLPAutoencoder(sweep.seeds, hidden=32), ring, stopped, sweep.seeds).run()
    usage = measures.code_usage(short_run.reconstruct(ring)[1].numpy(), 128)
    whole, short, after_warmup = (
        perplexity_at(f"normal, std {std}", 0),
        measures.perplexity(usage),
        perplexity_at(f"normal, std {std}", 400),
    )
    rows.append([f"normal, std {std}", whole, short, after_warmup])
    explained.append((whole.mean() - short.mean()) / (whole.mean() - after_warmup.mean()))
table(["", "cold, 1,000 quantized steps", "cold, 600 quantized steps", "warm, 400 + 600 quantized steps"], rows)

# %%
print(f"missing steps explain {explained[0]:.0%} of the difference at std 0.1, and {explained[1]:.0%} at std 0.01")

# %% [markdown]
# So missing steps are a good part of it. What the rest is, we do not know.
#
# So in this lab the answer is: **what counts is that codes lie where the latents end up.** Warm-up with k-means achieves it without knowing the scale,
# and so does replacement. Pre-training by itself does not.
#
# Is the warm-up then superfluous, if replacement does as well? On this task, yes. [Lab 04](04_why_dimensions_die.ipynb)
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
# 1. How *short* may the warm-up be? Try 10 and 25 steps of 1,000, at K = 256.
# 2. How *long* may it be? At 800 only 200 quantized steps are left.
# 3. K = 8, with any warm-up: does the error ever get worse than cold?

# %%
lengths = sweep.axes["warmup"].values
rows = []
for i, length in enumerate(lengths):
    many, found = (
        sweep.final("perplexity", warmup=length, codebook_size=256),
        readings.size_when_placed(sweep, length, 256),
    )
    errors = (sweep.final("mse", warmup=length, codebook_size=256), error_of_8[i])
    rows.append([length, spread(found, 2), many, f"{many.min():.0f} (seed {sweep.seeds[many.argmin()]})", *errors])
columns = ("size of the latents at the switch ÷ at the end", "perplexity of 256 (N = 4,000)", "lowest seed")
table(["warm-up (steps)", *columns, "error, K = 256", "error, K = 8"], rows)

# %%
tenth = lengths.index(100)
at_256 = sweep.final("perplexity", codebook_size=256)  # (warm-up, seeds)
early = sweep.at(warmup=50, codebook_size=256)["latents"][:, frames.index(50)]  # (seeds, points, 2)
flat = readings.flatness(early)  # (seeds,)
slow = int(at_256[lengths.index(50)].argmin())
worse = [
    length for length, error in zip(lengths[1:], error_of_8[1:].mean(1), strict=True) if error > error_of_8[0].mean()
]
Markdown(
    f"1. A tenth of the steps cures: from 100 steps on no seed reads less than {at_256[tenth:].min():.0f}. The second column says why: "
    f"by then the latents have found their size. At 50 steps one seed lags, **seed {sweep.seeds[slow]}**: its latents still lie almost on a line. "
    f"(Their narrow side is {flat[slow]:.2f} of the wide one, in the other seeds {np.delete(flat, slow).min():.2f} to {np.delete(flat, slow).max():.2f}.) "
    f"Set the explorer to warm-up 50, seed {sweep.seeds[slow]}, step 50 and look.\n"
    f"2. At 800 the perplexity is {spread(at_256[-1])}, as at 100. Two hundred steps are enough to fine-tune codes that lie well.\n"
    f"3. On average over the seeds, {'no warm-up length is' if not worse else f'warm-ups of {worse} steps are'} worse than the cold start. "
    f"But look at the deviations: with K = 8 two codes in one cluster decide (section 4), and that is drawn seed by seed."
)

# %% [markdown]
# ### Open question (7 minutes, 4 points)
#
# A colleague's codebook has K = 1,024 and reads a perplexity of 31 at 200,000 tokens. They propose to double K and to train twice as long.
# In four to eight sentences: what will happen, why, and which two changes would you try first? Say for each by which number you would see that it worked.

# %% [markdown] open="double_k" points=4
# ### BEGIN SOLUTION
# Doubling K will change next to nothing: with a cold start the perplexity hardly grows with K (section 4), because k-means put all codes into the heap of outputs of an
# untrained encoder, and when the latents spread only the codes at the rim of the heap are nearest. Twice the steps help little: a code that nobody
# chooses gets no update, so it stays where it is, and few come back (section 5). First I would spend part of the same steps as a warm-up without quantization and place the codes
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
# ## 9. Does it hold at other settings?
#
# One setting is one setting. Here are others, each with *one* change, cold and with a warm-up of 40 % of the steps, eight seeds each. By a rule fixed beforehand,
# the lab's claim **holds** where no cold training uses half of its codebook (in perplexity) and every warm one does. Otherwise it **bends**.
#
# Before you look: which of the changes could soften the disease, and which spoil the cure? Section 5 says that codes die when latents grow away from them.

# %%
others = sweeps.load("tokens_sensitivity")
settings = others.axes["setting"].values


def cold_warm(setting, k, key="perplexity"):
    """A number at the end, one a seed: cold, and after the warm-up."""
    return [others.final(key, setting=setting, start=start, codebook_size=k) for start in ("cold", "warm")]


verdicts = {setting: [readings.verdict(*cold_warm(setting, k), k) for k in (64, 256)] for setting in settings}
rows = []
for setting, (at_64, at_256) in verdicts.items():
    claim = at_64 if at_64 == at_256 else f"K = 64 {at_64}; K = 256 {at_256}"
    codes = " → ".join(spread(active) for active in cold_warm(setting, 256, "active"))
    rows.append([setting, *cold_warm(setting, 64), *cold_warm(setting, 256), codes, claim])
columns = [f"K = {k}, {start}" for k in (64, 256) for start in ("cold", "warm")]
table(["what is changed", *columns, "active of 256, cold → warm", "the claim"], rows)


# %%
def growth_after_switch(setting):
    """Spread of the latents at the end over that at the switch, with the warm-up and K = 256: (seeds,)."""
    size = others.at(setting=setting, start="warm", codebook_size=256)["size"]  # (seeds, frames)
    return size[:, -1] / size[:, 1]


def in_the_middle(setting):
    """Share of trained latents within half of their radius of their mean, cold and K = 256: (seeds,)."""
    return others.final("middle", setting=setting, start="cold", codebook_size=256)


bent = [setting for setting, said in verdicts.items() if set(said) != {"holds"}]
beside = ("as in this lab", "L1 loss, β = 4", "ring without clusters", "16 clusters on a grid")
rows = []
for setting in settings:
    if setting in bent or setting in beside:
        cold_256, warm_256 = cold_warm(setting, 256)
        rows.append(
            [setting, warm_256, spread(growth_after_switch(setting)), cold_256, per_cent(in_the_middle(setting), 1)]
        )
columns = (
    "perplexity of 256, warm",
    "latents grow after the switch",
    "perplexity of 256, cold",
    "latents in the middle",
)
table(["what is changed", *columns], rows)

# %%
is_cured = np.array([all((cold_warm(setting, k)[1] >= k / 2).all() for k in (64, 256)) for setting in settings])
growth = np.array([growth_after_switch(setting).mean() for setting in settings])
pulled = growth[settings.index("L1 loss, β = 4")]
shapes = {
    "clusters and a hole": "as in this lab",
    "only a hole": "ring without clusters",
    "only clusters": "16 clusters on a grid",
    "neither": "uniform square",
}
of_64 = {shape: cold_warm(setting, 64)[0].mean() for shape, setting in shapes.items()}
inside = {shape: in_the_middle(setting).mean() for shape, setting in shapes.items()}
Markdown(
    f"The claim holds in {len(settings) - len(bent)} of {len(settings)} settings at both K. Where it bends, section 5 says why:\n\n"
    f"- **The cure fails where the latents go on growing** after the codes are placed. Where it works they grow {growth[is_cured].min():.2f}- to "
    f"{growth[is_cured].max():.2f}-fold, where it does not {growth[~is_cured].min():.2f}- to {growth[~is_cured].max():.2f}-fold. "
    f"What holds latents to their codes is the commitment, so a small β lets them go. The L1 loss pulls as hard at a small error as at a large one, and the β = 0.25 of "
    f"this lab is too little against it. With β = 4 it holds them ({pulled:.2f}-fold).\n"
    f"- **The disease is milder without a hole in the middle.** Latents that stay there still choose the codes of the heap. At the settings of this lab, on the ring with clusters and without, at most "
    f"{max(inside['clusters and a hole'], inside['only a hole']):.1%} of the trained latents lie there, on data without a hole at least "
    f"{min(inside['only clusters'], inside['neither']):.1%}. At K = 64 a cold start has a perplexity of "
    + ", ".join(f"{number:.0f} ({shape})" for shape, number in of_64.items())
    + f". To fill the hole is worth a factor of {of_64['neither'] / of_64['only a hole']:.1f}, to do away with the clusters "
    f"{of_64['only a hole'] / of_64['clusters and a hole']:.1f}."
)

# %% [markdown]
# ## 10. What the paper claims · what we measured
#
# | | arXiv 2411.16550 | here |
# |---|---|---|
# | cause | k-means on an untrained encoder, whose outputs are nearly a point | reproduced (section 5) |
# | why that hurts | the embeddings are not yet distinct, so codes placed on them are not either | **another reason**: it is scale. Distinct but narrow latents let the codes die, indistinct but wide ones do not (section 5) |
# | cure | train without quantization first, then k-means, then fine-tune | reproduced (section 4) |
# | large K | the gain grows with the codebook | reproduced (section 4); with an L1 loss or a small β the cure is partial (section 9) |
# | small K | with few codes, pre-training is slightly *worse*, for there is a gap between continuous and discrete training | **not reproduced**: at K = 8 no warm-up length has a higher mean error than the cold start (section 8) |
# | other initialisations | not compared | clusterings change nothing; scale and replacement do (section 7) |
#
# The paper's widths, codebook sizes and learning rates were not at hand; what it claims is quoted from its abstract and from summaries.
# Our set-up is in its spirit, not a copy, and two dimensions are few.

# %% [markdown] model="double_k"
# ### A model answer to the open question
#
# Write yours first (section 8).

# %% [markdown]
# ## 11. Without code
#
# 1. You count 10 active codes of 256 on 80 latents, a colleague counts 20 on 4,000, at the same step. Who is right?
# 2. A codebook has 30 codes in use and reads a perplexity of 16. How can both be true?
# 3. A warm-up of 400 steps takes these steps from the quantized training. Why does that not cost?
#
# <details><summary>Answers</summary>
#
# 1. Both counted rightly, but 80 latents cannot choose more than 80 codes, and choose few of the rare ones. Say N with the number; take many times K.
# 2. Perplexity weighs codes by how often they are chosen. It equals their number only if all are chosen equally often; here a few take most of the tokens.
# 3. Nothing is lost in them: the encoder and the decoder learn to reconstruct, without codes in their way. What is left to do is to place the codes, and to let them settle.
#
# </details>
#
# Next: [Lab 02, *Embeddings collapse*](02_embeddings_collapse.ipynb). There the codes are fine, and the encoder is too small.
