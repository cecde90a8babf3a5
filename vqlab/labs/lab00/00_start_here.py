# %% [markdown]
# # Lab 00 · Start here
#
# **A tokenizer turns data into integers. You will learn how it does that, and the four numbers that tell whether it is healthy.**
#
# | | |
# |---|---|
# | Time | 15 minutes, and 10 for the exercises |
# | You need | Python, a little PyTorch |
# | You will be able to | read the dozen lines of a vector quantizer · say what a *healthy* codebook reads before you look for a sick one |
# | Exercises | 1, worth 1 point, and an open question worth 4 |
#
# Run a cell with **Shift + Enter**. Pictures with sliders come alive once their cell has run.

# %% [markdown]
# ## 1. What a tokenizer does
#
# Language models read integers. Images and sounds are not integers. A **tokenizer** makes them so.
#
# It keeps a list of K vectors, the **codebook**. Each vector is a **code**.
# Each point is replaced by the index of its nearest code. That index is the **token**.

# %%
import numpy as np

from vqlab import data
from vqlab.labs.lab00.pictures import occupancy

points = data.gaussian_ring(n=2000, std=0.25).x  # (2000, 2)
angles = 2 * np.pi * np.arange(8) / 8
codebook = 0.8 * np.stack([np.cos(angles), np.sin(angles)], axis=1)  # (8, 2)

occupancy.tokenizer_view(points, codebook)

# %% [markdown]
# On the left, 2,000 points with two coordinates each. What is kept of a point is its token.
# Whoever wants to draw the point again (the **decoder**) has nothing but the position of code number *token*.

# %% [markdown]
# ## 2. The whole mechanism in a dozen lines
#
# In a real tokenizer the points are **latents**: outputs `z` of a network, the **encoder**, which is being trained together with the decoder.
# The quantizer does three things. Read them once, slowly.
#
# 1. **Nearest code.** Measure the distance from each latent to each code, keep the smallest.
# 2. **Codebook update.** Each code moves to the running mean of the latents that chose it
#    (an *exponential moving average*, EMA).
# 3. **Straight-through estimator.** `argmin` has no gradient. So the quantized latent pretends, on the way back,
#    that it was never quantized: the encoder receives the decoder's gradient as it is.

# %%
import torch


def quantize(z, codebook, counts, sums, decay=0.99):
    distances = torch.cdist(z, codebook)  # (N, d), (K, d) -> (N, K)
    tokens = distances.argmin(dim=1)  # (N,)
    z_q = codebook[tokens]  # (N, d)

    chosen = torch.nn.functional.one_hot(tokens, len(codebook)).to(z)  # (N, K)
    with torch.no_grad():
        counts.mul_(decay).add_((1 - decay) * chosen.sum(0))  # how often each code is chosen
        sums.mul_(decay).add_((1 - decay) * chosen.T @ z)  # the sum of what chose it
        codebook.copy_(sums / counts[:, None])  # their mean: the code

    commitment = 0.25 * (z - z_q.detach()).square().mean()  # keeps the encoder near its codes
    return z + (z_q - z).detach(), tokens, commitment  # straight-through


# %% [markdown]
# That is all. The `commitment` loss is added to the reconstruction loss, so that latents do not wander off.
#
# The labs use the package `vqlab`, which trains many quantizers at once. It does the same thing, and you can see it:

# %%
from vqlab.quantizers import VectorQuantizer

z = torch.randn(100, 2, generator=torch.Generator().manual_seed(0))
packaged = VectorQuantizer(codebook_size=8, dim=2)
mine = packaged.codebook[0].detach().clone()  # (1, 8, 2) -> (8, 2): vqlab's first axis counts runs
counts, sums = torch.ones(8), mine.clone()  # as if each code had been chosen once

z_q, tokens, commitment = quantize(z, mine, counts, sums)
their_z_q, their_tokens, their_loss = packaged(z[None])

assert torch.equal(tokens, their_tokens[0])
assert torch.allclose(z_q, their_z_q[0]) and torch.allclose(mine, packaged.codebook[0], atol=1e-6)
assert torch.allclose(commitment, their_loss[0])
print(f"Same {len(tokens)} tokens, same codes after the update, same loss {float(commitment):.3f}.")

# %% [markdown]
# ## 3. Four numbers, always in this order
#
# | number | says | healthy |
# |---|---|---|
# | **reconstruction error** | mean squared error between data and what the decoder draws | small |
# | **perplexity** *of K, at N tokens* | how many codes are used, counting rarely used codes for less: $\exp(-\sum_k p_k \ln p_k)$ | near K |
# | **active codes** | how many codes are used at all | K |
# | **effective dimension** *(encoder output / codebook)* | how many directions hold 99 % of the variance | as many as the data needs |

# %%
from vqlab import measures

usage = measures.code_usage(tokens.numpy(), k=8)  # (8,)
print("code usage:         ", usage)
print(f"reconstruction error {float((z - z_q).square().mean()):.3f}  (there is no decoder here: latents against codes)")
print(f"perplexity           {measures.perplexity(usage):.2f} of 8 at {len(tokens)} tokens")
print(f"active codes         {measures.active_codes(usage)}")
print(f"effective dimension  {measures.effective_dimension(z.numpy())} / {measures.effective_dimension(mine.numpy())}")

# %% [markdown]
# ## 4. Predict
#
# A perfectly healthy codebook has K = 512 codes, all equally likely. You encode four images of 256 tokens each: N = 1,024 tokens.

# %%
from vqlab import theory
from vqlab.widgets import Prediction

Prediction(
    "Which perplexity do you read? (K = 512 equally likely codes, N = 1,024 tokens)",
    measured=lambda: measures.perplexity(theory.simulate_uniform_usage(512, 1024, draws=20)),
    possible=(1, 512),
    of="draws",
)

# %% [markdown]
# ## 5. Find out
#
# Move K and N. On the left: how often each code is used, from the most used to the least. On the right: perplexity divided by K, for every N.

# %%
from vqlab.widgets import Explorer, Slider

Explorer(
    [
        Slider("codebook_size", "codebook size K", (16, 32, 64, 128, 256, 512, 1024, 2048, 4096), start=64),
        Slider("tokens", "tokens N", occupancy.TOKEN_COUNTS, start=1024),
    ],
    occupancy.usage_view,
)

# %%
from IPython.display import Markdown

double = theory.simulate_uniform_usage(512, 2 * 512, draws=20)  # (20, 512): N = 2K tokens
unused, share = (double == 0).mean(), measures.perplexity(double).mean() / 512
Markdown(
    f"**Read it.** At N = 2K, chance alone leaves {unused:.0%} of the codes unused (K = 512, 20 draws), "
    f"and perplexity reads {share:.0%} of K. Nothing is wrong with that codebook: there were too few tokens to see it.\n\n"
    "**So a perplexity without its K and N says nothing.** Ask for both, whenever you meet one."
)

# %% [markdown]
# ## 6. Why: two formulas you can check
#
# A code is missed by one token with probability $1 - 1/K$, and by all N with $(1 - 1/K)^N$. So
#
# $$\text{active codes} = K\,\bigl(1 - (1 - 1/K)^N\bigr) \qquad \text{perplexity} \approx K\, e^{-(K-1)/2N}.$$
#
# The first is exact. The second is an approximation for many tokens. See where it holds, for K = 512:

# %%
from vqlab.figures import table

rows = []
for n in (64, 128, 256, 512, 2048, 8192):
    draws = theory.simulate_uniform_usage(512, n, draws=20)  # (20, 512)
    drawn, formula = measures.perplexity(draws), theory.expected_perplexity(512, n)
    off = f"{formula / drawn.mean() - 1:+.1%}"
    rows.append(
        [f"{n:,}", drawn, f"{formula:.1f}", off, measures.active_codes(draws), f"{theory.expected_active(512, n):.1f}"]
    )
table(["N", "perplexity, 20 draws", "first order", "off by", "active, 20 draws", "exact"], rows)

# %% [markdown]
# Trust it from N of a few K upward. With fewer tokens it errs to both sides: too high near N = K, far too low well below. In between it crosses the truth, by accident.

# %%
from vqlab.labs.lab00 import exercises as lab00

# %% [markdown]
# ### Exercise 1 · `healthy` (★☆☆, 3 minutes, 1 point)
#
# Run the cell: it names a codebook and a number of tokens. What perplexity would that codebook read, if all its codes were equally likely?
# Set `healthy` to it; 2 % off is near enough.
#
# <details><summary>Hint 1</summary>Perplexity ≈ K · exp(−(K − 1) / 2N). At these N the formula is within a per cent.</details>
# <details><summary>Hint 2</summary><code>np.exp</code> of a negative number lies between 0 and 1. Multiply that by K.</details>

# %% exercise="healthy" stub="healthy = None"
my_k, my_n = lab00.codebook()
print(f"K = {my_k:,} codes, N = {my_n:,} tokens")
### BEGIN SOLUTION
healthy = my_k * np.exp(-(my_k - 1) / (2 * my_n))
### END SOLUTION

# %% check="healthy"
lab00.healthy(healthy)

# %% [markdown]
# ### Open question (7 minutes, 4 points)
#
# A team reports: "Our tokenizer has 8,192 codes. On a validation batch of 4,096 tokens the perplexity is 2,990: more than half of our codebook is dead.
# We shall train a smaller one." In three to six sentences: what do their numbers say, what do they not say, and what should they measure before they decide?

# %% [markdown] open="too_few_tokens" points=4
# ### BEGIN SOLUTION
# 4,096 tokens can name at most 4,096 codes, so half of the codebook had no chance to be used. Even 8,192 equally likely codes would leave
# 8,192 · (1 − 1/8,192)^4,096 ≈ 4,970 unused in such a batch, and read a perplexity of about 2,990 (draw it as in section 6). The report is what a healthy codebook reads.
# It does not show that a single code is dead. They should count over many more tokens, say 16 per code (131,000), give K and N with the number,
# and compare with the healthy value at that N, and then look at the reconstruction error before they shrink anything.
# ### END SOLUTION

# %% [markdown] rubric="too_few_tokens"
# | points | for |
# |---|---|
# | 1 | N is half of K: the batch cannot show more than 4,096 codes |
# | 1 | a number for healthy at this K and N, from the formula for active codes, from a draw or from the explorer |
# | 1 | the conclusion: the report is compatible with a healthy codebook, so nothing is shown to be dead |
# | 1 | what to measure: many tokens per code, K and N stated, comparison with the healthy value at that N |

# %% [markdown]
# ## 7. Without code
#
# 1. Someone reports "perplexity 180 of 8,192". What do you ask before you worry?
# 2. Two codebooks read the same perplexity. One has 100 active codes, the other 400. How is that possible?
# 3. What is the largest perplexity that 50 tokens can read, whatever K is?
#
# <details><summary>Answers</summary>
#
# 1. At how many tokens? With N = 200 tokens a healthy codebook of 8,192 codes cannot read more than 200.
# 2. Perplexity weighs codes by use. The first uses its 100 codes evenly; the second uses a few very often and most rarely.
# 3. 50: each token can name at most one new code.
#
# </details>

# %% [markdown] model="too_few_tokens"
# ### A model answer to the open question
#
# Write yours first.

# %% [markdown]
# Next: [Lab 01, Tokens collapse](01_tokens_collapse.ipynb). You will make a codebook die, and bring it back.
