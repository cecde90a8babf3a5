# %% [markdown]
# # Lab 04 · Why dimensions die
#
# **Every code is in use, and still most dimensions are dead. You will say why, predict how many live, and choose the warm-up that saves them.**
#
# | | |
# |---|---|
# | Time | 80 minutes, and 45 for the exercises |
# | You need | [Lab 01](01_tokens_collapse.ipynb), a little calculus |
# | You will be able to | water-fill a spectrum by hand · say why a mode under water stays dead · predict the number of dimensions and the loss that a warm-up will give · choose when to switch without a sweep |
# | Exercises | 5, worth 15 points, and an open question worth 4 |
#
# The idea is that of *Continuous First, Discrete Later: VQ-VAEs Without Dimensional Collapse* (arXiv 2605.06870). Its own equations (6–8, 16, 17)
# were not at hand: **the derivation below is ours**, from its description, and every step of it is written out.

# %% [markdown]
# ## 1. The puzzle
#
# The data: points with 32 independent Gaussian coordinates, the **modes**. Mode j has variance σⱼ² ∝ 1/j, and the variances sum to 32.
# The model could not be simpler: a linear encoder 32 → 32, a quantizer with K codes, a linear decoder 32 → 32. Dead codes are replaced while it trains,
# so the cure of Lab 01 is switched on. Here is the end of a training that was quantized from the first step:

# %%
from vqlab import sweeps
from vqlab.labs.lab04.pictures import dimensions

sweep = sweeps.load("dimensions_collapse")
dimensions.training_view(sweep, {"warmup": 0, "codebook_size": 256, "slope": 1, "budget": 1500})

# %% [markdown]
# All codes are used, about evenly. And yet the codebook is flat: its **effective dimension** (the principal components that hold 99 % of its variance)
# is far below 32; the title has the number. On the left you see the price: the first few modes are served, all others lose everything.
# No code can be blamed. This is **dimensional collapse**.

# %% [markdown]
# ## 2. Predict
#
# Now with a warm-up: some of the 1,500 steps as a plain autoencoder, then k-means, then quantized. The encoder has 32 outputs, and in the end
# an autoencoder uses all of them.

# %%
from vqlab.widgets import Prediction

Prediction(
    "With a warm-up of 200 steps and K = 1,024: which effective dimension (of 32) do you expect of the codebook?",
    measured=lambda: sweep.at(warmup=200, codebook_size=1024, slope=1)["code_dim"][:, -1],
    possible=(1, 32),
)

# %% [markdown]
# ## 3. Cause it, cure it
#
# Drag the **warm-up length**. Dashed is what theory says, from the settings alone; section 5 derives it. Then change K, and the **slope** of the spectrum
# (at slope 2 a few modes hold nearly everything, at slope ½ they are alike). **Budget** looks at the same trainings earlier.
#
# "Train it live" trains the shown position now: four seeds that are not stored, 1,500 steps. That takes 3 to 10 seconds, more on a busy machine.

# %%
from vqlab.widgets import Explorer, Slider

BUDGETS = (500, 750, 1000, 1500)
explorer = Explorer.of(
    sweep,
    dimensions.training_view,
    start={"warmup": 0, "codebook_size": 256, "slope": 1},
    also=[Slider("budget", "budget", BUDGETS, start=1500, unit="steps")],
    live=True,
)
explorer

# %% [markdown]
# ## 4. Read it
#
# Mean ± standard deviation over the stored seeds, K = 256, slope 1. The error is the squared error summed over the 32 dimensions.

# %%
from vqlab.figures import spread, table

d = sweep.settings["dim"]
warmups = sweep.axes["warmup"].values

rows = []
for warmup in warmups:
    used, dims, error = (
        sweep.final(key, warmup=warmup, codebook_size=256, slope=1) for key in ("active", "code_dim", "mse")
    )
    rows.append([warmup, used, dims, spread(error * d, 4)])
table(["warm-up (steps)", "codes in use (of 256)", "effective dimension (of 32)", "error"], rows)

# %%
import numpy as np
from IPython.display import Markdown

used, dims, error = (
    sweep.final(key, codebook_size=256, slope=1) for key in ("active", "code_dim", "mse")
)  # (warm-up, seeds)
best = int(error.mean(1).argmin())
Markdown(
    f"- **The codes are always all used**: at least {used.min() / 256:.1%} of them, at every warm-up length.\n"
    f"- **The dimension grows with the warm-up**, from {spread(dims[0])} cold to {spread(dims[-1])} after {warmups[-1]} steps.\n"
    f"- **The error does not follow it.** It falls by {1 - error[best].mean() / error[0].mean():.1%} up to a warm-up of "
    f"{warmups[best]} steps, then rises again, and at {warmups[-1]} steps it is {error[-1].mean() / error[0].mean() - 1:+.1%} "
    "to the cold start. There is a best length, and more dimensions are not always better."
)

# %% [markdown]
# ## 5. Explain it
#
# ### 5.1 Pour water: which modes deserve bits?
#
# A code with K entries carries R = log₂ K bits per token. How should they be shared among modes with variances v₁ ≥ v₂ ≥ …?
#
# * A Gaussian of variance v described with r bits keeps an error of D = v·2⁻²ʳ at best. So r = ½ log₂(v/D): **every halving of the error costs half a bit.**
# * We want the least Σ Dⱼ under Σ ½ log₂(vⱼ/Dⱼ) = R. With a multiplier μ, the derivative with respect to Dⱼ is 1 − μ/(2 ln 2 · Dⱼ) = 0.
#   So **all served modes end with the same error**, Dⱼ = μ/(2 ln 2). Call it D*.
# * A mode with vⱼ < D* would get *negative* bits. That is not on offer: it gets none and loses its vⱼ.
#
# This is **reverse water-filling**. The level D* is the water; modes that stand out of it are **active** and get bits; the others are under water:
#
# $$\sum_j \max\!\left(0,\ \tfrac12\log_2\frac{v_j}{D^*}\right) = R, \qquad D_j = \min(v_j, D^*), \qquad D(R) = \sum_j D_j$$
#
# With n active modes the sum has n terms, so log₂ D* = (Σⱼ≤ₙ log₂ vⱼ − 2R)/n. Pour it:

# %%
from vqlab.labs.lab04.pictures import water

Explorer(
    [
        Slider("bits", "bits R", tuple(range(17)), start=8, unit="bits"),
        Slider("slope", "spectrum slope", (0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2), start=1),
    ],
    water.water_view,
)

# %% [markdown]
# ### 5.2 A quantizer as a channel
#
# Now z is a latent of variance λ, and z_q what comes out of the best code that leaves it the error D. On average z_q shrinks z: z_q = c·z + noise
# of variance τ². Two facts fix c and τ²:
#
# * z_q is a best guess, so what is left, z − z_q, is uncorrelated with z_q: cλ = c²λ + τ², hence **τ² = c(1 − c)λ**.
# * The error is D = (1 − c)²λ + τ² = (1 − c)λ, hence **c = 1 − D/λ**. For a mode under water D = λ, so **c = 0: nothing passes.**
#
# Encoder gain a, decoder gain b: z = a·x has λ = a²σ², and x̂ = b·z_q. Then the loss of a mode is
#
# $$E(x - b z_q)^2 = \sigma^2(1 - cab)^2 + b^2\tau^2 = \sigma^2\left(1 - 2cab + c\,a^2b^2\right)$$
#
# Believe it? A million samples of one mode:

# %%
rng = np.random.default_rng(0)
variance, a, b, level = 2.0, 0.7, 0.9, 0.4
x = rng.normal(0, np.sqrt(variance), 1_000_000)
z = a * x
latent = a**2 * variance
c = 1 - level / latent
z_q = c * z + rng.normal(0, np.sqrt(c * (1 - c) * latent), len(x))
print(f"error of the channel: measured {np.mean((z - z_q) ** 2):.4f}, D* = {level}")
print(
    f"loss of the mode:     measured {np.mean((x - b * z_q) ** 2):.4f}, formula {variance * (1 - 2 * c * a * b + c * (a * b) ** 2):.4f}"
)

# %% [markdown]
# ### 5.3 Why a mode dies, and stays dead
#
# Training goes down the gradient of half this loss, and the channel (c, τ²) is held fixed while differentiating. The decoder:
#
# $$\dot b = -\tfrac12 \frac{\partial}{\partial b}\,\sigma^2\left(1-2cab+c\,a^2b^2\right) = c\,\sigma^2 a\,(1 - ab)$$
#
# **It is multiplied by c.** Under water c = 0, so ḃ = 0: the decoder sees nothing of this mode, so it learns nothing about it.
#
# And the encoder? It gets the straight-through gradient plus the commitment, −½β·(z − z_q)². With c = 0 that is ȧ = σ²(b − βa):
# it goes to rest at **a = b/β** (you will do the general case in Exercise 2). There the latent has the variance (b/β)²σ². From a small start b is small,
# and so is this. It is still under water, b never moves, and nothing else ever happens. **The mode is dead for good**, though each single step was downhill.
#
# Three more things follow.
#
# * **The floor.** A dead mode costs its whole σ², whatever the codebook does. With the modes 1…n alive the loss is at least Σ_{dead} σⱼ² + D_R(modes 1…n).
# * **Why warm-up helps.** With c = 1 everywhere the modes grow, large ones first: from a = b = ε, a² = 1/(1 + (ε⁻² − 1)e^(−2σ²t)) (Saxe et al. 2014).
#   A mode that is above the water when the quantizer comes survives.
# * **Commitment holds the dead down.** With β = 0, ȧ = σ²b never ends: the mode creeps up and escapes. With a small β it rests at b/β, which is far
#   above b: after a warm-up that may be out of the water again.
#
# Watch all 32 modes. This is computed while you drag, nothing is stored. Steps are those of the real training: one step is

# %%
from vqlab.labs.lab04.forecast import start_gain, step_time

print(f"{step_time(sweep.settings):.3g} units of time, and its random start is ε = {start_gain(sweep.settings):.3g}")

# %%
from vqlab.labs.lab04.pictures import flow

Explorer(
    [
        Slider("warmup", "warm-up length", warmups, start=0, unit="steps"),
        Slider("bits", "bits R", (2, 4, 6, 8, 10, 12, 14), start=8, unit="bits"),
        Slider("beta", "commitment β", (0, 0.25, 1, 4), start=0.25),
        Slider("start", "start gain ε", (0.02, 0.08, 0.2, 0.5), start=0.08),
    ],
    lambda state: flow.flow_view(sweep.settings, state),
)

# %% [markdown]
# Find the regimes; the title names them.
#
# - **Cold start**: warm-up 0. A few modes run away, the others lie flat. Does more R help? How much does ε = 0.2 help?
# - **Balanced**: warm-up 400 with β = 1. All modes that deserve bits have grown, with a = b, when the water rises, and they stay.
# - **Lifted**: warm-up 200 with β = ¼. Some are still under water at the switch, but their encoder gains rise to b/β and bring them up,
#   and with them a mode that deserves no bits. With β = 1 there is no such lift: try it.
# - **Long warm-up**: 800 with β = ¼. All decoders have grown, so b/β lifts many modes that deserve no bits. They sink again, slowly, and cost bits meanwhile.
# - **Strong commitment**: 800 with β = 4. Now b/β is *below* b, and modes that were up drown.
# - **Slow escape**: warm-up 0, β = 0. Modes come up one after the other.

# %% [markdown]
# ## 6. Predicted against measured
#
# The flow knows nothing of codes, k-means, replacement or batches. It is given R, σ², β, ε and the lengths. How well does it foresee the real quantizer?
#
# For "dimension" both get the same 99 % rule: the codebook's variance here, that of the channel's output there.

# %%
from vqlab.labs.lab04 import readings

sizes = sweep.axes["codebook_size"].values
rows = []
for k in sizes:
    predicted = readings.predict(sweep, codebook_size=k, slope=1, budget=1500)
    for i in (0, 2, 4, 6, 8, 10):
        here = {"warmup": warmups[i], "codebook_size": k, "slope": 1}
        dims, error = sweep.final("code_dim", **here), sweep.final("mse", **here) * d
        ratio = f"{error.mean() / predicted.error[i]:.3f}"
        expected = f"{predicted.error[i]:.2f}"
        rows.append([f"{np.log2(k):.0f}", warmups[i], predicted.dimension[i], dims, expected, spread(error, 4), ratio])
table(
    [
        "R (bits)",
        "warm-up (steps)",
        "dimension: predicted",
        "measured",
        "error: predicted",
        "measured",
        "measured / predicted",
    ],
    rows,
)

# %% [markdown]
# As a picture, for every K and slope. Left: dimension, grey is ± 1. Right: the trainings, from cold to long warm-up, in the plane of dimension and error.
# Dotted is the floor of section 5.3 with m live modes. Green is another reference: **no training at all**, just k-means with K codes on the first m modes of the
# data itself.

# %%
from vqlab.labs.lab04.pictures import verdicts

clustered = sweeps.load("dimensions_floor")
Explorer.of(
    sweep,
    lambda sweep, state: verdicts.verdict_view(sweep, clustered, state),
    start={"codebook_size": 256, "slope": 1},
)

# %% [markdown]
# **The verdict in words**, over all K and slopes:

# %%
off, above, shannon, kmeans = [], [], [], []
for k in sizes:
    for slope in sweep.axes["slope"].values:
        predicted = readings.predict(sweep, k, slope, 1500)
        measured = sweep.final("mse", codebook_size=k, slope=slope).mean(1) * d
        off.append(sweep.final("code_dim", codebook_size=k, slope=slope).mean(1) - predicted.dimension)
        above.append(measured / predicted.error - 1)
        shannon.append(measured.min() / readings.shannon(sweep, k, slope).distortion - 1)
        kmeans.append(measured.min() / (clustered.at(codebook_size=k, slope=slope)["mse"].mean(1).min() * d) - 1)
off, above, shannon, kmeans = map(np.array, (off, above, shannon, kmeans))  # (9 positions, warm-ups) and (9,)

rows = []
for name, here in readings.groups(sweep).items():
    o, g = off[:, here], above[:, here]
    dims = f"{o.mean():+.1f} ({o.min():+.1f} to {o.max():+.1f})"
    error = f"{g.mean():+.1%} ({g.min():+.1%} to {g.max():+.1%})"
    rows.append([name, dims, f"{np.mean(np.abs(o) <= 1):.0%}", error])
table(
    [
        "warm-up (steps)",
        "dimension, measured less predicted: mean (range)",
        "within 1",
        "error above prediction: mean (range)",
    ],
    rows,
)

# %%
predicted = readings.predict(sweep, codebook_size=256, slope=1, budget=1500)
error = sweep.final("mse", codebook_size=256, slope=1).mean(1)  # (warm-ups,)
Markdown(
    f"- **The dimension is foreseen where it matters**: for warm-ups of 100 to 300 steps it is off by "
    f"{np.abs(off[:, readings.groups(sweep)['100–300']]).mean():.1f} of {d} on average.\n"
    f"- **Cold starts keep more than foreseen**, {off[:, 0].mean():.1f} modes on average and up to {off[:, 0].max():.1f}. "
    "In theory a dead mode is frozen for good; a real code leaks a little of every mode, the more so the more codes there are.\n"
    f"- **So the gain is overstated.** K = 256, slope 1: predicted {1 - predicted.error.min() / predicted.error[0]:.1%} "
    f"from cold to best, measured {1 - error.min() / error[0]:.1%}.\n"
    f"- **No finite code reaches Shannon's floor**, which takes endlessly long codewords. The best training stays {shannon.min():.0%} to "
    f"{shannon.max():.0%} above it. But it is within {np.abs(kmeans).max():.1%} of k-means on the data, at every K and slope: "
    "**the gap is that of a finite K, not of the training.**"
)

# %% [markdown]
# The *quick* prediction, the count at the switch #{j : λⱼ > D*} (dotted in the middle panel of section 3), needs the latents' spectrum only. It is vacuous for a short warm-up:
# at the start λⱼ = ε²σⱼ² has the shape of the data's spectrum, so the count is Shannon's, though nothing has been learned yet. Quantify what theory misses at a position of your choice:

# %%
K, SLOPE = 1024, 2  # change me

predicted = readings.predict(sweep, codebook_size=K, slope=SLOPE, budget=1500)
for i, warmup in enumerate(warmups):
    cell = {key: values[:, -1] for key, values in sweep.at(warmup=warmup, codebook_size=K, slope=SLOPE).items()}
    print(f"warm-up {warmup:3d}, at the switch {predicted.at_switch[i]:2d}. {readings.verdict(cell, predicted, i, d)}")

# %% [markdown]
# ## 7. Build it
#
# Five exercises, with hints to open and a check right under each, and an open question.

# %% [markdown]
# ### Exercise 1 · `water_level` (★★☆, 8 minutes, 4 points)
#
# Given `variances` (a numpy array, in any order) and `bits` R, return the water level D*.
#
# <details><summary>Hint 1</summary>A mode above water costs ½ log₂(v/D*) bits; all of them together cost R. Note the ½, and that it is log<b>2</b>.</details>
# <details><summary>Hint 2</summary>Sort the variances, largest first. If exactly the first n are active: log2(D) = (cumsum(log2 v)[n−1] − 2R) / n. That is one candidate for each n.</details>
# <details><summary>Hint 3</summary>Each further mode raises the candidate exactly as long as it stands out of the water. So the right n gives the largest candidate. (Bisection on D works as well.)</details>


# %% exercise="water_level"
def water_level(variances, bits):
    ### BEGIN SOLUTION
    largest_first = np.sort(variances)[::-1]
    count = np.arange(1, len(variances) + 1)
    candidates = (np.cumsum(np.log2(largest_first)) - 2 * bits) / count
    return 2 ** candidates.max()
    ### END SOLUTION


# %% check="water_level"
from vqlab.labs.lab04 import exercises as lab04

lab04.water_level(water_level)

# %% [markdown]
# ### Exercise 2 · `mode_flow` (★★★, 10 minutes, 3 points)
#
# The gradient of one mode. Given encoder gain `a`, decoder gain `b`, channel gain `c`, the mode's `variance` σ² and the commitment weight `beta`,
# return the pair (ȧ, ḃ): the direction in which training moves a and b. It goes *down* ½·(reconstruction error) + ½·β·(commitment).
#
# <details><summary>Hint 1</summary>Write x̂ = b·z_q. Down the gradient of ½(x − x̂)² means +(x − x̂)·(what x̂ depends on). Then average: E[x·x] = σ², E[x·z] = aσ², E[x·z_q] = c·aσ².</details>
# <details><summary>Hint 2</summary>Straight-through: the encoder's a receives (x − b·z_q)·b·x, as if z_q were z = a·x, without a further factor c. Its average is σ²·b·(1 − c·a·b).</details>
# <details><summary>Hint 3</summary>Commitment ½β(z − sg(z_q))²: down its gradient is −β·(z − z_q)·x. Its average is −β·(1 − c)·a·σ².</details>
# <details><summary>Hint 4</summary>The decoder was derived in section 5.3. It includes the noise: E[z_q²] = c²λ + τ² = c·a²σ².</details>


# %% exercise="mode_flow"
def mode_flow(a, b, c, variance, beta):
    ### BEGIN SOLUTION
    da = variance * (b * (1 - c * a * b) - beta * (1 - c) * a)
    db = c * variance * a * (1 - a * b)
    return da, db
    ### END SOLUTION


# %% check="mode_flow"
lab04.mode_flow(mode_flow)

# %% [markdown]
# ### Exercise 3 · `predict` (★★☆, 8 minutes, 3 points)
#
# Given `variances` σ² (sorted, largest first), the `warmup` length in units of time, `bits` R and the start `eps`, return the pair (active, loss):
# how many modes are above water at the switch, and the loss floor that follows. You may use `theory.water_fill(variances, bits)`; it returns
# `.level`, `.active` and `.distortion`.
#
# <details><summary>Hint 1</summary>Saxe's formula of section 5.3 gives a² at the end of the warm-up, with ε<sup>−2</sup> and a 2 in the exponent. The latents have variance λ = a²σ². Water-fill those.</details>
# <details><summary>Hint 2</summary>The loss: the sum of σ² of the dead modes, plus D(R) of the active modes' σ² (of the data, not of the latents).</details>

# %% exercise="predict"
from vqlab import theory


def predict(variances, warmup, bits, eps):
    ### BEGIN SOLUTION
    grown = 1 / (1 + (eps**-2 - 1) * np.exp(-2 * variances * warmup))  # a² (d,)
    active = int(theory.water_fill(variances * grown, bits).active)
    dead = variances[active:].sum()
    return active, dead + theory.water_fill(variances[:active], bits).distortion
    ### END SOLUTION


# %% check="predict"
lab04.predict(predict)

# %% [markdown]
# ### Exercise 4 · `should_switch` (★★☆, 7 minutes, 4 points)
#
# You watch a warm-up. Every few steps you water-fill the latents' spectrum and append the number of active modes to the list `counts`.
# Return True when it is time to switch: when the last `patience` checks brought no new maximum. Mind that the first counts are vacuous:
# they start high and fall. Only what comes after the lowest count says anything.
#
# <details><summary>Hint 1</summary>How many checks have passed since the maximum was reached for the first time? Switch if that is at least <code>patience</code>.</details>
# <details><summary>Hint 2</summary>Before that, cut the list: <code>counts = counts[counts.index(min(counts)):]</code>.</details>


# %% exercise="should_switch"
def should_switch(counts, patience):
    ### BEGIN SOLUTION
    counts = counts[counts.index(min(counts)) :]
    since = len(counts) - 1 - counts.index(max(counts))
    return since >= patience
    ### END SOLUTION


# %% check="should_switch"
lab04.should_switch(should_switch)

# %% [markdown]
# ### Exercise 5 · your prediction (★☆☆, 2 minutes, 1 point)
#
# Run the cell: it names a slope, a warm-up length in units of time, and bits. 32 modes whose variances sum to 32, start ε = 0.08.
# How many modes are above water at the switch? Set `modes` to it.
#
# <details><summary>Hint 1</summary><code>data.power_law_spectrum(32, slope)</code> gives the variances. Your own <code>predict</code> does the rest; its first result is the number.</details>

# %% exercise="modes" stub="modes = None"
from vqlab import data

my_slope, my_warmup, my_bits = lab04.spectrum_warmup_bits()
print(f"slope {my_slope:g}, warm-up {my_warmup:g} units of time, {my_bits} bits")
### BEGIN SOLUTION
modes, _ = predict(data.power_law_spectrum(32, my_slope), my_warmup, my_bits, eps=0.08)
### END SOLUTION

# %% check="modes"
lab04.modes(modes)

# %% [markdown]
# ### Open question (10 minutes, 4 points)
#
# An audio tokenizer has K = 1,024. All codes are used, and the codebook has an effective dimension of 4 in 64. Someone concludes: "Replace dead codes, then the other
# 60 dimensions will come." In four to eight sentences: why will they not come, what would bring some of them back, how many would you expect at most, and when would more be worse?

# %% [markdown] open="sixty_dimensions" points=4
# ### BEGIN SOLUTION
# No code is dead, so there is nothing to replace; and new codes would be placed on latents, which are flat in those 60 directions, so they would be flat as well. A mode under
# water passes nothing (c = 0): its decoder gain b gets no gradient and stays as small as it was, and its encoder gain comes to rest at b/β, which is small as well; so it stays dead.
# A warm-up without quantization lets modes grow before the water rises. With log2 1,024 = 10 bits I would expect about as many as water-filling of the data's spectrum serves:
# for 64 modes 30 at slope ½, 16 at slope 1, 8 at slope 2, never all 64. More is worse when the bits are spread over modes that deserve none: the error is U-shaped in the warm-up length.
# ### END SOLUTION

# %% [markdown] rubric="sixty_dimensions"
# | points | for |
# |---|---|
# | 1 | replacement cannot help: no code is dead, and new codes lie on flat latents |
# | 1 | why a mode under water stays dead: no gradient for the decoder, commitment for the encoder |
# | 1 | warm-up, and a number from water-filling at 10 bits (or a reasoned range), not 64 |
# | 1 | too many is worse: bits are shared, the error is U-shaped |

# %% [markdown]
# ## 8. Switch by itself, and where that breaks
#
# The rule of Exercise 4, ready-made: `vqlab.adaptive.AdaptiveSwitch` is a callback for any training of vqlab. Setting `warmup` to all the steps
# leaves the decision to it.

# %%
import torch

from vqlab import data
from vqlab.models import LinearAutoencoder
from vqlab.training import AdaptiveSwitch, Settings, Trainer

torch.set_num_threads(1)  # so small a model gains nothing from more
x = torch.from_numpy(data.power_law_gaussian(20_000, d=32, slope=1).x)
settings = Settings(
    codebook_size=256,
    steps=700,
    warmup=700,
    batch_size=512,
    learning_rate=0.01 * 32,
    optimizer="sgd",
    decay=0.97,
    replace_below=0.1,
)
switch = AdaptiveSwitch(every=25, patience=3, latest=0.9)
Trainer(LinearAutoencoder(seeds=[7]), x, settings, seeds=[7]).run(switch)
print("active modes, every 25 steps:", [int(score) for score in switch.history])
print(f"switched at step {switch.switched_at}; Shannon would serve {readings.shannon(sweep, 256, 1).active} modes")

# %% [markdown]
# How good is that? Against the best fixed warm-up of the sweep, which takes a whole sweep to find. Every seed switches for itself here.
# "patient" is the rule above. "eager" switches as soon as 50 steps bring no more than one new mode; we chose it *after* seeing the sweep, so it is not a fair contestant.

# %%
from vqlab.labs.lab04.pictures import switching

adaptive = sweeps.load("dimensions_adaptive")
Explorer.of(
    sweep,
    lambda sweep, state: switching.switching_view(sweep, adaptive, state),
    start={"codebook_size": 256, "slope": 1},
)

# %%
positions = [(k, slope) for k in sizes for slope in sweep.axes["slope"].values]
shortest = np.array([readings.best_warmup(sweep, *position, 1500) for position in positions])
cold = np.array([readings.cold_regret(sweep, *position).mean() for position in positions])
rows = [["cold, no warm-up", f"{cold.mean():+.2%} ({cold.max():+.2%})", f"{-shortest.mean():+.0f}"]]
for rule in adaptive.axes["rule"].values:
    regret = np.array([readings.regret(sweep, adaptive, rule, *position).mean() for position in positions])
    steps = np.array([adaptive.at(rule=rule, codebook_size=k, slope=s)["switched"].mean() for k, s in positions])
    rows.append([rule, f"{regret.mean():+.2%} ({regret.max():+.2%})", f"{(steps - shortest).mean():+.0f}"])
table(["rule", "regret in error: mean of the 9 positions (worst)", "regret in steps"], rows)

# %%
patient = np.array([readings.regret(sweep, adaptive, "patient", *position).mean() for position in positions])
lost = [f"K = {k}, slope {slope:g}" for (k, slope), worse in zip(positions, patient > cold, strict=True) if worse]
print(f"the patient rule does worse than a cold start at: {', '.join(lost) or 'no position'}")

# %% [markdown]
# **Now break it.** The rule waits until every mode that *Shannon* would serve is up. A finite code wants fewer, as the green curve of section 6 shows, so the rule waits too long.
# Is that bad? Look at the left panel: the curves are **U-shaped**. Dimensional collapse on the left arm, and on the right arm dimensions that the code cannot afford.
# Which length is best, for each K and budget? (In brackets: lengths that are no worse within two standard errors. Theory is flat near its best, so its
# entry is the shortest length within 0.1 %.)

# %%
rows = []
for slope in sweep.axes["slope"].values:
    for k in sizes:
        cells = []
        for budget in BUDGETS:
            tied = readings.tied_warmups(sweep, k, slope, budget)
            among = f" ({tied[0]}–{tied[-1]})" if len(tied) > 1 else ""
            cells.append(f"{readings.best_warmup(sweep, k, slope, budget)}{among}")
        flows = [readings.predict(sweep, k, slope, budget).error for budget in (500, 1500)]
        foreseen = [warmups[np.flatnonzero(error < 1.001 * error.min())[0]] for error in flows]
        rows.append([slope, k, *cells, *foreseen])
table(["slope", "K", *(f"after {budget:,}" for budget in BUDGETS), "theory, after 500", "theory, after 1,500"], rows)

# %% [markdown]
# **Read it.**
#
# - *With K* the best length grows at a small budget, most clearly with a steep spectrum: more bits serve more modes, and late modes grow slowly.
#   After 1,500 steps this is hardly left, and at slope 1 not at all.
# - *With the budget* it does **not** grow. In theory it hardly moves; measured, it shrinks a little. Time lets excess modes sink, which forgives a long warm-up;
#   but in the real quantizer it also heals a short one, because dead modes leak back. A longer training makes the U flat.
# - *Too long* is worst when little is left: drag the budget to 500 in section 3 and look at the right arm.
#
# Say what happens before you look, then try:
#
# - K = 64, slope ½, budget 500: can a warm-up make it *worse than cold*?
# - The same at budget 1,500.
# - In the flow of section 5: which β makes a long warm-up harmless?

# %% [markdown]
# ## 9. What the papers claim · what we measured
#
# First the paper's own setting, 64 modes σ² = 1/j, from a balanced start ε = 0.1 with β = 1, run to time 400. In a cell: modes active at the end (count at the switch).

# %%
from vqlab.theory import dense_flow, diagonal_flow

spectrum, times = 1 / np.arange(1, 65), np.array([0, 1, 4, 8, 16, 32, 64, 128])
bits = np.array([[12], [14], [16]])
trained = diagonal_flow(spectrum, bits, times, total=400)
quick = theory.predicted_active(spectrum, times, bits)
rows = []
for i, r in enumerate(bits[:, 0]):
    cells = [f"{active} ({at})" for active, at in zip(trained.active[i, :, -1], quick[i], strict=True)]
    rows.append([r, *cells, theory.water_fill(spectrum, r).active])
table(["R (bits)", *(f"T = {t}" for t in times), "Shannon"], rows)

# %%
for r in (8, 12, 16):
    frozen = dense_flow(spectrum, r, warmup=0, total=30, seed=0)
    print(f"the same from random weights, cold, R = {r}: frozen at {frozen.active[-1]} modes")

# %% [markdown]
# | | the papers | here |
# |---|---|---|
# | collapse | 2605.06870: the codebook keeps 1–2 % of full rank (abstract) | collapsed with every code in use, but less far, the more codes the less (section 3, warm-up 0) |
# | cause | 2605.06870: modes under water get no gradient | reproduced in the flow (section 5) and roughly in a real quantizer (section 6) |
# | count at the switch | an upper bound of the final dimension, vacuous for a short warm-up | vacuous when short, yes. **Not an upper bound here**: with β < 1 modes come up again after the switch |
# | cold start | 2605.06870: ordinary VQ stays at 2–4 dimensions, frozen | starts there, then **leaks**: the more codes, the faster (sections 4, 6) |
# | warm-up | 2605.06870: error falls with warm-up; 17–35 % better rFID on images | error falls, by little: the squared error on Gaussians by a few per cent at most (section 8) |
# | too long | NeurIPS 2025, *Dimensional Collapse in VQVAEs: Evidence and Remedies*: loss is U-shaped in the dimension, best at 4–10 | reproduced: U-shaped at every K, slope and budget (sections 6, 8) |
# | adaptive switch | 2605.06870: stop when the predicted count stops growing | works, but late, by more than the best length itself; removes most of the cold start's loss on average, yet can do worse than it (section 8) |
#
# The two papers seem to disagree; the picture of section 6 holds both. Left of the bottom, dimensions are missing and a warm-up helps. Right of it, there are more dimensions than K codes can serve.
# What moves the bottom is K and the spectrum: images with a perceptual loss have a flatter one than with a pixel loss, and there a warm-up pays most.

# %% [markdown]
# ## 10. Without code
#
# 1. A codebook uses 100 % of its codes at nearly full perplexity. Is it healthy?
# 2. Why does replacing dead codes not bring back a dead mode?
# 3. You double K. How many more bits does each active mode get, if there are n of them and none is added?
#
# <details><summary>Answers</summary>
#
# 1. Not necessarily: those numbers do not see dimensions. Look at the effective dimension of the codebook, too.
# 2. New codes are placed on latents. The latents are flat in that mode, so the new codes are as well; and the decoder, b, gets no gradient for it.
# 3. R grows by one bit, and all active modes share it alike: 1/n bit each. The level falls by a factor 4^(1/n).
#
# </details>

# %% [markdown] model="sixty_dimensions"
# ### A model answer to the open question
#
# Write yours first (section 7).
