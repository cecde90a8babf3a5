"""Vector quantization (PyTorch): nearest codes, codebook updates, and where the codes start."""

from vqlab.quantizers.initialisation import initialise as initialise
from vqlab.quantizers.initialisation import lloyd as lloyd
from vqlab.quantizers.initialisation import parse_initialisation as parse_initialisation
from vqlab.quantizers.nearest import code_counts as code_counts
from vqlab.quantizers.nearest import look_up as look_up
from vqlab.quantizers.nearest import nearest_code as nearest_code
from vqlab.quantizers.vector_quantizer import Quantized as Quantized
from vqlab.quantizers.vector_quantizer import VectorQuantizer as VectorQuantizer
from vqlab.quantizers.vector_quantizer import straight_through as straight_through
