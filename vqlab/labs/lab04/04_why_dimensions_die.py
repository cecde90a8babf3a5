# %% [markdown]
# # Lab 04 · Why dimensions die
#
# **Every code is in use, and still most dimensions are dead. You will watch them lose a race, predict how many live, and choose the warm-up that saves them.**
#
# | | |
# |---|---|
# | Time | 45 minutes, and 56 for the exercises |
# | You need | [Lab 01](01_tokens_collapse.ipynb), a little calculus |
# | You will be able to | water-fill a spectrum by hand · say who drowns and when · say why a mode under water stays dead · predict the number of dimensions that a warm-up will give · say at which settings a paper's claim holds |
# | Exercises | 6, worth 19 points, and an open question worth 4 |
#
# The idea is that of *Continuous First, Discrete Later: VQ-VAEs Without Dimensional Collapse* (arXiv 2605.06870). We had its abstract, its captions and its public code,
# not its equations (6–8, 16, 17): **the derivation below is ours**, and every step of it is written out.

# %% [markdown]
# ## 1. The puzzle
#
# The data: points with 32 independent Gaussian coordinates, the **modes**. Mode j has variance σⱼ² ∝ 1/j, and the variances sum to 32.
# The model could not be simpler: a linear encoder 32 → 32, a quantizer with K = 256 codes, a linear decoder 32 → 32. Its weights start tiny. Dead codes are put back
# among the latents while it trains, so that none stays dead as in Lab 01. No sample is seen twice. Here is the end of a training that was quantized from the first step:

# %%
from vqlab import sweeps
from vqlab.labs.lab04.pictures import dimensions

sweep = sweeps.load("dimensions_collapse")
dimensions.training_view(sweep, {"warmup": 0, "beta": 1, "budget": 1500})

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
    "With a quarter of the codes, K = 64, and a warm-up of 200 steps: which effective dimension (of 32) do you expect of the codebook?",
    measured=lambda: sweeps.load("dimensions_sizes").final("code_dim", warmup=200, codebook_size=64),
    possible=(1, 32),
)

# %% [markdown]
# ## 3. Cause it, cure it
#
# Drag the **warm-up length**. Dashed is what theory says, from the settings alone; section 5 derives it. Then change the **commitment β**, the weight
# of the loss that pulls latents to their codes. The paper's synthetic runs have β = 1; many image tokenizers have ¼. **Budget** looks at the same trainings earlier.
#
# "Train it live" trains the shown position now: four seeds that are not stored, 1,500 steps. That takes 5 to 15 seconds, more on a busy machine.

# %%
from vqlab.widgets import Explorer, Slider

BUDGETS = (500, 750, 1000, 1500)
explorer = Explorer.of(
    sweep,
    dimensions.training_view,
    start={"warmup": 0, "beta": 1},
    also=[Slider("budget", "budget", BUDGETS, start=1500, unit="steps")],
    live=True,
)
explorer

# %% [markdown]
# ## 4. Read it
#
# Mean ± standard deviation over the stored seeds, β = 1. The error is the squared error summed over the 32 dimensions. "Above water" is what the latents promise
# at the switch; section 5.1 says how it is counted.

# %%
import numpy as np
from IPython.display import Markdown

from vqlab.figures import per_cent, spread, table
from vqlab.labs.lab04 import readings

d = sweep.settings["dim"]
warmups = sweep.axes["warmup"].values

above = readings.at_switch(sweep, beta=1)
rows = []
for i, warmup in enumerate(warmups):
    here = {key: sweep.final(key, warmup=warmup, beta=1) for key in ("active", "code_dim", "centroid_dim", "mse")}
    rows.append([warmup, here["active"], above[i], here["code_dim"], here["centroid_dim"], spread(here["mse"] * d, 4)])
table(
    [
        "warm-up (steps)",
        "codes in use (of 256)",
        "modes above water at the switch",
        "dimension of the codes",
        "of their centroids",
        "error",
    ],
    rows,
)

# %%
used, dims, error = (
    sweep.final("active", beta=1),
    sweep.final("code_dim", beta=1),
    readings.errors(sweep, beta=1),
)  # (warm-up, seeds)
best = readings.best(error)
arm = readings.right_arm(error)
Markdown(
    f"- **The codes are always all used**: at least {used.min():.0f} of 256, at every warm-up length.\n"
    f"- **The dimension grows with the warm-up**, from {spread(dims[0])} cold to {spread(dims[-1])} after {warmups[-1]:,} steps.\n"
    f"- **The error falls** by {per_cent(readings.gain(error), 1)}, most after {warmups[best]} steps.\n"
    f"- **Longer costs little**: after {warmups[-1]:,} steps of warm-up the error is {per_cent(arm, 2)} above the best, "
    f"{'more' if readings.clear(arm) else 'not more'} than two standard errors over the seeds."
)

# %% [markdown]
# "Centroids" moves every code to the mean of the latents that choose it, found from 65,536 fresh samples. A code is a running mean (γ = 0.97: half of it is older than 23 steps),
# so it lags behind latents that still move, and it is noisy. At the end that changes the dimension little, as the two columns show. At the beginning it matters: section 5.3.

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
# Now z is a latent of variance λ, and z_q what comes out of a code that leaves it the error D. On average z_q shrinks z: z_q = c·z + noise
# of variance τ². If codes are the means of their cells, two facts fix c and τ²:
#
# * z_q is a best guess, so what is left, z − z_q, is uncorrelated with z_q: cλ = c²λ + τ², hence **τ² = c(1 − c)λ**.
# * The error is D = (1 − c)²λ + τ² = (1 − c)λ, hence **c = 1 − D/λ**. For a mode under water D = λ, so **c = 0: nothing passes.**
#
# Encoder gain a, decoder gain b: z = a·x has λ = a²σ², and x̂ = b·z_q. Then the loss of a mode is
#
# $$E(x - b z_q)^2 = \sigma^2(1 - cab)^2 + b^2\tau^2 = \sigma^2\left(1 - 2cab + c\,a^2b^2\right)$$
#
# Believe it? A real quantizer: k-means with 64 codes (6 bits) on latents of two modes. The first has λ = 4, the second less and less. c and τ² are measured
# on latents that k-means has not seen, and laid beside 1 − D/λ and c(1 − c)λ with the D that it really leaves.

# %%
import torch

from vqlab.quantizers import initialise, look_up, nearest_code
from vqlab.theory import water_fill

torch.set_num_threads(1)  # so small a problem gains nothing from more, and loses much while the machine is busy
rows, above_shannon = [], []
for second in (1, 0.1, 0.02, 0.002, 0.0003):
    variances = np.array([4, second])
    dice = [torch.Generator().manual_seed(0)]
    z = torch.randn(1, 60_000, 2, generator=dice[0]) * torch.tensor(variances).sqrt().float()
    placed, z = z[:, :30_000], z[:, 30_000:]
    codebook = initialise("kmeans++", placed, 64, dice)[0]
    z_q = look_up(codebook, nearest_code(z, codebook))[0].double().numpy()
    z = z[0].double().numpy()
    latent = (z**2).mean(0)
    c = (z * z_q).mean(0) / latent
    left, noise = ((z - z_q) ** 2).mean(0), ((z_q - c * z) ** 2).mean(0)
    water = water_fill(variances, 6)
    above_shannon.append(left[0] / water.level)
    rows.append(
        [
            second,
            f"{left[0]:.4f}, {left[1]:.4f}",
            f"{water.level:.4f}",
            f"{c[1]:.3f}",
            f"{1 - left[1] / latent[1]:.3f}",
            f"{noise[1]:.5f}",
            f"{c[1] * (1 - c[1]) * latent[1]:.5f}",
            f"{max(0, 1 - water.level / second):.3f}",
        ]
    )
table(
    [
        "λ of mode 2",
        "error D of both modes",
        "Shannon's D*",
        "c of mode 2, measured",
        "1 − D/λ",
        "τ² measured",
        "c(1 − c)λ",
        "Shannon's c",
    ],
    rows,
)

# %%
Markdown(
    "The two formulas hold for a real quantizer. A mode that sinks gets c = 0 in fact, not only in theory. What theory idealises is D: in the large mode 64 codes leave "
    f"{min(above_shannon):.1f} to {max(above_shannon):.1f} times Shannon's D*, so **real water stands higher**, and a mode drowns in it that Shannon's would let live."
)

# %% [markdown]
# ### 5.3 The race: why a mode dies
#
# Without a quantizer (c = 1) all modes grow, **large ones first**. From a = b = ε (Saxe et al. 2014):
#
# $$a^2 = \frac{1}{1 + (\varepsilon^{-2} - 1)\,e^{-2\sigma^2 t}}$$
#
# Now quantize from the first step. At the start λⱼ = ε²σⱼ² has the very shape of the data's spectrum, so **every mode that deserves bits is above water**. None of these is dead.
# Then the large modes grow, and the bits go to them: the water *rises with them*. A slow mode is not pushed down. It is overtaken. The moment the level passes λⱼ, c is 0 and its decoder stops growing.
#
# Left, the race from cold. Right, the same race after a warm-up: while nothing is quantized nothing can drown, and a mode may come up again. This is computed while you drag, nothing is stored.

# %%
from vqlab.labs.lab04.pictures import race

Explorer(
    [
        Slider(
            "warmup",
            "warm-up length",
            (0, 25, 50, 75, 100, 150, 200, 250, 300, 400, 600, 800),
            start=200,
            unit="steps",
            play=True,
        ),
        Slider("bits", "bits R", (2, 4, 6, 8, 10, 12, 14), start=8, unit="bits"),
    ],
    lambda state: race.race_view(sweep.settings, state),
)

# %% [markdown]
# Who drowns first? The smallest: it has the least lead and the slowest growth. Who drowns last was fastest among the losers. After a warm-up that is not too short, and at β = 1, only those above water at the switch can live,
# so **the count at the switch bounds the dimension**. Do real latents race like that? Modes above water, counted on the latents of the real training (β = 1), beside the flow.
# And a second training, of 100 steps, that differs in one thing: its codes follow at once (γ = 0.5 instead of 0.97).

# %%
from vqlab import measures
from vqlab.data import power_law_gaussian
from vqlab.models import LinearAutoencoder
from vqlab.training import Settings, Trainer

recipe = ("codebook_size", "batch_size", "learning_rate", "optimizer", "commitment_weight", "replace_below")
brisk = Settings(**{key: sweep.settings[key] for key in recipe}, decay=0.5, steps=100)
samples = torch.from_numpy(power_law_gaussian(60_000, d, slope=1).x)
brisk_run = Trainer(LinearAutoencoder(sweep.seeds, d, d, sweep.settings["start_scale"]), samples, brisk, sweep.seeds)
early = (0, 10, 25, 50, 75, 100)
brisk_latents = [brisk_run.run(until=step).latents(samples[:8192]) for step in early]
brisk_water = [water_fill(measures.principal_variances(latents), 8) for latents in brisk_latents]

# %%
frames = sweep.settings["frames"]
cold_flow = race.run(sweep.settings, 0, 8)[0]
cold_latents = sweep.at(warmup=0, beta=1)["latent_variances"]  # (seeds, frames, d)
counted = water_fill(cold_latents, 8)
rows = []
for step in (*early, 1500):
    i, j = frames.index(step), int(np.searchsorted(cold_flow.times, step))
    at_once = brisk_water[early.index(step)] if step in early else None
    rows.append(
        [
            step,
            int(cold_flow.active[j]),
            counted.active[:, i],
            at_once.active if at_once else "",
            f"{cold_flow.level[j]:.4f}",
            f"{counted.level[:, i].mean():.4f}",
            f"{at_once.level.mean():.4f}" if at_once else "",
        ]
    )
table(
    [
        "cold, step",
        "modes above water: theory",
        "measured",
        "γ = 0.5",
        "level D*: theory",
        "measured",
        "γ = 0.5",
    ],
    rows,
)

# %%
at_100, lowest_count = frames.index(100), counted.active.min(1)
returned = int((counted.active[:, -1] > lowest_count).sum())
Markdown(
    "They do, only later. Real latents stand higher at first, because half of a random start points nowhere and never grows. Then the level rises more slowly: "
    f"{counted.level[:, at_100].mean():.3f} at step 100, where the flow has {cold_flow.level[int(np.searchsorted(cold_flow.times, 100))]:.3f}. **It is the codes that come late**, as running means do; "
    f"codes that follow at once reach {brisk_water[-1].level.mean():.3f}.\n\n"
    f"The end is much alike: {counted.active[:, 0].mean():.0f} modes above water at step 0, {counted.active[:, at_100].mean():.1f} at step 100 and {counted.active[:, -1].mean():.1f} at the end, where the flow says {cold_flow.active[-1]}. "
    f"In {returned} of {len(lowest_count)} seeds the last count is above the lowest. Counts are made at Shannon's level, and a mode near it may be counted out and in again."
)

# %% [markdown]
# ### 5.4 Why the dead stay dead
#
# What moves the gains? The decoder follows the gradient of half the loss, with the channel (c, τ²) held fixed:
#
# $$\dot b = -\tfrac12 \frac{\partial}{\partial b}\,\sigma^2\left(1-2cab+c\,a^2b^2\right) = c\,\sigma^2 a\,(1 - ab)$$
#
# **It is multiplied by c.** Under water c = 0, so ḃ = 0: the decoder sees nothing of this mode, so it learns nothing about it.
#
# The encoder is another matter. Its true gradient would carry a c as well, and be 0 under water. But rounding has no useful gradient, so training *copies* the gradient of z_q onto z
# (straight-through), without the c. With the commitment, −½β(z − z_q)², that gives
#
# $$\dot a = \sigma^2\left[\,b\,(1 - cab) - \beta\,(1 - c)\,a\,\right]$$
#
# * **Under water** (c = 0) it is σ²(b − βa): a goes to rest at **a = b/β**. From a small start b is small, and so is λ = (b/β)²σ². Still under water, b never moves, and nothing else ever happens.
#   With β = 0 it never rests: a creeps up, and the mode escapes. With β < 1 it rests above b, which after a warm-up may be out of the water again.
# * **Above water** ḃ = 0 asks for ab = 1, and then ȧ = 0 asks for b = βa. So for β > 0 other than 1 active modes do not rest at a = b = 1 but drift to **a = β^−½, b = β^½**: any pair with ab = 1 reconstructs alike,
#   and only the tug between the copied gradient and the commitment decides.
# * **The floor.** A dead mode costs its whole σ², whatever the codebook does. With the modes 1…n alive the loss is at least that of n modes, $\sum_{j>n}\sigma_j^2 + D_R(1 \ldots n)$.
#
# One thing it is not: a descent. Training moves a dead mode's encoder *although* that lowers nothing. Follow it, σ² = 1, from a = b = 0.08:

# %%
from vqlab.theory import diagonal_flow

rows = []
for beta in (0.25, 1):
    dead = diagonal_flow([1.0], bits=0, warmup=0, total=60, beta=beta, start=0.08)  # no bits: the mode is dead
    a, b = dead.a[-1, 0], dead.b[-1, 0]
    energies = [0.5 * 1.0 + 0.5 * beta * gain**2 for gain in (0.08, a)]  # ½ error + ½β·commitment, as z_q = 0
    rows.append([beta, f"0.08 → {a:.2f}", f"0.08 → {b:.2f}", f"{energies[0]:.4f} → {energies[1]:.4f}"])
table(["β", "encoder gain a", "decoder gain b", "½ error + ½β·commitment"], rows)

# %% [markdown]
# At β = ¼ the encoder gain quadruples and the energy **rises**. Straight-through follows a field of directions that is not the slope of what you write down as the loss.
#
# Now all gains at once: the same flow as in the race, with β and the start as sliders.

# %%
from vqlab.labs.lab04.forecast import start_gain, step_time
from vqlab.labs.lab04.pictures import flow

print(
    f"one step is {step_time(sweep.settings):.3g} units of time; the random start of the trainings is ε = {start_gain(sweep.settings):.3g}"
)
Explorer(
    [
        Slider("warmup", "warm-up length", (0, 25, 50, 75, 100, 150, 200, 300, 400, 600, 800), start=0, unit="steps"),
        Slider("bits", "bits R", (2, 4, 6, 8, 10, 12, 14), start=8, unit="bits"),
        Slider("beta", "commitment β", (0, 0.25, 1, 4), start=1),
        Slider("start", "start gain ε", (0.02, 0.08, 0.2, 0.5), start=0.08),
    ],
    lambda state: flow.flow_view(sweep.settings, state),
)

# %% [markdown]
# Find the regimes; the title names them.
#
# - **Cold start**: warm-up 0. Does more R help? How much does ε = 0.2 help? (0.41 is PyTorch's own start. Hold that thought until section 8.)
# - **Balanced**: warm-up 400 with β = 1. All modes that deserve bits have grown, with a = b, when the water rises, and they stay.
# - **Lifted**: warm-up 200 with β = ¼. Some are under water at the switch, but their encoder gains rise to b/β and bring them up, and with them a mode that deserves no bits.
# - **Long warm-up**: 800 with β = ¼. All decoders have grown, so b/β lifts many modes that deserve no bits. They cost bits from then on.
# - **Strong commitment**: 800 with β = 4. Now b/β is *below* b, and modes that were up drown.
# - **Slow escape**: warm-up 0, β = 0. Modes come up one after the other.

# %% [markdown]
# ## 6. Predicted against measured
#
# The flow knows nothing of codes, k-means, replacement or batches. It is given R, σ², β, ε and the lengths. How well does it foresee the real quantizer?
# Left: dimension, grey is ± 1; the blue bars are the counts at the switch. Right: the trainings, from cold to the longest warm-up, in the plane of dimension and error.
# Dotted is the floor of section 5.4 with m live modes; grey is **no training at all**, just k-means with K codes on the first m modes of the data.

# %%
from vqlab.labs.lab04.pictures import verdicts

clustered = sweeps.load("dimensions_floor")
Explorer.of(sweep, lambda sweep, state: verdicts.verdict_view(sweep, clustered, state), start={"beta": 1})

# %%
kmeans = clustered.at(codebook_size=256, slope=1)["mse"].mean(1).min() * d
rows = []
for beta in sweep.axes["beta"].values:
    predicted, error = readings.predict(sweep, beta), readings.errors(sweep, beta=beta)
    off = sweep.final("code_dim", beta=beta).mean(1) - predicted.dimension
    expected = 1 - predicted.error.min() / predicted.error[0]
    lowest = error[readings.best(error)].mean()
    rows.append(
        [
            beta,
            f"{off[0]:+.1f}",
            f"{np.abs(off[1:5]).mean():.1f}",
            f"{off[-1]:+.1f}",
            f"{expected:.1%}",
            per_cent(readings.gain(error), 1),
            f"{lowest / readings.shannon(sweep).distortion - 1:+.1%}",
            f"{lowest / kmeans - 1:+.1%}",
        ]
    )
table(
    [
        "β",
        "dimension off, cold",
        f"warm-ups {warmups[1]}–{warmups[4]}, mean distance",
        "longest",
        "gain foreseen",
        "gain measured",
        "best error to Shannon",
        "to k-means on the data",
    ],
    rows,
)

# %%
away = {beta: readings.errors(sweep, beta=beta).mean(1).min() / kmeans - 1 for beta in sweep.axes["beta"].values}
Markdown(
    f"**No finite code reaches Shannon's floor**, which takes endlessly long codewords. But look at the last column. With β = ¼ and β = 1 the best trainings are at {away[0.25]:+.1%} and {away[1]:+.1%} "
    "to k-means on the data itself (which found its codes on 32,768 samples, so one can be a little below): **what is left is the price of a finite K, not of the training.** "
    f"Without commitment ({away[0]:+.1%}) and with a strong one ({away[4]:+.1%}) the training itself costs something. And at β = 1 k-means does best on the first "
    f"{clustered.axes['modes'].values[int(clustered.at(codebook_size=256, slope=1)['mse'].mean(1).argmin())]} modes, where Shannon would serve {readings.shannon(sweep).active}: "
    "256 codes cannot afford so many. That is why at β = 1 theory foresees more dimensions than a long warm-up ends with."
)

# %%
floor_with = dict(
    zip(clustered.axes["modes"].values, clustered.at(codebook_size=256, slope=1)["mse"].mean(1) * d, strict=True)
)
rows = []
for beta in (0.25, 1, 4):
    predicted, error = readings.predict(sweep, beta), readings.errors(sweep, beta=beta)
    drowned_to = int(predicted.dimension[0])
    rows.append(
        [
            beta,
            f"{1 - predicted.error.min() / predicted.error[0]:.1%}",
            f"{1 - kmeans / floor_with[drowned_to]:.1%} ({drowned_to} modes)",
            per_cent(readings.gain(error), 1),
            sweep.final("code_dim", beta=beta)[0],
        ]
    )
table(
    [
        "β",
        "gain foreseen",
        "k-means, from the modes that theory leaves a cold start to the best",
        "gain measured",
        "dimension of a cold start, measured",
    ],
    rows,
)

# %% [markdown]
# **Theory promises more gain than comes**, wherever there is a commitment, for two reasons. A finite K: k-means, which knows no training, gains less than the flow by as many modes (second column). And a cold start that is better than foreseen:
# it keeps about one mode that theory drowns (last column beside the number of modes).

# %% [markdown]
# ## 7. Build it
#
# Six exercises, with hints to open and a check right under each, and an open question.

# %%
from vqlab import data, theory
from vqlab.labs.lab04 import exercises as lab04

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
lab04.water_level(water_level)

# %% [markdown]
# ### Exercise 2 · `mode_flow` (★★★, 10 minutes, 3 points)
#
# What training does to one mode. Given encoder gain `a`, decoder gain `b`, channel gain `c`, the mode's `variance` σ² and the commitment weight `beta`,
# return the pair (ȧ, ḃ): the direction in which training moves a and b. For b it is down the gradient of ½·(reconstruction error); for a it is the *copied* gradient of section 5.4
# plus that of ½·β·(commitment), which together are not the gradient of anything.
# Encoder and decoder each have a learning rate, which the cell prints: it multiplies the direction.
#
# <details><summary>Hint 1</summary>Write x̂ = b·z_q. Half the error, ½(x − x̂)², pushes with +(x − x̂)·(what x̂ depends on). Then average: E[x·x] = σ², E[x·z] = aσ², E[x·z_q] = c·aσ².</details>
# <details><summary>Hint 2</summary>Straight-through: the encoder's a receives (x − b·z_q)·b·x, as if z_q were z = a·x, without a further factor c. Its average is σ²·b·(1 − c·a·b).</details>
# <details><summary>Hint 3</summary>Commitment ½β(z − sg(z_q))²: down its gradient is −β·(z − z_q)·x. Its average is −β·(1 − c)·a·σ².</details>
# <details><summary>Hint 4</summary>The decoder was derived in section 5.4. It includes the noise: E[z_q²] = c²λ + τ² = c·a²σ².</details>

# %% exercise="mode_flow"
my_encoder, my_decoder = lab04.learning_rates()
print(f"learning rates: {my_encoder:g} of the encoder, {my_decoder:g} of the decoder")


def mode_flow(a, b, c, variance, beta):
    ### BEGIN SOLUTION
    da = my_encoder * variance * (b * (1 - c * a * b) - beta * (1 - c) * a)
    db = my_decoder * c * variance * a * (1 - a * b)
    return da, db
    ### END SOLUTION


# %% check="mode_flow"
lab04.mode_flow(mode_flow)

# %% [markdown]
# ### Exercise 3 · `drowning_times` (★★☆, 10 minutes, 3 points)
#
# Who drowns, and when? You watch a race: `times` (T,), rising, and the latents' variances `latents` (T, d) at each of them. The quantizer has `bits` R and comes at the time `warmup`; before that nothing can drown.
# Return an array (d,): for each mode the first of the `times`, not before `warmup`, at which it is at or under the water level; `np.inf` for a mode that never is. "The water level" is here that of theory, times a margin that the cell prints.
# You may use `theory.water_fill(variances, bits).level`, or your own `water_level`.
#
# <details><summary>Hint 1</summary>The level is another one at every time: it is that of the latents *then*. <code>theory.water_fill(latents, bits).level</code> gives all T at once. A mode is under water where its variance is not above the level, times your margin.</details>
# <details><summary>Hint 2</summary>Keep only the times ≥ <code>warmup</code>. A mode that is under water there drowns there, even if it had been for long. Of several times, the first counts: it is dead from then on.</details>
# <details><summary>Hint 3</summary><code>argmax</code> over booleans finds the place of the first True, and 0 where there is none; so ask <code>any</code>, and put <code>np.inf</code> where there is none. The place is not yet the time.</details>

# %% exercise="drowning_times"
from vqlab import theory

my_margin = lab04.margin()
print(f"a mode is under water up to {my_margin:g} times the level")


def drowning_times(times, latents, bits, warmup):
    ### BEGIN SOLUTION
    late = times >= warmup
    levels = my_margin * theory.water_fill(latents[late], bits).level
    under = latents[late] <= levels[:, None]
    first = times[late][under.argmax(0)]
    return np.where(under.any(0), first, np.inf)
    ### END SOLUTION


# %% check="drowning_times"
lab04.drowning_times(drowning_times)

# %% [markdown]
# ### Exercise 4 · `predict` (★★☆, 8 minutes, 3 points)
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
# ### Exercise 5 · `should_switch` (★★☆, 8 minutes, 5 points)
#
# You watch a warm-up. Now and then you water-fill the latents' spectrum; the list `counts` holds the number of active modes, the list `steps` when you looked.
# Return True when it is time to switch: when the last new maximum is at least `patience` *steps* ago, however often you looked. Mind that the first counts are vacuous:
# they start high and fall. Only what comes after the lowest count says anything. And a **trough**, counts that have fallen and not risen since, is no reason to switch: nothing has been learned yet.
#
# <details><summary>Hint 1</summary>At which step was the maximum reached for the first time? Switch if <code>steps[-1]</code> is at least <code>patience</code> later.</details>
# <details><summary>Hint 2</summary>Before that, cut both lists at the lowest count: <code>counts.index(min(counts))</code>.</details>
# <details><summary>Hint 3</summary>In a trough the lowest count is not the first of all, and no later one is higher: then go on.</details>


# %% exercise="should_switch"
def should_switch(steps, counts, patience):
    ### BEGIN SOLUTION
    low = counts.index(min(counts))
    after = counts[low:]
    if low > 0 and max(after) == after[0]:
        return False
    gained = steps[low + after.index(max(after))]
    return steps[-1] - gained >= patience
    ### END SOLUTION


# %% check="should_switch"
lab04.should_switch(should_switch)

# %% [markdown]
# ### Exercise 6 · your prediction (★☆☆, 2 minutes, 1 point)
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
# 60 dimensions will come." In four to eight sentences: why will they not come, what would bring some of them back, how many would you expect at most, and would more be better?

# %% [markdown] open="sixty_dimensions" points=4
# ### BEGIN SOLUTION
# No code is dead, so there is nothing to replace; and new codes would be placed on latents, which are flat in those 60 directions, so they would be flat as well. The modes lost a race: the large ones grew
# first and took the bits, and the water rose over the rest. A mode under water passes nothing (c = 0): its decoder gain b gets no gradient and stays as small as it was, and its encoder gain comes to rest at b/β.
# That may even be above where it began, since straight-through is no descent, but with so small a b it is still under water; so it stays dead.
# A warm-up without quantization lets modes grow before the water rises. With log2 1,024 = 10 bits I would expect at most about as many as water-filling of the data's spectrum serves, if β is not small:
# for 64 modes 30 at slope ½, 16 at slope 1, 8 at slope 2, never all 64. More is no gain: a finite code spreads its bits over modes that deserve none, and in our trainings at β = ¼ and β = 1 the lowest error comes before the highest dimension.
# ### END SOLUTION

# %% [markdown] rubric="sixty_dimensions"
# | points | for |
# |---|---|
# | 1 | replacement cannot help: no code is dead, and new codes lie on flat latents |
# | 1 | why a mode dies and stays dead: overtaken by the water; no gradient for the decoder, the encoder rests at b/β |
# | 1 | warm-up, and a number from water-filling at 10 bits (or a reasoned range), not 64 |
# | 1 | more is not better: bits are shared, and the error is lowest before the dimension is highest |

# %% [markdown]
# ## 8. How far does it carry?
#
# ### 8.1 More codes instead?
#
# The paper says that a collapsed codebook has a **floor that more codes do not lift**. Here is that claim in one picture: cold starts with up to 64 times the codes, against warm-ups of 200 steps with few (β = 1).

# %%
from vqlab.labs.lab04.pictures import sizes

codes = sweeps.load("dimensions_sizes")
sizes.sizes_view(codes, {"warmup": 200})

# %%
values = codes.axes["codebook_size"].values
cold = np.stack([readings.errors(codes, codebook_size=k)[0] for k in values])  # (K, seeds)
each = -np.diff(cold.mean(1)) / cold[:-1].mean(1)
steps_up = ", ".join(f"K = {k:,}: {share:.1%}" for k, share in zip(values[1:], each, strict=True))
saved = ", ".join(f"K = {k:,}: {per_cent(readings.gain(readings.errors(codes, codebook_size=k)), 1)}" for k in values)
Markdown(
    f"Four times the codes lower the cold error each time, by {steps_up}: two more bits for the live modes, and more modes that live (dimension "
    f"{codes.final('code_dim', warmup=0).mean(1).min():.1f} to {codes.final('code_dim', warmup=0).mean(1).max():.1f}). "
    f"**A hard floor across K is {'' if each.min() < 0.02 else 'not '}what we see.** For a fixed number of live modes there is one: "
    f"with three alive no K gets below {data.power_law_spectrum(32, 1)[3:].sum():.1f}. K raises that number, but slowly, "
    f"and a warm-up lowers the error at every K by about as much: {saved}."
)

# %% [markdown]
# ### 8.2 The dip
#
# The paper's figure 4 has a plain autoencoder whose effective dimension *dips* and recovers, and a quantized one that dips and stays. Random weights look high-dimensional; then the large modes outgrow the rest (the dip),
# and the others follow, unless they drown. Left our flow from random weights, right the real trainings:

# %%
from vqlab.labs.lab04.pictures import dip

dip.dip_view(sweep)

# %% [markdown]
# ### 8.3 Switch by itself
#
# The rule of Exercise 5, ready-made: `AdaptiveSwitch` is a callback for any training of vqlab. Setting `warmup` to all the steps leaves the decision to it.

# %%
from vqlab.training import AdaptiveSwitch

x = torch.from_numpy(power_law_gaussian(20_000, d=32, slope=1).x)
settings = Settings(
    codebook_size=256,
    steps=600,
    warmup=600,
    batch_size=512,
    learning_rate=0.01 * 32,
    optimizer="sgd",
    decay=0.97,
    commitment_weight=1,
    replace_below=0.1,
)
switch = AdaptiveSwitch(every=5, patience=75, latest=0.9)
Trainer(LinearAutoencoder(seeds=[7]), x, settings, seeds=[7]).run(switch)
print(f"a look every 5 steps: {len(switch.history)} looks, switched at step {switch.switched_at}")

# %% [markdown]
# Patience is a time in steps. Does it matter how often the rule looks? One warm-up of eight seeds, counted at every fifth step, and the rule applied to all looks, to every second and to every fifth:

# %%
looked, counts = [], []


def look(trainer):
    if trainer.step % 5 == 0:
        looked.append(trainer.step)
        counts.append(water_fill(measures.principal_variances(trainer.latents(x[:4096])), 8).active)  # (seeds,)


Trainer(LinearAutoencoder(range(8)), x, settings, range(8)).run(look, until=540)
rows = []
for seed, history in enumerate(np.stack(counts, axis=1)):  # (seeds, looks)
    rows.append([seed, *(theory.adaptive_switch(looked[::n], history[::n], 75) or "not by 540" for n in (1, 2, 5))])
table(["seed", "switches, looking every 5 steps", "every 10", "every 25"], rows)

# %% [markdown]
# It may move the switch by one more wait, where a single look saw one mode more. Around there the error hardly depends on the length (section 4). How good is the rule? Against the best fixed warm-up of each position, which takes a whole sweep to find. Every seed switches for itself.
# The rule and its 75 steps were **fixed before these sweeps were run**. Beside it stands a fairer rival than the cold start: the one length that, in hindsight, is best for all positions together.

# %%
from vqlab.labs.lab04.pictures import switching

adaptive = sweeps.load("dimensions_adaptive")
switching.switching_view(adaptive)

# %%
regrets, places = readings.regrets(adaptive), adaptive.axes["position"].values
rows = []
for contestant, share in regrets.items():  # (positions, seeds)
    mean, worst = share.mean(1), share.mean(1).argmax()
    noise = share.mean(0).std(ddof=1) / np.sqrt(share.shape[1])
    rows.append(
        [
            contestant,
            f"{mean.mean():+.2%} ± {noise:.2%}",
            f"{np.median(mean):+.2%}",
            f"{mean[worst]:+.2%} ({places[worst]})",
        ]
    )
table(["", "regret: mean of all positions ± standard error over seeds", "median position", "worst position"], rows)

# %%
rule, hindsight = regrets["rule"].mean(1), list(regrets.values())[2].mean(1)
behind = regrets["rule"] - list(regrets.values())[2]  # (positions, seeds)
odd = int(rule.argmax())
shares = {"over all positions": behind.mean(0), f"without {places[odd]}": np.delete(behind, odd, 0).mean(0)}
compared = "; ".join(
    f"{name} by {per_cent(share, 2)}, {'clear' if readings.clear(share) else 'not clear'}"
    for name, share in shares.items()
)
waits = [adaptive.at(position=place)["switched"].mean() for place in places]
shaky = readings.errors(sweep, beta=0).std(1).max()
Markdown(
    f"- The rule is within {np.sort(rule)[-2]:.1%} of the best fixed length at all positions but one ({places[odd]}: {rule[odd]:.1%}, where no warm-up at all is at {regrets['cold start'].mean(1)[odd]:.1%}). "
    f"Without commitment training itself is shaky: at β = 0 the error has a standard deviation over seeds of up to {shaky:.1f}, at β = 1 of {readings.errors(sweep, beta=1).std(1).max():.2f}.\n"
    f"- It waits for {min(waits):.0f} to {max(waits):.0f} steps, by spectrum: it does not know β, and it waits until no mode comes up any more, which a finite code would not need.\n"
    f"- **The one length that hindsight picks is better** at {(behind.mean(1) > 0).sum()} of {len(places)} positions: {compared} (± is the standard deviation over seeds). Hindsight needs a sweep; the rule needs one training."
)

# %% [markdown]
# ## 9. What the papers claim · what we measured
#
# Computed from the stored sweeps when you run this cell, over all seeds. ± is the standard deviation over seeds. "Clear" means by more than two standard errors. A claim may hold at one setting and fail at the next: **the last column is the lesson**.

# %%
from vqlab.labs.lab04 import claims

table(claims.HEADER, claims.rows())

# %% [markdown]
# The paper's own synthetic setting, 64 modes σ² = 1/j, balanced start ε = 0.1, β = 1, run to time 400, our flow. In a cell: modes active at the end (count at the switch).

# %%
spectrum, ends = 1 / np.arange(1, 65), np.array([0, 1, 4, 8, 16, 32, 64, 128])
bits = np.array([[12], [14], [16]])
trained = diagonal_flow(spectrum, bits, ends, total=400)
quick = theory.predicted_active(spectrum, ends, bits)
rows = []
for i, r in enumerate(bits[:, 0]):
    cells = [f"{active} ({at})" for active, at in zip(trained.active[i, :, -1], quick[i], strict=True)]
    rows.append([r, *cells, theory.water_fill(spectrum, r).active])
table(["R (bits)", *(f"T = {t}" for t in ends), "Shannon"], rows)

# %% [markdown]
# What decides, then, is how unequal the race is. A **tiny start** and **plain SGD** let large modes run far ahead; from a large start there is less to run ahead, and Adam takes steps of about one size in all directions. With either of them the gain is all but gone (fifth row).
# Image tokenizers use both, so a linear model promises them next to nothing. **There it fails:** Lab 03 (section 10) measures on images, with both, gains larger than those of this lab at β = 1. The settings also decide which paper you will agree with: β and the length of training.
#
# Say what happens before you look, then try, in the explorers above:
#
# - In the race: at R = 2, who drowns? And does a warm-up help at all?
# - In section 3: at which β does the longest warm-up cost most, and is it the same at a budget of 1,500?
# - In the flow: which β makes a long warm-up harmless?

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

# %% [markdown]
# Next: [Lab 05, *A VQGAN, and when to switch*](05_vqgan_and_warm_up.ipynb). There the same theory meets images and the architecture of the papers.
