"""What pyproject.toml cannot say: some of data lies inside an installed vqlab, the stored sweeps and the classifier."""

from setuptools import find_packages, setup

SWEEPS, CLASSIFIER = "vqlab.sweeps.shipped", "vqlab.models.shipped"

setup(
    packages=[*find_packages(include=["vqlab*"]), SWEEPS, CLASSIFIER],
    package_dir={SWEEPS: "data/sweeps", CLASSIFIER: "data/checkpoints"},
    package_data={
        "vqlab.classroom": ["templates/*.html"],
        SWEEPS: ["*.npz", "*.json"],
        CLASSIFIER: ["cifar10_classifier.*"],
    },
)
