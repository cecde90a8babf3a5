"""On what a training runs: one process on the CPU, or the GPUs and processes that Lightning Fabric launches."""

import os
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from inspect import signature
from typing import Protocol

import torch
from torch import Tensor, nn

from vqlab import LabError
from vqlab.inputs import one_of

DEVICES = ("auto", "cpu", "cuda")
PRECISIONS = {"float32": "32-true", "bfloat16": "bf16-mixed"}


class Launcher(Protocol):
    """What a trainer asks of its surroundings; `lightning.fabric.Fabric` answers it, too."""

    device: torch.device

    def setup_module(self, module: nn.Module) -> nn.Module:
        """The module on the device, called in the right precision, its gradients averaged over processes."""

    def backward(self, loss: Tensor) -> None:
        """Add the gradients of a loss to the parameters."""

    def autocast(self) -> AbstractContextManager:
        """Within it, calls are in the right precision, as they are in a module that was set up."""


class Alone:
    """One process on the CPU, in single precision; needs no other package."""

    device = torch.device("cpu")

    def setup_module(self, module: nn.Module) -> nn.Module:
        return module

    def backward(self, loss: Tensor) -> None:
        loss.backward()

    def autocast(self) -> AbstractContextManager:
        return nullcontext()


def launch(device: str = "auto", precision: str | None = None) -> Launcher:
    """The launcher for this machine, and for the processes that `torchrun` started, if it did.

    device: "auto" takes a GPU if there is one, and Lightning Fabric to use it.
    precision: "float32", or "bfloat16" for the networks' products while weights and the codebook stay in float32; by
    default bfloat16 on a CUDA GPU that computes in it.
    Raises: LabError for another word, a device that is not there, or if the package is missing that all but one
        process on the CPU need.
    """
    device, processes = one_of(device, "device", DEVICES), int(os.environ.get("WORLD_SIZE", 1))
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() and find_spec("lightning_fabric") else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise LabError("this PyTorch finds no CUDA GPU: choose --device cpu")
    if precision is None:
        precision = "bfloat16" if device == "cuda" and torch.cuda.is_bf16_supported() else "float32"
    one_of(precision, "precision", tuple(PRECISIONS))
    if (device, precision, processes) == ("cpu", "float32", 1):
        return Alone()
    try:
        from lightning_fabric import Fabric
        from lightning_fabric.strategies import DDPStrategy
    except ImportError:
        raise LabError(
            "training on GPUs, in bfloat16 or in several processes needs Lightning Fabric: pip install 'vqlab[train]'"
        ) from None
    here = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    strategy = DDPStrategy(**{_buffers_option(): False}) if processes > 1 else "auto"
    machine = {"accelerator": device, "devices": here, "num_nodes": processes // here}
    fabric = Fabric(**machine, strategy=strategy, precision=PRECISIONS[precision])
    fabric.launch()
    return fabric


def _buffers_option() -> str:
    """How this PyTorch calls copying the buffers of rank 0 before each step.

    Not needed: all ranks compute the same ones or, of the discriminator's normalisation, some that are never used.
    """
    new = "forward_sync_buffers"
    return new if new in signature(nn.parallel.DistributedDataParallel).parameters else "broadcast_buffers"
