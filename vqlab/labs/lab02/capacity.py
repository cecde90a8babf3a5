"""Where capacity is real: sixteen classes that fill ten dimensions, and what is left of them in fewer. Pure numpy."""

from functools import cache

import numpy as np

from vqlab import measures
from vqlab.data import Samples, separate_classes

CLASSES = 16
# As `data.separate_classes` has it on the plane: of the distance between neighbours, so that all classes are apart.
_RELATIVE_SPREAD = 0.18


@cache
def classes_in(dimensions: int, n: int = 4000, seed: int = 0) -> Samples:
    """Sixteen classes: on a ring in the plane, or around random points of the unit sphere in more dimensions; x (n, d).

    The standard deviation is 0.18 of the distance between the two nearest centres, in any number of dimensions.
    """
    if dimensions == 2:
        return separate_classes("ring", CLASSES, n, seed)
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(CLASSES, dimensions))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    apart = np.linalg.norm(centres[:, None] - centres, axis=-1) + 9 * np.eye(CLASSES)  # no centre is its own neighbour
    y = np.arange(n) % CLASSES
    noise = rng.normal(size=(n, dimensions))
    return Samples((centres[y] + _RELATIVE_SPREAD * apart.min() * noise).astype(np.float32), y)


@cache
def regions_left(dimensions: int, width: int) -> int:
    """Distinct regions of the sixteen classes when only the `width` largest principal components of the data are kept.

    No training: what the best linear squeeze through so few numbers leaves, in the sense of the reconstruction error.
    """
    samples = classes_in(dimensions)
    around = samples.x - samples.x.mean(0)
    _, _, directions = np.linalg.svd(around, full_matrices=False)  # (d, d): rows, the largest component first
    return int(measures.distinct_regions(around @ directions[:width].T, samples.y))
