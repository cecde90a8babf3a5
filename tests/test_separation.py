"""Class separation against scikit-learn, hand cases, and what merging must do to each number."""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import confusion_matrix, mutual_info_score
from sklearn.neighbors import NearestCentroid

from vqlab import data, measures


def blobs(classes=6, n=1200, std=0.3, d=3, seed=0):
    """Unequal blobs in d dimensions: latents (n, d) and labels (n,) in random order."""
    rng = np.random.default_rng(seed)
    y = rng.integers(classes, size=n)
    return rng.normal(size=(classes, d))[y] + std * rng.normal(size=(n, d)) * rng.uniform(0.5, 2, d), y


def merged(y, pairs, d=2, gap=10.0, std=0.1, seed=0):
    """Latents of classes `gap` apart on a line, but with each class of `pairs` put on top of its partner."""
    places = np.arange(y.max() + 1) * gap
    for one, other in pairs:
        places[one] = places[other]
    noise = std * np.random.default_rng(seed).normal(size=(len(y), d))
    return np.stack([places[y]] + [np.zeros(len(y))] * (d - 1), 1) + noise


LABELS = np.arange(600) % 6

# --- means, scatter, d′, regions ---------------------------------------------------------------------------


def test_class_means_and_covariances_equal_numpy_class_by_class():
    latents, y = blobs()
    means, covariances = measures.class_means(latents, y), measures.class_covariances(latents, y)
    for c in range(6):
        np.testing.assert_allclose(means[c], latents[y == c].mean(0), rtol=1e-9)
        np.testing.assert_allclose(covariances[c], np.cov(latents[y == c].T, bias=True), rtol=1e-9)


def test_scatter_ratio_of_a_hand_case():
    # Means −3 and 3 around 0, each sample 1 away from its mean: between 9, within 1.
    latents, y = np.array([[-4.0], [-2.0], [2.0], [4.0]]), np.array([0, 0, 1, 1])
    assert measures.scatter_ratio(latents, y) == pytest.approx(9)
    # Class 0 with three of four samples pulls the middle towards itself: between 6.75, within 0.
    latents, y = np.array([[-3.0], [-3.0], [-3.0], [3.0]]), np.array([0, 0, 0, 1])
    assert measures.scatter_ratio(latents, y) == np.inf


def test_between_and_within_scatter_add_up_to_the_total():
    latents, y = blobs()
    ratio = measures.scatter_ratio(latents, y)
    within = sum(np.square(latents[y == c] - latents[y == c].mean(0)).sum() for c in range(6))
    total = np.square(latents - latents.mean(0)).sum()
    assert within * (1 + ratio) == pytest.approx(total)


def test_discriminability_of_known_normals():
    rng = np.random.default_rng(0)
    y = np.arange(200_000) % 2
    latents = rng.normal(size=(len(y), 2)) * np.array([2.0, 5.0])  # the wide coordinate is not along the line
    latents[:, 0] += 6 * y
    d = measures.discriminability(latents, y)
    assert d[0, 1] == pytest.approx(3, rel=0.02)
    assert d[0, 1] == d[1, 0]
    assert d[0, 0] == 0


def test_the_nearest_mean_of_two_classes_at_d_prime_two_misjudges_a_sixth():
    y = np.arange(100_000) % 2
    latents = np.random.default_rng(0).normal(size=(len(y), 1)) + 2 * y[:, None]
    assert measures.discriminability(latents, y)[0, 1] == pytest.approx(2, rel=0.03)
    wrong = 1 - measures.accuracy(measures.classify_by_mean(latents, y), y)
    assert wrong == pytest.approx(0.1587, abs=0.01)


@pytest.mark.parametrize(
    ("pairs", "labels"),
    [
        ([], [0, 1, 2, 3, 4, 5]),
        ([(4, 1)], [0, 1, 2, 3, 1, 5]),
        ([(4, 1), (3, 0)], [0, 1, 2, 0, 1, 5]),
        ([(c, 0) for c in range(6)], [0] * 6),
    ],
)
def test_merged_classes_share_a_region(pairs, labels):
    latents = merged(LABELS, pairs)
    assert measures.region_labels(latents, LABELS).tolist() == labels
    assert measures.distinct_regions(latents, LABELS) == len(set(labels))


def test_a_chain_of_overlapping_classes_is_one_region_however_long():
    y = np.arange(6400) % 32
    chained = merged(y, [], gap=0.15, std=0.1)  # neighbours at d′ = 1.5, the ends at 46
    assert measures.discriminability(chained, y)[0, -1] > 40
    assert measures.distinct_regions(chained, y) == 1
    assert measures.distinct_regions(chained, y, threshold=1) == 32


def test_a_chain_is_followed_in_whatever_order_its_classes_come():
    y = np.arange(6400) % 32
    places = np.random.default_rng(1).permutation(32)
    latents = merged(places[y], [], gap=0.15, std=0.1)
    assert measures.distinct_regions(latents, y) == 1
    assert (measures.region_labels(latents, y) == 0).all()


@pytest.mark.parametrize("rounding", [0, 3e-8])
def test_constant_latents_are_one_region_whatever_the_rounding(rounding):
    # As if a network in float32 had rounded each class its own way.
    latents = (np.full((600, 2), 0.37) + rounding * LABELS[:, None]).astype(np.float32)
    assert measures.distinct_regions(latents, LABELS) == 1
    assert measures.scatter_ratio(latents, LABELS) == 0
    assert measures.linear_probe_accuracy(latents, LABELS) < 0.25


def test_the_nearest_of_equal_means_is_a_guess():
    guessed = measures.accuracy(measures.classify_by_mean(np.full((600, 2), 0.37), LABELS), LABELS)
    assert guessed == pytest.approx(1 / 6)


@pytest.mark.parametrize("scale", [1e-4, 1e4])
def test_separation_does_not_depend_on_the_scale_of_the_latents(scale):
    latents, y = blobs(std=0.6)
    for metric in (measures.distinct_regions, measures.scatter_ratio, measures.linear_probe_accuracy):
        assert metric(scale * latents, y) == pytest.approx(metric(latents, y), rel=0.01)


def test_runs_are_measured_one_by_one():
    runs = np.stack([blobs(seed=seed, n=600)[0] for seed in range(3)]).reshape(3, 1, 600, 3)
    for metric in (
        measures.class_means,
        measures.scatter_ratio,
        measures.discriminability,
        measures.distinct_regions,
        measures.classify_by_mean,
        measures.linear_probe_accuracy,
    ):
        together = metric(runs, LABELS)
        assert together.shape[:2] == (3, 1)
        np.testing.assert_allclose(together[2, 0], metric(runs[2, 0], LABELS), rtol=1e-9)


# --- what is held out ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [[2, 2], [3, 2, 9], [50, 51, 1000]])
def test_half_of_each_class_is_held_out_and_nobody_is_on_both_sides(sizes):
    y = np.random.default_rng(0).permutation(np.repeat(np.arange(len(sizes)), sizes))
    fits, judges = measures.held_out(y)
    assert sorted([*fits, *judges]) == list(range(len(y)))
    assert np.bincount(y[fits]).tolist() == [size // 2 for size in sizes]


def test_samples_sorted_by_class_are_judged_as_fairly_as_shuffled_ones():
    y = np.repeat(np.arange(6), 100)
    latents = merged(y, [])
    tokens = y * 2
    shuffled = np.random.default_rng(1).permutation(len(y))
    for order in (slice(None), shuffled):
        assert measures.accuracy(measures.classify_by_mean(latents[order], y[order]), y[order]) == 1
        assert measures.accuracy(measures.classify_by_token(tokens[order], y[order], 12), y[order]) == 1
        assert measures.linear_probe_accuracy(latents[order], y[order]) == 1
        assert measures.distinct_regions(latents[order], y[order]) == 6


@pytest.mark.parametrize("d", [2, 64, 256, 1024])
def test_pure_noise_is_one_region_in_any_number_of_dimensions(d):
    y = np.arange(1000) % 10
    for seed in range(3):
        noise = np.random.default_rng(seed).normal(size=(1000, d))
        assert measures.distinct_regions(noise, y) == 1
        assert measures.discriminability(noise, y).max() < 1


@pytest.mark.parametrize(("n", "words"), [(1, "class 1 has 1 samples, and 2 are needed"), (3, "4 are needed")])
def test_a_class_too_small_to_be_judged_is_named(n, words, refuses):
    y = np.array([0] * 10 + [1] * n)
    latents = np.random.default_rng(0).normal(size=(len(y), 2))
    measure = measures.classify_by_mean if n == 1 else measures.distinct_regions
    with refuses(words):
        measure(latents, y)


def test_predictions_that_are_not_of_the_held_out_samples_are_refused(refuses):
    with refuses("of 600 samples 300 are held out, and 600 are predicted"):
        measures.accuracy(LABELS, LABELS)


# --- classifiers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("std", [0.1, 0.8, 2.0])
def test_nearest_mean_equals_scikit_learns_nearest_centroid(std):
    latents, y = blobs(std=std)
    fits, judges = measures.held_out(y)
    reference = NearestCentroid().fit(latents[fits], y[fits]).predict(latents[judges])
    np.testing.assert_array_equal(measures.classify_by_mean(latents, y), reference)


def test_the_linear_probe_sees_what_another_linear_classifier_sees():
    latents, y = blobs(std=0.8)
    fits, judges = measures.held_out(y)
    reference = LinearDiscriminantAnalysis().fit(latents[fits], y[fits]).score(latents[judges], y[judges])
    assert measures.linear_probe_accuracy(latents, y) == pytest.approx(reference, abs=0.03)


def test_the_linear_probe_succeeds_where_stretching_misleads_the_nearest_mean():
    rng = np.random.default_rng(0)
    latents = np.stack([LABELS % 2 + 0.1 * rng.normal(size=600), 20 * rng.normal(size=600)], 1)
    assert measures.linear_probe_accuracy(latents, LABELS % 2) > 0.99
    assert measures.accuracy(measures.classify_by_mean(latents, LABELS % 2), LABELS % 2) < 0.9


@pytest.mark.parametrize("layout", data.LAYOUTS)
@pytest.mark.parametrize("classes", [4, 8, 16, 32])
def test_in_data_space_the_labs_classes_are_apart(layout, classes):
    samples = data.separate_classes(layout, classes)
    assert measures.distinct_regions(samples.x, samples.y) == classes
    assert 0.985 < measures.accuracy(measures.classify_by_mean(samples.x, samples.y), samples.y) < 0.999


def test_confusion_equals_scikit_learns():
    latents, y = blobs(std=1.5)
    predicted = measures.classify_by_mean(latents, y)
    reference = confusion_matrix(y[measures.held_out(y)[1]], predicted, normalize="true")
    np.testing.assert_allclose(measures.confusion(predicted, y), reference, atol=1e-12)


# --- tokens ------------------------------------------------------------------------------------------------

TOKENS = np.array([0, 0, 0, 1, 1, 1, 3, 3])
CLASSES = np.array([0, 0, 1, 1, 1, 1, 0, 1])


def test_token_table_purity_and_information_of_a_hand_case():
    table = measures.token_table(TOKENS, CLASSES, 4)
    assert table.tolist() == [[2, 1], [0, 3], [0, 0], [1, 1]]
    assert measures.token_purity(table) == pytest.approx((2 + 3 + 1) / 8)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.uint64])
def test_tokens_of_a_small_dtype_are_counted_like_any(dtype):
    rng = np.random.default_rng(0)
    k = int(min(16_384, np.iinfo(dtype).max + 1))
    y, tokens = rng.integers(10, size=5000), rng.integers(k, size=5000)
    small = tokens.astype(dtype)
    table = measures.token_table(small, y.astype(np.uint8), k)
    np.testing.assert_array_equal(table, measures.token_table(tokens, y, k))
    np.testing.assert_array_equal(measures.classify_by_token(small, y, k), measures.classify_by_token(tokens, y, k))


@pytest.mark.parametrize("k", [2, 5, 40])
def test_token_information_equals_scikit_learns_mutual_information_in_bits(k):
    rng = np.random.default_rng(k)
    y = rng.integers(5, size=500)
    tokens = np.where(rng.random((3, 500)) < 0.5, y % k, rng.integers(k, size=(3, 500)))
    reference = [mutual_info_score(y, run) / np.log(2) for run in tokens]
    np.testing.assert_allclose(measures.token_information(measures.token_table(tokens, y, k)), reference, atol=1e-9)


def test_a_token_per_class_tells_everything_and_one_token_nothing():
    for tokens, purity, bits in ((LABELS, 1, np.log2(6)), (LABELS * 2 % 12, 1, np.log2(6)), (LABELS * 0, 1 / 6, 0)):
        table = measures.token_table(tokens, LABELS, 12)
        assert measures.token_purity(table) == pytest.approx(purity)
        assert measures.token_information(table) == pytest.approx(bits, abs=1e-9)


def test_tokens_are_judged_on_samples_they_were_not_named_by():
    y = np.array([0, 0, 1, 1, 0, 1, 1, 0])
    fits, judges = measures.held_out(y)
    tokens = np.where(y == 0, 5, 7)
    tokens[judges[0]] = 2  # a token that no fitted sample has
    predicted = measures.classify_by_token(tokens, y, 8)
    assert predicted.tolist() == [-1, *y[judges[1:]]]
    assert measures.accuracy(predicted, y) == 0.75
    shares = np.eye(2)
    shares[y[judges[0]]] /= 2
    np.testing.assert_allclose(measures.confusion(predicted, y), shares)
    assert set(y[fits]) == {0, 1}


def test_as_many_tokens_as_samples_name_no_class():
    tokens = np.arange(600)
    assert measures.accuracy(measures.classify_by_token(tokens, LABELS, 600), LABELS) == 0
    assert measures.token_purity(measures.token_table(tokens, LABELS, 600)) == 1  # purity alone is fooled


def test_class_error_is_the_error_of_each_class_alone():
    x, y = blobs()
    reconstruction = np.stack([x + y[:, None], x])
    errors = measures.class_error(x, reconstruction, y)
    np.testing.assert_allclose(errors, [np.arange(6) ** 2, np.zeros(6)], atol=1e-9)


# --- refusals ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (LABELS[:5], "one whole number"),
        (LABELS - 1, "one whole number"),
        (LABELS.astype(float), "whole numbers, got float64"),
        (LABELS + (LABELS > 2), "class 3 has no samples"),
    ],
)
def test_labels_that_do_not_fit_are_refused(y, words, refuses):
    latents = np.zeros((600, 2))
    with refuses(words):
        measures.distinct_regions(latents, y)
    with refuses(words):
        measures.linear_probe_accuracy(latents, y)


def test_tokens_outside_the_codebook_are_refused(refuses):
    with refuses("tokens must lie in 0…3"):
        measures.token_table(np.array([0, 4, 1]), np.array([0, 1, 1]), 4)
    with refuses("one whole number"):
        measures.classify_by_token(TOKENS, CLASSES[:3], 4)
