"""The experiments behind the labs: what is swept, at which setting, and what is kept of each training."""

from vqlab.experiments import tokens
from vqlab.sweeps import Experiment

EXPERIMENTS: dict[str, Experiment] = {experiment.name: experiment for experiment in tokens.EXPERIMENTS}
