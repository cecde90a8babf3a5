"""Training loops (PyTorch): a continuous phase, the switch, a quantized phase."""

from vqlab.training.adaptive import AdaptiveSwitch as AdaptiveSwitch
from vqlab.training.launcher import launch as launch
from vqlab.training.settings import Settings as Settings
from vqlab.training.trainer import Cancelled as Cancelled
from vqlab.training.trainer import Trainer as Trainer
