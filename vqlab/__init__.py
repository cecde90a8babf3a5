"""vqlab: the helper package behind the labs on representation collapse in vector quantization.

Importing it is instant: PyTorch is loaded only by the modules that train (`models`, `quantize`, `train`).
"""

__version__ = "0.1.0"


class LabError(ValueError):
    """Something the user gave us cannot work. The message is one sentence: what, why, and how to mend it."""
