"""Where the codes start: k-means and the alternatives it is compared with."""

from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor

from vqlab import LabError
from vqlab.inputs import number, one_of, shown, whole
from vqlab.quantizers import inputs
from vqlab.quantizers.nearest import count_flat, flat, search

LLOYD_STEPS = 20
# Agglomerative clustering keeps all pairwise distances, so it sees at most this many latents.
_HIERARCHICAL_LATENTS = 2000


def initialise(
    initialisation: str, z: Tensor, codebook_size: int, generators: Sequence[Generator]
) -> tuple[Tensor, Tensor]:
    """Place K = codebook_size codes for latents z (R, N, d), one generator a run.

    initialisation: "kmeans" (Lloyd from random latents), "kmeans++" (Lloyd from scikit-learn's k-means++ seeding),
    "gmm" (means of a Gaussian mixture), "hierarchical" (Ward clusters' means), "latents" (random latents),
    "normal:S" (independent normals with standard deviation S; the latents are ignored).

    Returns: the codebook (R, K, d) and the counts (R, K) of the N latents that choose each.
    Raises: LabError for K < 1, fewer latents than codes, NaN/Inf latents or an unknown initialisation.
    """
    z = inputs.latents(z).detach()
    codebook_size = whole(codebook_size, "the number of codes, K,")
    generators = inputs.generators(generators, len(z))
    if z.shape[1] < codebook_size:
        raise LabError(
            f"cannot place {codebook_size} codes on {z.shape[1]} latents: "
            "give at least as many latents as codes, or lower K"
        )
    name, scale = parse_initialisation(initialisation)
    if name == "kmeans":
        codebook = lloyd(z, _random_latents(z, codebook_size, generators), generators)
    elif name == "latents":
        codebook = _random_latents(z, codebook_size, generators)
    elif name == "normal":
        codebook = scale * torch.stack([torch.randn(codebook_size, z.shape[2], generator=g) for g in generators])
    else:
        per_run = zip(z, generators, strict=True)
        codebook = torch.stack([_SKLEARN[name](run, codebook_size, _numpy_seed(g)) for run, g in per_run])
        codebook = lloyd(z, codebook, generators) if name == "kmeans++" else codebook
    codebook = codebook.to(z)
    return codebook, count_flat(flat(search(z, codebook), codebook_size), len(z), codebook_size)


def parse_initialisation(initialisation: str) -> tuple[str, float]:
    """Split an initialisation such as "kmeans" or "normal:0.1" into its name and its S (0 where it has none).

    Raises: LabError for an unknown initialisation, or an S that is not a number.
    """
    name, _, scale = initialisation.partition(":") if isinstance(initialisation, str) else ("", "", "")
    if name == "normal":
        try:
            deviation = float(scale)
        except ValueError as error:
            raise LabError(
                f"{shown(initialisation)} lacks its standard deviation: write it as in 'normal:0.1'"
            ) from error
        return name, number(deviation, "the standard deviation after 'normal:'", least=0, most=1e30)
    return one_of(initialisation, "codebook initialisation", (*INITIALISATIONS, "normal:S")), 0.0


@torch.no_grad()
def lloyd(z: Tensor, codebook: Tensor, generators: Sequence[Generator], steps: int = LLOYD_STEPS) -> Tensor:
    """At most `steps` Lloyd iterations of k-means on z (R, N, d) from a codebook (R, K, d).

    An empty cluster restarts at a random latent. A run stops when none of its tokens change, so that what
    becomes of it, and of its generator, does not depend on the other runs.
    Raises: LabError for latents or codes that are not finite or do not fit, or steps < 0.
    """
    z = inputs.latents(z)
    codebook = inputs.codebook(codebook, z).to(z.dtype)
    generators = inputs.generators(generators, len(z))
    steps = whole(steps, "the number of Lloyd steps", 0)
    runs, k, d = codebook.shape
    previous = None
    moving = torch.ones(runs, dtype=torch.bool, device=z.device)
    for _ in range(steps):
        tokens = search(z, codebook)
        if previous is not None:
            moving &= (tokens != previous).any(1)
        if not moving.any():
            break
        previous = tokens
        places = flat(tokens, k).view(-1)  # (R, N) -> (R·N,)
        counts = count_flat(places, runs, k)
        sums = torch.zeros(runs * k, d, dtype=z.dtype, device=z.device).index_add_(0, places, z.reshape(-1, d))
        means = sums.view(runs, k, d) / counts.clamp(min=1).unsqueeze(2)
        codebook = torch.where(moving[:, None, None], means, codebook)
        empty = (counts == 0) & moving[:, None]
        for run in empty.any(1).nonzero().squeeze(1):
            fresh = _random_latents(z[run, None], k, [generators[run]])[0]  # (K, d)
            codebook[run] = torch.where(empty[run, :, None], fresh, codebook[run])
    return codebook


def _random_latents(z: Tensor, k: int, generators: Sequence[Generator]) -> Tensor:
    picks = [torch.randperm(z.shape[1], generator=g)[:k].to(z.device) for g in generators]
    return torch.stack([run[pick] for run, pick in zip(z, picks, strict=True)])  # (R, K, d)


def _numpy_seed(generator: Generator) -> int:
    return int(torch.randint(2**31 - 1, (1,), generator=generator))


def _kmeans_plus_plus(z: Tensor, k: int, seed: int) -> Tensor:
    from sklearn.cluster import kmeans_plusplus

    return torch.from_numpy(kmeans_plusplus(z.double().cpu().numpy(), k, random_state=seed)[0])


def _gaussian_mixture(z: Tensor, k: int, seed: int) -> Tensor:
    from sklearn.mixture import GaussianMixture

    # The floor on the variances is relative: an untrained encoder's latents span less than sklearn's 1e-6.
    points = z.double().cpu().numpy()
    spread = max(float(points.var(0).sum()), 1e-12)
    mixture = GaussianMixture(
        k, covariance_type="spherical", max_iter=20, tol=1e-2, reg_covar=1e-6 * spread, random_state=seed
    )
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        # Twenty steps of EM place the codes well enough; full convergence is not what is being compared.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return torch.from_numpy(mixture.fit(points).means_)


def _hierarchical(z: Tensor, k: int, seed: int) -> Tensor:
    import numpy as np
    from sklearn.cluster import AgglomerativeClustering

    points = z.double().cpu().numpy()
    chosen = np.random.default_rng(seed).permutation(len(points))[: max(k, _HIERARCHICAL_LATENTS)]
    labels = AgglomerativeClustering(k).fit_predict(points[chosen])
    return torch.from_numpy(np.stack([points[chosen][labels == code].mean(0) for code in range(k)]))


_SKLEARN: dict[str, Callable[[Tensor, int, int], Tensor]] = {
    "kmeans++": _kmeans_plus_plus,
    "gmm": _gaussian_mixture,
    "hierarchical": _hierarchical,
}
INITIALISATIONS = ("kmeans", "latents", *_SKLEARN)
