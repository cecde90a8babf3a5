"""Experiments on a grid, how they are computed, and their stored results. Loading needs numpy only."""

from vqlab.sweeps.experiment import Axis as Axis
from vqlab.sweeps.experiment import Cell as Cell
from vqlab.sweeps.experiment import Experiment as Experiment
from vqlab.sweeps.stored import Stored as Stored
from vqlab.sweeps.stored import home as home
from vqlab.sweeps.stored import load as load
