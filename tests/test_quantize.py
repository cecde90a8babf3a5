"""The quantizer against float64 search, hand-written gradients and vector-quantize-pytorch's EMA step."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import strategies as st
from steady import given

from vqlab.quantizers import VectorQuantizer, code_counts, look_up, nearest_code, straight_through

# Both sides of vector widths and of the block of 2048 codes.
EDGES = [1, 2, 3, 63, 64, 65, 127, 128, 129, 2047, 2048, 2049, 2112, 4096, 4097]


def exact_search(z, codes):
    return torch.cdist(z.double(), codes.double(), compute_mode="donot_use_mm_for_euclid_dist").argmin(-1)


def random_normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def lattice(runs, n, k, d, seed):
    """Small integers, the codes with mean zero: float32 arithmetic on them is exact and ties abound."""
    generator = torch.Generator().manual_seed(seed)
    half = torch.randint(-8, 9, (runs, k // 2, d), generator=generator)
    codes = torch.cat([half, -half, torch.zeros(runs, k % 2, d, dtype=torch.long)], 1)
    return torch.randint(-8, 9, (runs, n, d), generator=generator).float(), codes.float()


@given(st.integers(1, 3), st.integers(1, 20), st.sampled_from(EDGES), st.integers(1, 5), st.integers(0, 2**31))
def test_nearest_code_equals_exact_search_and_ties_go_to_the_lower_index(runs, n, k, d, seed):
    z, codes = lattice(runs, n, k, d, seed)
    assert torch.equal(nearest_code(z, codes), exact_search(z, codes))


@given(st.integers(1, 3), st.integers(1, 20), st.sampled_from(EDGES), st.integers(1, 5), st.integers(0, 2**31))
def test_nearest_code_stays_exact_for_a_tiny_spread_far_from_the_origin(runs, n, k, d, seed):
    z, codes = lattice(runs, n, k, d, seed)
    z, codes = 1000 + z / 1024, 1000 + codes / 1024
    assert torch.equal(nearest_code(z, codes), exact_search(z, codes))


def test_the_far_latents_would_break_the_plain_expansion_of_squares():
    z, codes = (1000 + x / 1024 for x in lattice(1, 20, 64, 3, seed=0))
    scores = z @ codes.mT - codes.square().sum(-1).unsqueeze(1) / 2
    assert not torch.equal(scores.argmax(-1), exact_search(z, codes))


@given(
    st.sampled_from(EDGES),
    st.sampled_from([1, 2, 16, 70]),
    st.floats(1e-6, 1e4),
    st.integers(0, 2**31),
)
def test_nearest_code_is_nearest_up_to_rounding_at_any_scale(k, d, scale, seed):
    z, codes = scale * random_normal(2, 8, d, seed=seed), scale * random_normal(2, k, d, seed=seed + 1)
    distances = torch.cdist(z.double(), codes.double(), compute_mode="donot_use_mm_for_euclid_dist").square()
    chosen = distances.gather(2, nearest_code(z, codes)[..., None]).squeeze(2)
    assert (chosen - distances.amin(-1)).max() <= 1e-5 * d * scale**2


def test_nearest_code_joins_blocks_of_latents_and_of_codes():
    z, codes = lattice(2, 2500, 2112, 3, seed=5)
    assert torch.equal(nearest_code(z, codes), exact_search(z, codes))


def spread(*parts, seed=0):
    """Rows of several normals, each (rows, mean, deviation), in 16 dimensions, shuffled: (1, rows, 16)."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.cat([mean + deviation * torch.randn(n, 16, generator=generator) for n, mean, deviation in parts])
    return rows[torch.randperm(len(rows), generator=generator)][None]


# Latents and codes for which a plain expansion of squares in float32 is wrong: up to 94 % of the tokens.
ADVERSARIAL = {
    "half of the codes cold": (spread((500, 5, 1e-3)), spread((256, 0, 1), (256, 5, 1e-3), seed=1)),
    "codes at two scales": (spread((500, 20, 1e-2)), spread((256, 0, 1), (256, 20, 1e-2), seed=1)),
    "one code far away": (spread((500, 0, 1)), spread((511, 0, 1), (1, 1e6, 0), seed=1)),
    "two tight clusters": (spread((250, 5, 1e-4), (250, -5, 1e-4)), spread((256, 5, 1e-4), (256, -5, 1e-4), seed=1)),
    "a tight heap of codes": (spread((500, 0, 1)), spread((512, 3, 1e-6), seed=1)),
    "a shared offset": (spread((500, 1e4, 1)), spread((512, 1e4, 1), seed=1)),
    "tiny": (1e-25 * spread((500, 0, 1)), 1e-25 * spread((512, 0, 1), seed=1)),
    "huge": (1e14 * spread((500, 0, 1)), 1e14 * spread((512, 0, 1), seed=1)),
    "every code twice": (spread((500, 0, 1)), torch.cat([spread((256, 0, 1), seed=1)] * 2, 1)),
    "all codes equal": (spread((500, 0, 1)), spread((1, 0, 1), seed=1).expand(1, 512, 16)),
    "all latents equal": (spread((1, 0, 1)).expand(1, 500, 16), spread((512, 0, 1), seed=1)),
    "many codes": (spread((50, 2, 1e-3)), spread((20_000, 2, 1e-3), seed=1)),
}


@pytest.mark.parametrize("name", ADVERSARIAL)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_nearest_code_equals_float64_however_the_codes_are_spread(name, dtype):
    z, codes = (x.to(dtype) for x in ADVERSARIAL[name])
    assert torch.equal(nearest_code(z, codes), exact_search(z, codes))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_nearest_code_of_half_precision_is_that_of_the_numbers_it_stands_for(dtype):
    z, codes = random_normal(2, 300, 8).to(dtype), random_normal(2, 60, 8, seed=1).to(dtype)
    assert torch.equal(nearest_code(z, codes), exact_search(z, codes))
    assert torch.equal(nearest_code(300 * z, 300 * codes), exact_search(300 * z, 300 * codes))


def test_nearest_code_stays_exact_where_products_may_be_rounded():
    precision = torch.get_float32_matmul_precision()
    try:
        for allowed in ("high", "medium"):
            torch.set_float32_matmul_precision(allowed)
            z, codes = random_normal(1, 300, 32), random_normal(1, 500, 32, seed=1)
            assert torch.equal(nearest_code(z, codes), exact_search(z, codes))
    finally:
        torch.set_float32_matmul_precision(precision)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("update", ["ema", "gradient"])
def test_a_quantizer_under_autocast_works_in_float32_and_answers_in_the_dtype_it_got(dtype, update):
    reference, ours = (VectorQuantizer(16, 8, update=update) for _ in range(2))
    linear = torch.nn.Linear(8, 8)
    x = random_normal(1, 500, 8)
    with torch.autocast("cpu", dtype):
        z = linear(x)
        assert z.dtype == dtype
        z_q, tokens, loss = ours(z)
        (z_q.float().square().mean() + loss.sum()).backward()
    expected = reference(z.detach().float())
    assert z_q.dtype == dtype
    assert loss.dtype == torch.float32
    assert torch.equal(tokens, expected.tokens)
    assert torch.allclose(z_q.float(), expected.z_q, rtol=1e-2, atol=1e-2)
    assert torch.allclose(ours.codebook, reference.codebook)
    assert linear.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_running_means_do_not_drift_in_a_model_of_half_precision(dtype):
    quantizer = VectorQuantizer(16, 8).to(dtype)
    for step in range(300):
        quantizer(random_normal(1, 4000, 8, seed=step).to(dtype))
    assert quantizer.counts.sum().item() == pytest.approx(4000, rel=0.06)  # 0.99**300 of the start is left
    assert quantizer.codebook.dtype == torch.float32
    assert quantizer.double().codebook.dtype == torch.float64


def test_tokens_of_one_run_never_reach_into_another(refuses):
    codes = random_normal(2, 4, 3)
    for outside in (4, -1):
        tokens = torch.tensor([[0, outside], [0, 1]])
        with refuses("tokens must lie in 0…3"):
            look_up(codes, tokens)
        with refuses("tokens must lie in 0…3"):
            code_counts(tokens, 4)


def test_the_score_matrix_is_never_in_memory():
    if not os.access("/proc/self/clear_refs", os.W_OK):
        pytest.skip("peak memory is read from Linux's /proc")
    command = [sys.executable, str(Path(__file__).parent / "peak_memory.py")]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    result = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    peak = json.loads(result.stdout)
    # One block of scores takes 4 MB, and so do the latents of the step: less was not measured.
    assert 4 <= peak["search"] < 50  # the (65536, 2048) scores alone would take 512 MB
    assert 4 <= peak["step"] < 100  # the (4096, 65536) scores alone would take 1024 MB


def test_look_up_and_code_counts_agree_with_plain_indexing():
    codes, tokens = random_normal(3, 7, 4), torch.randint(7, (3, 50), generator=torch.Generator().manual_seed(0))
    chosen, counts = look_up(codes, tokens), code_counts(tokens, 7)
    for run in range(3):
        assert torch.equal(chosen[run], codes[run][tokens[run]])
        assert torch.equal(counts[run], torch.bincount(tokens[run], minlength=7))


def test_straight_through_has_the_value_of_the_code_and_the_gradient_of_the_latent():
    z, z_q, upstream = random_normal(1, 9, 3).requires_grad_(), random_normal(1, 9, 3, seed=1), random_normal(1, 9, 3)
    output = straight_through(z, z_q)
    (output * upstream).sum().backward()
    assert torch.allclose(output, z_q, atol=1e-6)
    assert torch.equal(z.grad, upstream)


@pytest.mark.parametrize("update", ["ema", "gradient"])
def test_what_the_decoder_sends_back_reaches_the_encoder_unchanged_and_never_the_codes(update):
    quantizer = VectorQuantizer(5, 3, update=update)
    z, upstream = random_normal(1, 9, 3).requires_grad_(), random_normal(1, 9, 3, seed=1)
    (quantizer(z).z_q * upstream).sum().backward()
    assert torch.equal(z.grad, upstream)
    assert quantizer.codebook.grad is None


def test_ema_steps_equal_vector_quantize_pytorch():
    from vector_quantize_pytorch import VectorQuantize  # takes two seconds, which only the worker of this test pays

    k, d = 12, 5
    reference = VectorQuantize(
        d, k, decay=0.9, eps=1e-12, commitment_weight=0.25, rotation_trick=False, threshold_ema_dead_code=0
    )
    ours = VectorQuantizer(k, d, decay=0.9, commitment_weight=0.25)
    codes, counts = random_normal(1, k, d), torch.rand(1, k, generator=torch.Generator().manual_seed(1)) + 0.5
    ours.set_codebook(codes, counts)
    reference._codebook.embed.data.copy_(codes)
    reference._codebook.embed_avg.data.copy_(codes * counts[..., None])
    reference._codebook.cluster_size.data.copy_(counts)
    for step in range(5):
        z = random_normal(1, 40, d, seed=10 + step)
        z_q, tokens, loss = ours(z)
        their_z_q, their_tokens, their_loss = reference(z)
        assert torch.equal(tokens, their_tokens)
        assert torch.allclose(z_q, their_z_q, atol=1e-5)
        assert torch.allclose(loss, their_loss.reshape(1), rtol=1e-5)
        assert torch.allclose(ours.counts, reference._codebook.cluster_size, rtol=1e-5)
        assert torch.allclose(ours.sums, reference._codebook.embed_avg, atol=1e-5)
        assert torch.allclose(ours.codebook, reference._codebook.embed, atol=1e-5)


def test_codes_used_by_no_token_keep_their_place_even_when_their_counts_underflow():
    quantizer = VectorQuantizer(3, 2, decay=0.5)
    start = torch.tensor([[[0.0, 0], [50, 0], [0, 70]]])
    quantizer.set_codebook(start, torch.tensor([[8.0, 1, 0]]))
    for step in range(200):  # 0.5**200 is below float32's smallest number
        quantizer(random_normal(1, 8, 2, seed=step))
    assert torch.allclose(quantizer.codebook[0, 1:], start[0, 1:], rtol=1e-4)
    assert not torch.equal(quantizer.codebook[0, 0], start[0, 0])
    assert torch.isfinite(quantizer.codebook).all()


@pytest.mark.parametrize(("commitment", "codebook"), [(0.25, 1.0), (0.0, 2.0), (3.0, 0.0)])
def test_gradient_update_follows_the_two_loss_terms_each_with_its_own_weight(commitment, codebook):
    n, k, d = 30, 6, 4
    quantizer = VectorQuantizer(k, d, update="gradient", commitment_weight=commitment, codebook_weight=codebook)
    z = random_normal(1, n, d, seed=3).requires_grad_()
    _, tokens, loss = quantizer(z)
    loss.sum().backward()
    difference = (z - quantizer.codebook[0, tokens[0]]).detach()  # (1, N, d)
    assert torch.allclose(loss, (commitment + codebook) * difference.square().mean().reshape(1))
    assert torch.allclose(z.grad, commitment * 2 * difference / (n * d), atol=1e-7)
    by_hand = torch.zeros(1, k, d)
    for i, token in enumerate(tokens[0]):
        by_hand[0, token] -= codebook * 2 * difference[0, i] / (n * d)
    assert torch.allclose(quantizer.codebook.grad, by_hand, atol=1e-7)


def test_ema_codes_are_no_parameters_to_train_and_the_codebook_weight_is_idle():
    z = random_normal(1, 20, 3).requires_grad_()
    losses = []
    for codebook_weight in (1.0, 100.0):
        quantizer = VectorQuantizer(5, 3, commitment_weight=0.5, codebook_weight=codebook_weight)
        assert not quantizer.codebook.requires_grad
        chosen = quantizer.codebook.clone()
        _, tokens, loss = quantizer(z)
        losses.append(loss.item())
        assert loss.item() == pytest.approx(0.5 * (z - look_up(chosen, tokens)).square().mean().item())
    assert losses[0] == losses[1]


def test_gradient_codes_stay_put_until_an_optimizer_moves_them_while_ema_codes_move():
    z = random_normal(1, 20, 3)
    for update, moves in (("ema", True), ("gradient", False)):
        quantizer = VectorQuantizer(5, 3, update=update)
        before = quantizer.codebook.detach().clone()
        quantizer(z)
        assert torch.equal(quantizer.codebook, before) != moves


@pytest.mark.parametrize("update", ["ema", "gradient"])
def test_evaluation_changes_nothing(update):
    quantizer = VectorQuantizer(5, 3, update=update, replace_below=10.0).eval()
    before = {name: tensor.clone() for name, tensor in quantizer.state_dict().items()}
    quantizer(random_normal(1, 20, 3))
    assert all(torch.equal(tensor, before[name]) for name, tensor in quantizer.state_dict().items())


# Eight latents: four choose code 0, three code 1, one code 2 and none code 3. The uniform share is N/K = 2.
FOUR_CODES = torch.tensor([[[0.0, 0], [10, 0], [0, 10], [99, 99]]])
EIGHT_LATENTS = FOUR_CODES[:, [0, 0, 0, 0, 1, 1, 1, 2]] + torch.linspace(-0.2, 0.2, 16).view(1, 8, 2)


@pytest.mark.parametrize("update", ["ema", "gradient"])
@pytest.mark.parametrize(("replace_below", "dead"), [(None, []), (0.4, [3]), (0.6, [2, 3]), (1.6, [1, 2, 3])])
def test_replacement_moves_exactly_the_dead_codes_onto_latents_of_the_batch(update, replace_below, dead):
    def trained(threshold):
        quantizer = VectorQuantizer(4, 2, update=update, decay=0, replace_below=threshold)
        quantizer.set_codebook(FOUR_CODES, torch.full((1, 4), 2.0))
        quantizer(EIGHT_LATENTS)
        return quantizer

    quantizer, without = trained(replace_below), trained(None)
    alive = [code for code in range(4) if code not in dead]
    for mine, theirs in zip(quantizer.state_dict().values(), without.state_dict().values(), strict=True):
        assert torch.equal(mine[0, alive], theirs[0, alive])
    for code in dead:
        assert (quantizer.codebook[0, code] == EIGHT_LATENTS[0]).all(-1).any()
        assert quantizer.counts[0, code] == 2
        assert torch.allclose(quantizer.sums[0, code], 2 * quantizer.codebook[0, code])


def test_the_next_ema_step_does_not_undo_a_replacement():
    quantizer = VectorQuantizer(4, 2, decay=0.9, replace_below=0.4)
    quantizer.set_codebook(FOUR_CODES, torch.tensor([[4.0, 3.0, 1.0, 0.1]]))
    quantizer(EIGHT_LATENTS)
    moved = quantizer.codebook[0, 3].clone()
    assert (moved == EIGHT_LATENTS[0]).all(-1).any()
    elsewhere = 0 if moved.norm() > 5 else 1
    tokens = quantizer(quantizer.codebook[:, [elsewhere] * 8].clone()).tokens
    assert (tokens == elsewhere).all()
    assert torch.allclose(quantizer.codebook[0, 3], moved, atol=1e-5)


def test_replacement_in_a_stack_of_runs_equals_one_run_at_a_time():
    z = random_normal(2, 50, 3)

    def trained(z, seeds):
        quantizer = VectorQuantizer(32, 3, seeds, decay=0.5, replace_below=0.5)
        for _ in range(4):
            quantizer(z)
        return quantizer

    stack = trained(z, (4, 9))
    for run, seed in enumerate((4, 9)):
        alone = trained(z[run, None], (seed,))
        assert torch.allclose(stack.codebook[run], alone.codebook[0], atol=1e-5)
        assert torch.allclose(stack.counts[run], alone.counts[0], atol=1e-5)
        untouched = VectorQuantizer(32, 3, (seed,)).generators[0]
        assert not torch.equal(alone.generators[0].get_state(), untouched.get_state())  # codes were replaced


@pytest.mark.parametrize(
    ("z", "codes", "words"),
    [
        (torch.zeros(4, 2), torch.zeros(1, 3, 2), "z[None]"),
        (torch.zeros(1, 0, 2), torch.zeros(1, 3, 2), "N = 0"),
        (torch.zeros(1, 4, 2), torch.zeros(1, 3, 5), "disagree"),
        (torch.zeros(2, 4, 2), torch.zeros(1, 3, 2), "disagree"),
        (torch.zeros(1, 4, 2), torch.zeros(3, 2), "disagree"),
        (torch.zeros(1, 4, 2), torch.zeros(1, 0, 2), "K = 0"),
        (torch.tensor([[[0.0, float("nan")]]]), torch.zeros(1, 3, 2), "the latents contain NaN or Inf"),
        (torch.tensor([[[0.0, float("inf")]]]), torch.zeros(1, 3, 2), "the latents contain NaN or Inf"),
        (torch.tensor([[[-float("inf"), float("inf")]]]), torch.zeros(1, 3, 2), "the latents contain NaN or Inf"),
        (torch.zeros(1, 4, 2), torch.full((1, 3, 2), float("nan")), "the codes contain NaN or Inf"),
    ],
)
def test_nearest_code_refuses_what_it_cannot_search(z, codes, words, refuses):
    with refuses(words):
        nearest_code(z, codes)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"codebook_size": 0}, "K, must be at least 1, got 0"),
        ({"codebook_size": -3}, "K, must be at least 1, got -3"),
        ({"update": "adam"}, "unknown codebook update 'adam': choose from ema, gradient"),
        ({"decay": 1.0}, "the EMA decay must be at least 0 and below 1, got 1.0"),
        ({"decay": -0.1}, "at least 0 and below 1, got -0.1"),
        ({"commitment_weight": -0.25}, "the commitment weight must be at least 0, got -0.25"),
        ({"codebook_weight": float("inf")}, "the codebook weight must be at least 0, got inf"),
        ({"replace_below": float("nan")}, "replace_below must be at least 0, got nan"),
        ({"dim": 0}, "the dimension d of a code must be at least 1"),
        ({"seeds": ()}, "there are no seeds"),
    ],
)
def test_the_quantizer_refuses_impossible_settings(wrong, words, refuses):
    with refuses(words):
        VectorQuantizer(**({"codebook_size": 4, "dim": 2} | wrong))


@pytest.mark.parametrize("counts", [torch.full((1, 4), -1.0), torch.full((1, 4), float("nan")), torch.ones(1, 3)])
def test_set_codebook_refuses_what_no_codebook_can_be(counts, refuses):
    with refuses("the counts must be (1, 4), finite and at least 0"):
        VectorQuantizer(4, 2).set_codebook(torch.zeros(1, 4, 2), counts)
    with refuses("the codes contain NaN or Inf"):
        VectorQuantizer(4, 2).set_codebook(torch.full((1, 4, 2), float("nan")), torch.ones(1, 4))


def test_set_codebook_refuses_another_shape(refuses):
    with refuses("the codebook must be (1, 4, 2), got (1, 3, 2)"):
        VectorQuantizer(4, 2).set_codebook(torch.zeros(1, 3, 2), torch.ones(1, 3))
