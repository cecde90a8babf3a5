"""What pyproject.toml cannot say: stored sweeps lie in data/sweeps of the repository, and inside an installed vqlab."""

from setuptools import find_packages, setup

SWEEPS = "vqlab.sweeps.shipped"

setup(
    packages=[*find_packages(include=["vqlab*"]), SWEEPS],
    package_dir={SWEEPS: "data/sweeps"},
    package_data={SWEEPS: ["*.npz", "*.json"]},
)
