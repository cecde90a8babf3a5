"""A codebook that several processes train together, and one that a GPU trains without being waited for."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from two_ranks import RANKS, together

from vqlab.quantizers import VectorQuantizer, inputs, ranks

STEPS, TOKENS, DIM, K = 12, 40, 3, 16
VARIANTS = {
    "ema": {"decay": 0.8},
    "ema, replaced": {"decay": 0.7, "replace_below": 0.4},
    "gradient": {"update": "gradient"},
    "gradient, replaced": {"update": "gradient", "decay": 0.7, "replace_below": 0.4},
}


def latents(step: int) -> torch.Tensor:
    """Those of a whole batch, drifting away: codes that stay behind die."""
    z = torch.randn(2, TOKENS, DIM, generator=torch.Generator().manual_seed(step))
    return z + torch.tensor([0.4, 0.0, 0.0]) * step


def trained(variant: str) -> dict:
    """What a quantizer of two runs holds, and its generators, after training on this process's share of the latents."""
    quantizer = VectorQuantizer(K, DIM, (0, 1), **VARIANTS[variant])
    quantizer.start_from(ranks.gather(ranks.share(latents(0), 1)), TOKENS)
    for step in range(STEPS):
        loss = quantizer(ranks.share(latents(step), 1)).loss
        if quantizer.update == "gradient":
            (gradient,) = torch.autograd.grad(loss.sum(), quantizer.codebook)
            quantizer.codebook.data -= 3 * ranks.mean(gradient)
    states = {f"generator {i}": generator.get_state() for i, generator in enumerate(quantizer.generators)}
    return dict(quantizer.state_dict()) | states


def all_variants(rank: int) -> dict:
    found = {variant: trained(variant) for variant in VARIANTS}
    different = torch.full((2,), float(rank))
    generator = torch.Generator().manual_seed(rank)
    ranks.agree([different], [generator])
    return found | {
        "agreed": (different, generator.get_state()),
        "share": ranks.share(torch.arange(5)),
        "mean": ranks.mean(torch.tensor([rank + 1.0])),
    }


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> list[dict]:
    return together(all_variants, tmp_path_factory.mktemp("ranks"))


@pytest.mark.parametrize("variant", VARIANTS)
def test_both_processes_hold_the_codebook_that_one_with_the_whole_batch_has(variant, both):
    alone = trained(variant)
    for name, expected in alone.items():
        assert torch.equal(both[0][variant][name], both[1][variant][name]), name
        torch.testing.assert_close(both[0][variant][name], expected, rtol=1e-4, atol=1e-5)
    kmeans_only = VectorQuantizer(K, DIM, (0, 1))
    kmeans_only.start_from(latents(0), TOKENS)
    replaced = not torch.equal(alone["generator 0"], kmeans_only.generators[0].get_state())
    assert replaced == ("replaced" in variant)


def test_processes_agree_on_what_the_first_has_and_share_what_all_have(both):
    for found in both:
        assert found["agreed"][0].tolist() == [0.0, 0.0]
        assert torch.equal(found["agreed"][1], torch.Generator().manual_seed(0).get_state())
        assert found["mean"].item() == pytest.approx((1 + RANKS) / 2)
    assert torch.cat([found["share"] for found in both]).tolist() == list(range(5))


# --- Nobody waits for a GPU ----------------------------------------------------------------------------------


class NoAnswers(TorchDispatchMode):
    """Fails where PyTorch would have to wait for a GPU: a number is asked for, or a shape hangs on one."""

    asking = ("_local_scalar_dense", "nonzero", "bincount", "masked_select", "unique", "equal", "is_nonzero")

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.name().removeprefix("aten::").split(".")[0]
        assert not name.startswith(self.asking), f"{name} waits for the device"
        if name in ("index", "index_put_"):
            assert not any(i is not None and i.dtype == torch.bool for i in args[1]), "a mask as an index waits"
        return function(*args, **(kwargs or {}))


@pytest.fixture
def as_on_a_gpu(monkeypatch):
    monkeypatch.setattr(inputs, "answers_at_once", lambda x: False)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_training_step_waits_for_no_answer(variant, as_on_a_gpu):
    quantizer = VectorQuantizer(K, DIM, (0, 1), **VARIANTS[variant])
    with NoAnswers():
        for step in range(3):
            quantizer(latents(step).requires_grad_()).loss.sum().backward()


def test_the_ban_on_answers_bites():
    with pytest.raises(AssertionError, match="waits"), NoAnswers():
        VectorQuantizer(K, DIM, (0, 1))(latents(0))


@pytest.mark.parametrize("variant", ["ema", "gradient"])
def test_without_answers_the_codebook_learns_the_same(variant, monkeypatch):
    expected = trained(variant)
    monkeypatch.setattr(inputs, "answers_at_once", lambda x: False)
    for name, value in trained(variant).items():
        torch.testing.assert_close(value, expected[name], rtol=1e-5, atol=1e-6)


def test_without_answers_exactly_the_dead_codes_are_replaced_by_latents_of_the_batch(as_on_a_gpu):
    quantizer, z = VectorQuantizer(K, DIM, (0, 1), replace_below=0.4, decay=0.0), latents(0)
    before = VectorQuantizer(K, DIM, (0, 1), decay=0.0)
    tokens = before(z).tokens
    quantizer(z)
    share = TOKENS / K
    for run in range(2):
        dead = torch.bincount(tokens[run], minlength=K) < 0.4 * share
        assert dead.any()
        assert torch.equal(quantizer.codebook[run][~dead], before.codebook[run][~dead])
        assert (torch.cdist(quantizer.codebook[run][dead], z[run]).amin(1) < 1e-6).all()
        assert (quantizer.counts[run][dead] == share).all()
        torch.testing.assert_close(quantizer.sums[run][dead], quantizer.codebook[run][dead] * share)
