"""Put questions to an answer and keep what comes back as plain arrays. Nothing is judged here.

Questions are plain arrays and numbers, outcomes are plain arrays and sentences. So the two halves of a check need not
live in the same process: whoever judges never needs the student's function.
"""

import copy
import ctypes
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO

import numpy as np

from vqlab.exercises.comparing import Incomparable, as_array

_IN_WORDS = {2: "two", 3: "three"}


@dataclass(frozen=True)
class Outcome:
    """What one question brought.

    parts: the answer as plain arrays, one for each thing it returns; none with a fault.   kind: name of its type.
    fault: a sentence, "" if all is well.   changed: name of an argument that it wrote into.
    raised: whether the fault is an exception of the answer's own.   blank: whether nobody has begun.
    """

    parts: tuple[np.ndarray, ...] = ()
    kind: str = ""
    fault: str = ""
    changed: str = ""
    raised: bool = False
    blank: bool = False


@dataclass(frozen=True)
class Task:
    """How questions are put.

    names: of the arguments, none if the answer is a value.   returns: names of the things it returns, none for one.
    tensors: arrays are handed over as tensors.   asks: calls the function, or probes it, with the arguments.
    """

    names: tuple[str, ...]
    returns: tuple[str, ...]
    tensors: bool
    asks: Callable


def called(function: Callable, *arguments: object) -> object:
    """The plain way to ask: the function's value."""
    return function(*arguments)


def with_gradients(function: Callable, *arguments: object) -> tuple:
    """Ask for a value and its gradients. The last argument is the gradient from above, in the shape of the value.

    Returns: the value, and for each other argument the gradient that it receives (zeros if none).
    """
    *tensors, above = arguments
    value = function(*(tensor.requires_grad_() for tensor in tensors))
    if not hasattr(value, "requires_grad"):
        raise Incomparable(f"You gave a {type(value).__name__}: give a tensor, only it can pass a gradient on")
    if value.shape == above.shape and value.requires_grad:
        value.backward(above.to(value))
    return value, *(tensor.detach() * 0 if tensor.grad is None else tensor.grad for tensor in tensors)


def put(task: Task, answer: object, questions: Sequence[tuple], seconds: float) -> list[Outcome]:
    """The outcome of every question, in order; those not reached within so many seconds have a fault.

    What the answer prints, warns of or logs is dropped. Its arguments are copies.
    """
    outcomes: list[Outcome] = []
    if task.tensors:
        import torch  # noqa: F401 (seconds on a slow disk, which are not the answer's)

    def all_of_them() -> None:
        for arguments in questions:
            outcomes.append(_outcome(task, answer, arguments))

    fault = ""
    with _quiet():
        try:
            within(seconds, all_of_them)
        except TooSlow as stopped:
            fault = f"Your code ran longer than {seconds:g} s: is there a loop that never ends?"
            if stopped.runs_on:
                fault += " It caught the exception that should end it, so it still runs: restart the kernel."
    done = outcomes[: len(questions)]
    return done + [Outcome(fault=fault)] * (len(questions) - len(done))


def _outcome(task: Task, answer: object, arguments: tuple) -> Outcome:
    given = [_handed_over(task, argument) for argument in arguments]
    before = copy.deepcopy(given)
    kind, parts, fault, raised = "", (), "", False
    try:
        result = task.asks(answer, *given) if task.names else answer
        kind = type(result).__name__
        if result is None:
            fault = "Your function returns None: is there a `return`?"
        else:
            parts = _parts(task, result)
    except NotImplementedError:
        return Outcome(blank=True)
    except Incomparable as refused:
        fault = f"{refused}."
    except (SystemExit, KeyboardInterrupt) as error:
        fault = f"Your code raised {type(error).__name__}, which would end the notebook."
        raised = True
    except Exception as error:  # the student's code may raise anything: that is what is being asked
        fault, raised = _raised(task, answer, error), True
    changed = [name for name, old, new in zip(task.names, before, given, strict=False) if not _equal(old, new)]
    return Outcome(parts, kind, fault, changed[0] if changed else "", raised)


def _handed_over(task: Task, argument: object) -> object:
    if task.tensors and isinstance(argument, np.ndarray):
        import torch

        return torch.from_numpy(argument.copy())
    return copy.deepcopy(argument)


def _parts(task: Task, result: object) -> tuple[np.ndarray, ...]:
    if not task.returns:
        return (as_array(result),)
    parts = list(result) if isinstance(result, tuple | list) or getattr(result, "ndim", 0) else []
    if len(parts) != len(task.returns):
        raise Incomparable(f"Return {_IN_WORDS[len(task.returns)]} things, in this order: {', '.join(task.returns)}")
    return tuple(as_array(part) for part in parts)


def _raised(task: Task, answer: object, error: Exception) -> str:
    if task.names and not callable(answer):
        return f"You gave a {type(answer).__name__}: give a function of {', '.join(task.names)}."
    return f"Your code raised {type(error).__name__}: {str(error).rstrip('.')}."


def _equal(before: object, after: object) -> bool:
    return type(before) is type(after) and bool(np.array_equal(as_array(before), as_array(after)))


@contextmanager
def _quiet() -> Iterator[None]:
    """Printing, warnings and logging go nowhere: a grader gives nothing to a cell that has written to stderr."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            yield
    finally:
        logging.disable(before)


class TooSlow(BaseException):
    """The student's code ran longer than allowed. Not an `Exception`, so that their `except` lets it through.

    runs_on: whether it could not be stopped.
    """

    def __init__(self, runs_on: bool = False) -> None:
        super().__init__()
        self.runs_on = runs_on


def within(seconds: float, function: Callable, *arguments: object) -> object:
    """function(*arguments), or `TooSlow` after so many seconds. Works in any thread and on any system."""
    result: dict[str, object] = {}
    thread = threading.Thread(target=_keep, args=(result, function, arguments), daemon=True)
    thread.start()
    thread.join(seconds)
    # Asks the interpreter to raise inside the loop, again if a bare `except` swallowed it. Code stuck in C, or with a
    # bare `except` round all that takes time, keeps its thread but not ours.
    for _ in range(20):
        if not thread.is_alive():
            break
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(TooSlow))
        thread.join(0.02)
    if "value" not in result:
        raise result.get("error", TooSlow(thread.is_alive()))
    return result["value"]


def _keep(result: dict, function: Callable, arguments: Sequence) -> None:
    try:
        result["value"] = function(*arguments)
    except BaseException as error:  # raised again in the thread that asked
        result["error"] = error
