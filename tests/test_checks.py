"""The checker itself, and every exercise: solved passes, blank says "not yet", each known wrong answer is named."""

import time

import answers
import pytest
import torch
from torch.nn.functional import one_hot

from vqlab.checks import Exercise, Mistake, Test, TooSlow, check, within
from vqlab.exercises import lab01


def _entropy(tokens, k, log=torch.log):
    p = torch.bincount(tokens, minlength=k) / len(tokens)
    p = p[p > 0]
    return -(p * log(p)).sum()


def _ema(counts, sums, z, tokens, decay, new=None):
    chosen = one_hot(tokens, len(counts)).to(z)
    new = 1 - decay if new is None else new
    return decay * counts + new * chosen.sum(0), decay * sums + new * chosen.T @ z


def _raw_entropy(tokens, k, divisor):
    p = torch.bincount(tokens, minlength=k).double() / divisor
    p = p[p > 0]
    return -(p * p.log()).sum()


def _nan_perplexity(tokens, k):
    p = torch.bincount(tokens, minlength=k) / len(tokens)
    return torch.exp(-(p * p.log()).sum())


def _ema_batch_mean(counts, sums, z, tokens, decay):
    new_counts, new_sums = _ema(counts, sums, z, tokens, decay)
    means = (one_hot(tokens, len(counts)).to(z).T @ z) / one_hot(tokens, len(counts)).sum(0)[:, None].clamp(min=1)
    return decay * sums / counts[:, None] + (1 - decay) * means, new_counts, new_sums


def _ema_batch_counts(counts, sums, z, tokens, decay):
    new_counts, new_sums = _ema(counts, sums, z, tokens, decay)
    return new_sums / one_hot(tokens, len(counts)).sum(0)[:, None].clamp(min=1), new_counts, new_sums


def _ema_nan(counts, sums, z, tokens, decay):
    chosen = one_hot(tokens, len(counts)).to(z)
    new_counts, new_sums = _ema(counts, sums, z, tokens, decay)
    return (chosen.T @ z) / chosen.sum(0)[:, None] * 0 + new_sums / new_counts[:, None], new_counts, new_sums


def _ema_whole(counts, sums, z, tokens, decay):
    new_counts, new_sums = _ema(counts, sums, z, tokens, decay, new=1)
    return new_sums / new_counts[:, None], new_counts, new_sums


def _ema_right(counts, sums, z, tokens, decay):
    new_counts, new_sums = _ema(counts, sums, z, tokens, decay)
    return new_sums / new_counts[:, None], new_counts, new_sums


RIGHT = {
    "nearest_code": [
        lambda z, c: torch.cdist(z, c).argmin(1),
        lambda z, c: ((z[:, None] - c) ** 2).sum(-1).argmin(-1).int(),
        lambda z, c: (z @ c.T - 0.5 * c.square().sum(1)).argmax(1),
        lambda z, c: torch.cdist(z, c).argmin(1).numpy(),
    ],
    "perplexity": [
        lambda tokens, k: float(torch.exp(_entropy(tokens, k))),
        lambda tokens, k: 2 ** _entropy(tokens, k, torch.log2),
    ],
    "straight_through": [lambda z, z_q: z + (z_q - z).detach(), lambda z, z_q: z_q.detach() + z - z.detach()],
    "ema_step": [_ema_right],
    "bend": [lab01.measured_bend(), float(lab01.measured_bend())],
}

# What students do write, and a word that the feedback must contain.
WRONG = {
    "nearest_code": [
        (lambda z, c: torch.cdist(z, c).argmax(1), "farthest"),
        (lambda z, c: torch.cdist(z, c).argmin(0), "axis"),
        (lambda z, c: torch.cdist(z, c).argmin(), "shape (N,)"),
        (lambda z, c: torch.cdist(z, c).argmin(1, keepdim=True), "shape (N,)"),
        (lambda z, c: torch.cdist(z, c).min(1), "values and indices"),
        (lambda z, c: (c.square().sum(1) - z @ c.T).argmin(1), "factor 2"),
        (lambda z, c: None, "is there a `return`"),
        (lambda z, c: torch.cdist(z, c).min(1).values, "index"),
        (lambda z, c: torch.cdist(z, c), "index"),
        (lambda z, c: c[torch.cdist(z, c).argmin(1)], "codes themselves"),
        (lambda z, c: (z @ c.T).argmax(1), "‖c‖²"),
        (lambda z, c: torch.zeros(len(z)), "fails this test"),
        (lambda z, c: one_hot(torch.cdist(z, c).argmin(1), len(c)), "shape (N,)"),
        (lambda z, c: undefined_name, "NameError"),  # noqa: F821
        (lambda z: z, "TypeError"),
        (lambda z, c: "code", "raised"),
        (lambda z, c: z.zero_().sum(1), "fails this test"),
    ],
    "perplexity": [
        (lambda tokens, k: float(_entropy(tokens, k)), "nats"),
        (lambda tokens, k: float(_entropy(tokens, k, torch.log2)), "bits"),
        (lambda tokens, k: float(torch.exp(_entropy(tokens, k, torch.log2))), "two logarithms"),
        (lambda tokens, k: 2 ** float(_entropy(tokens, k)), "two logarithms"),
        (lambda tokens, k: float(torch.exp(-_entropy(tokens, k))), "minus sign"),
        (_nan_perplexity, "NaN"),
        (lambda tokens, k: len(tokens.unique()), "active codes"),
        (lambda tokens, k: k, "fails this test"),
        (lambda tokens, k: float(torch.exp(_raw_entropy(tokens, k, 1))), "sum to 1"),
        (lambda tokens, k: float(torch.exp(_raw_entropy(tokens, k, k))), "sum to 1"),
        (lambda tokens, k: float(torch.exp(_entropy(tokens, k))) / k, "fails this test"),
    ],
    "straight_through": [
        (lambda z, z_q: z_q, "forgot"),
        (lambda z, z_q: z + (z_q - z), "forgot"),
        (lambda z, z_q: z, "nothing is quantized"),
        (lambda z, z_q: z_q.detach(), "Nobody"),
        (lambda z, z_q: (z + z_q - z).detach(), "Nobody"),
        (lambda z, z_q: z.detach() + (z_q - z), "gradient"),
        (lambda z, z_q: z + z_q - z.detach(), "inside"),
        (lambda z, z_q: z + (z - z_q).detach(), "sign"),
    ],
    "ema_step": [
        (lambda n, s, z, t, g: _ema_right(n, s, z, t, 1 - g), "swapped"),
        (_ema_whole, "1 − γ"),
        (_ema_batch_counts, "batch's hits"),
        (_ema_nan, "NaN"),
        (_ema_batch_mean, "average codes"),
        (lambda n, s, z, t, g: (s / n[:, None], n, s), "fails this test"),
        (lambda n, s, z, t, g: _ema_right(n, s, z, t, g)[0], "three things"),
        (lambda n, s, z, t, g: _ema_right(n, s, z, t, g)[::-1], "three things"),
    ],
    "bend": [(16, "further right"), (64, "further left"), ("32 codes", "raised"), (31, "further")],
}
EXERCISES = {name: getattr(lab01, name) for name in RIGHT}


@pytest.mark.parametrize("name", EXERCISES)
def test_right_answers_get_full_marks(name):
    answers.assert_right(EXERCISES[name], RIGHT[name])


@pytest.mark.parametrize("name", EXERCISES)
def test_every_known_wrong_answer_is_refused_and_named(name):
    answers.assert_wrong_and_named(EXERCISES[name], WRONG[name])


@pytest.mark.parametrize("name", EXERCISES)
def test_blank_is_not_yet(name):
    answers.assert_blank_is_not_yet(EXERCISES[name], value=name == "bend")


def test_an_endless_loop_comes_back_and_its_thread_ends():
    ticks = []

    def endless(z, codes):
        while True:
            try:
                ticks.append(1)
                time.sleep(0.001)
            except Exception:  # what a student's careless except would catch
                continue

    start = time.perf_counter()
    feedback = check(lab01.nearest_code, endless, seconds=0.3)
    assert time.perf_counter() - start < 5
    assert feedback.state == "wrong"
    assert "ran longer than 0.3 s" in feedback.says
    time.sleep(0.3)
    count = len(ticks)
    time.sleep(0.3)
    assert len(ticks) == count


def test_sys_exit_does_not_end_the_notebook():
    def leaves(z, codes):
        raise SystemExit

    assert "SystemExit" in check(lab01.nearest_code, leaves).says


def test_within_returns_values_and_passes_errors_on():
    assert within(1, lambda a: a + 1, 2) == 3
    with pytest.raises(ZeroDivisionError):
        within(1, lambda: 1 / 0)
    with pytest.raises(TooSlow):
        within(0.05, time.sleep, 0.5)


def test_partial_marks_count_the_tests_that_pass():
    exercise = Exercise(
        "e", (Test("one", lambda a: a > 0), Test("two", lambda a: a > 5)), (Mistake("small", lambda a: a < 3),)
    )
    assert check(exercise, 1).marks == 1
    assert check(exercise, 1).says == "small"
    assert check(exercise, 4).says == "It fails this test: two."
    assert check(exercise, 9).marks == 2


def test_feedback_is_announced_and_escaped():
    html = check(lab01.nearest_code, lambda z, c: 1 / 0)._repr_mimebundle_()["text/html"]
    assert 'role="status"' in html
    assert "ZeroDivisionError" in html
    nasty = Exercise("<b>", (Test("never", lambda a: False),))
    assert "&lt;b&gt;" in check(nasty, 1)._repr_mimebundle_()["text/html"]


def test_an_answer_that_writes_into_its_arguments_spoils_nothing():
    def spoils(z, codes):
        codes.zero_()
        return z.zero_().sum(1)

    assert check(lab01.nearest_code, spoils).state == "wrong"
    assert check(lab01.nearest_code, RIGHT["nearest_code"][0]).state == "passed"
    check(lab01.perplexity, lambda tokens, k: tokens.zero_().sum())
    assert check(lab01.perplexity, RIGHT["perplexity"][0]).state == "passed"
    check(lab01.ema_step, lambda n, s, z, t, g: (n.zero_(), s.zero_(), z.zero_()))
    assert check(lab01.ema_step, _ema_right).state == "passed"
