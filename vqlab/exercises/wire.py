"""Plain values as bytes and back: what crosses between a grader and the process that runs a student's code.

JSON, with arrays as type, shape and raw numbers. Nothing that arrives can carry code, whoever wrote it.
"""

import base64
import json
import math
from typing import IO, Any

import numpy as np

from vqlab.exercises.running import Outcome

_KINDS, _LARGEST_ITEM = "biuf", 8
LONGEST = 32_000_000  # bytes of a message
_LONGEST_TEXT = 600


class Garbled(ValueError):
    """What arrived is no such message."""


def packed(value: object) -> bytes:
    """A value of dictionaries, lists, tuples, text, numbers and arrays of numbers as one line of JSON."""
    return json.dumps(_plain(value)).encode() + b"\n"


def unpacked(line: bytes) -> Any:
    """The value that `packed` made a line of. Raises: Garbled for anything else."""
    try:
        return json.loads(line, object_hook=_revived)
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError, MemoryError) as error:
        raise Garbled(f"{type(error).__name__}: {error}"[:_LONGEST_TEXT]) from None


def receive(stream: IO[bytes]) -> Any:
    """The next value of a stream. Raises: Garbled if it has ended or is no such value."""
    return unpacked(stream.readline(LONGEST))


def as_message(outcome: Outcome) -> dict:
    """An outcome as a value that can be packed."""
    parts = [part.astype(np.float64) if part.dtype.itemsize > _LARGEST_ITEM else part for part in outcome.parts]
    return {**vars(outcome), "parts": parts}


def as_outcome(message: object, things: int) -> Outcome:
    """The outcome in a message from an answer that returns so many things. Raises: Garbled."""
    if not isinstance(message, dict) or message.keys() != vars(Outcome()).keys():
        raise Garbled("no outcome")
    parts = message["parts"]
    if not (isinstance(parts, list) and len(parts) in (0, things) and all(type(p) is np.ndarray for p in parts)):
        raise Garbled("no arrays")
    for name, given in message.items():
        if name != "parts" and type(given) is not type(getattr(Outcome(), name)):
            raise Garbled(f"{name} is a {type(given).__name__}")
    fault = clean(message["fault"])
    if (parts and fault) or not (parts or fault or message["blank"]):
        raise Garbled("an answer and a fault, or neither")
    said = {"kind": clean(message["kind"]), "changed": clean(message["changed"]), "fault": fault}
    return Outcome(**{**message, **said, "parts": tuple(parts)})


def clean(text: object, longest: int = _LONGEST_TEXT) -> str:
    """Text in which nothing but printable characters and spaces is left, and not too many of them."""
    shown = "".join(c if c.isprintable() else " " for c in str(text)[: 4 * longest])
    shown = " ".join(shown.split())
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray | np.generic):
        array = np.ascontiguousarray(value)
        raw = base64.b64encode(array.tobytes()).decode()
        return {"__array__": [array.dtype.str, list(np.shape(value)), raw], "scalar": isinstance(value, np.generic)}
    if isinstance(value, tuple):
        return {"__tuple__": [_plain(one) for one in value]}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return {key: _plain(one) for key, one in value.items()} if isinstance(value, dict) else value


def _revived(found: dict) -> object:
    if "__tuple__" in found:
        return tuple(found["__tuple__"])
    if "__array__" not in found:
        return found
    name, shape, raw = found["__array__"]
    dtype = np.dtype(name) if isinstance(name, str) and len(name) < 5 else None
    if dtype is None or dtype.kind not in _KINDS or dtype.itemsize > _LARGEST_ITEM:
        raise Garbled("an array of something else than numbers")
    if len(shape) > 16 or not all(type(length) is int and 0 <= length <= LONGEST for length in shape):
        raise Garbled("an array of no shape")
    data = base64.b64decode(raw, validate=True)
    if math.prod(shape) * dtype.itemsize != len(data):
        raise Garbled("an array of another size")
    array = np.frombuffer(data, dtype).reshape(shape).copy() if data else np.zeros(shape, dtype)
    return array[()] if found.get("scalar") else array
