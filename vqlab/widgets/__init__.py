"""Widgets: sliders bound to pictures, and predictions to commit to."""

from vqlab.widgets.explorer import Explorer as Explorer
from vqlab.widgets.prediction import Prediction as Prediction
from vqlab.widgets.sliders import Slider as Slider
