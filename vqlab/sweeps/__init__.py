"""Experiments on a grid, how they are computed, and their stored results. Loading needs numpy only."""

from vqlab.sweeps.experiment import Arrays as Arrays
from vqlab.sweeps.experiment import Axis as Axis
from vqlab.sweeps.experiment import Experiment as Experiment
from vqlab.sweeps.stored import StoredSweep as StoredSweep
from vqlab.sweeps.stored import home as home
from vqlab.sweeps.stored import load as load
