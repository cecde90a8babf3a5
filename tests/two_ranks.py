"""Run a function in two processes that form one process group on this machine (gloo)."""

import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import distributed, multiprocessing

RANKS = 2
_START = "fork" if sys.platform == "linux" else "spawn"  # which imports PyTorch anew in each process


def together(function: Callable, folder: Path) -> list:
    """What function(rank), of a module, returned in each process: anything that torch.save takes."""
    multiprocessing.start_processes(_work, (function, folder), RANKS, start_method=_START)
    return [torch.load(folder / f"rank-{rank}.pt", weights_only=False) for rank in range(RANKS)]


def _work(rank: int, function: Callable, folder: Path) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", f"file://{folder / 'group'}", rank=rank, world_size=RANKS)
    torch.save(function(rank), folder / f"rank-{rank}.pt")
    distributed.destroy_process_group()
