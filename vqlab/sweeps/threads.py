"""PyTorch's threads, set here and nowhere else.

Small models gain nothing from a second thread, and on a busy machine they lose ten times their speed to it. PyTorch
keeps the number for each Python thread that has asked for it; only threads that have not yet asked follow the last
number set by anybody. So a live training in a thread of its own leaves the others alone, as long as trainings that
overlap agree on the number to give back.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LOCK = threading.Lock()
_OWN = threading.local()
_running = 0
_before = 0


@contextmanager
def one_thread() -> Iterator[None]:
    """Train on one thread, in this Python thread; may be nested, and entered from several at once."""
    global _running, _before
    import torch

    with _LOCK:
        now = torch.get_num_threads()  # asked first: from here on this Python thread has a number of its own
        _before = _before if _running else now
        _running += 1
        torch.set_num_threads(1)
    depth = getattr(_OWN, "depth", 0)
    _OWN.depth = depth + 1
    try:
        yield
    finally:
        with _LOCK:
            _running -= 1
            _OWN.depth = depth
            if depth == 0:
                torch.set_num_threads(now if now > 1 else _before)


def one_thread_for_good() -> None:
    """The same for a process that does nothing but train small models."""
    import torch

    torch.set_num_threads(1)
