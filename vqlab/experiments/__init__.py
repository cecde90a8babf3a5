"""The experiments behind the labs: what is swept, at which setting, and what is kept of each training."""

from vqlab.experiments import dimensions, embeddings, tokens
from vqlab.sweeps import Experiment

EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment
    for experiment in (*tokens.EXPERIMENTS, *embeddings.EXPERIMENTS, *dimensions.EXPERIMENTS)
}
