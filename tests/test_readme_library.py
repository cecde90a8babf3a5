"""The Python of the README's section for people with a tokenizer of their own runs, and does what it says there."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from vqlab import data, measures
from vqlab.quantizers import VectorQuantizer
from vqlab.training import AdaptiveSwitch

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
MEASURING, TRAINING = re.findall(r"^```python\n(.*?)^```", README, re.M | re.S)


def test_the_measures_take_a_researchers_arrays():
    rng = np.random.default_rng(0)
    names = {
        "tokens": rng.integers(1024, size=4000).astype(np.uint16),
        "codebook": torch.randn(1024, 16, requires_grad=True),
        "latents": torch.randn(4000, 16).bfloat16(),
        "labels": rng.integers(10, size=4000).astype(np.uint8),
    }
    exec(MEASURING, names)
    assert names["counts"].sum() == 4000


def own_tokenizer(steps: int = 300) -> dict:
    torch.manual_seed(0)
    samples = torch.from_numpy(data.power_law_gaussian(4096, d=16).x)
    return {
        "encoder": nn.Linear(16, 16),
        "decoder": nn.Linear(16, 16),
        "batch": lambda: samples[torch.randint(len(samples), (256,))],
        "steps": steps,
        "samples": samples,
    }


def perplexity(trained: dict) -> float:
    with torch.no_grad():
        tokens = trained["quantizer"].eval()(trained["encoder"](trained["samples"])[None]).tokens
    return float(measures.perplexity(measures.code_usage(tokens[0], 256)))


def test_the_loop_switches_by_its_rule_and_ends_with_a_healthy_codebook():
    trained = own_tokenizer()
    exec(TRAINING, trained)
    assert trained["quantizing"]
    assert 0 < trained["rule"].switched_at <= 150
    assert perplexity(trained) > 128


def test_starting_from_latents_scales_the_counts_to_one_batch(refuses):
    z = 5 + 0.1 * torch.randn(2, 5000, 3, generator=torch.Generator().manual_seed(0))
    quantizer = VectorQuantizer(64, 3, (0, 1))
    quantizer.start_from(z, batch_tokens=100)
    assert quantizer.counts.sum(1).tolist() == pytest.approx([100, 100])
    assert torch.allclose(quantizer.sums, quantizer.codebook * quantizer.counts[..., None])
    assert (quantizer.eval()(z).loss < 0.01 * VectorQuantizer(64, 3, (0, 1)).eval()(z).loss).all()
    with refuses("do not fit a codebook (2, 64, 3)"):
        quantizer.start_from(z[..., :2], batch_tokens=100)
    with refuses("at least 1, got 0"):
        quantizer.start_from(z, batch_tokens=0)


def test_the_rule_says_so_once_and_by_its_latest_share_at_last():
    z = torch.randn(500, 4, generator=torch.Generator().manual_seed(0))
    rule = AdaptiveSwitch(every=10, patience=30)
    said = [step for step in range(100) if rule.observe(step, z, 64)]
    assert said == [rule.switched_at] == [30]  # four equal scores
    late = AdaptiveSwitch(every=10, patience=100, latest=0.25)
    assert [step for step in range(200) if late.observe(step, z, 64, steps=200)] == [50]
    assert rule.history == late.history[:4]
