"""Print as JSON the peak memory in MB that two large pieces of work add: the search of 65,536 latents among 2,048
codes, and a training step of a codebook of 65,536 codes."""

import ctypes
import json
import re
from collections.abc import Callable
from pathlib import Path

import torch

from vqlab.quantizers import VectorQuantizer, nearest_code


def status_mb(field: str) -> float:
    return int(re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024


def peak_mb(work: Callable[[], object]) -> float:
    ctypes.CDLL(None).malloc_trim(0)  # freed memory that the allocator keeps would serve the work uncounted
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak to what is resident now
    resident = status_mb("VmRSS")
    work()
    return status_mb("VmHWM") - resident


def step(quantizer: VectorQuantizer, n: int) -> None:
    z = torch.randn(1, n, 256, requires_grad=True)
    z_q, _, loss = quantizer(z)
    (z_q.square().sum() + loss.sum()).backward()


torch.set_num_threads(1)
# A small step first, so that thread pools and kernels are loaded before measuring.
step(VectorQuantizer(2048, 256), 64)
z, codes = torch.randn(1, 65_536, 2), torch.randn(1, 2048, 2)
large = VectorQuantizer(65_536, 256)
print(json.dumps({"search": peak_mb(lambda: nearest_code(z, codes)), "step": peak_mb(lambda: step(large, 4096))}))
