"""What rate–distortion theory and plain chance predict. Pure numpy."""

from vqlab.theory.dense import DenseFlow as DenseFlow
from vqlab.theory.dense import dense_flow as dense_flow
from vqlab.theory.flow import DiagonalFlow as DiagonalFlow
from vqlab.theory.flow import diagonal_flow as diagonal_flow
from vqlab.theory.growth import adaptive_switch as adaptive_switch
from vqlab.theory.growth import autoencoder_gain as autoencoder_gain
from vqlab.theory.growth import predicted_active as predicted_active
from vqlab.theory.occupancy import expected_active as expected_active
from vqlab.theory.occupancy import expected_perplexity as expected_perplexity
from vqlab.theory.occupancy import simulate_uniform_usage as simulate_uniform_usage
from vqlab.theory.occupancy import steps_until_dead as steps_until_dead
from vqlab.theory.race import drowning_times as drowning_times
from vqlab.theory.race import passed_dimension as passed_dimension
from vqlab.theory.water_filling import WaterFilling as WaterFilling
from vqlab.theory.water_filling import loss_floor as loss_floor
from vqlab.theory.water_filling import water_fill as water_fill
