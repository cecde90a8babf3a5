"""Every public function with every kind of bad or odd argument: the right answer, or `LabError` with one sentence.

The cases are made by rules from `fuzz_cases.ENTRIES`. *Right* is what the same call gives in float64 (or int64), and
holds no NaN.
"""

import copy
import inspect
import warnings
from dataclasses import asdict, is_dataclass

import numpy as np
import pytest
import torch
from fuzz_cases import ENTRIES, Entry, Number, Other, Reals, Whole, Wholes

from vqlab import LabError, data, measures, quantizers, sweeps, theory, training

PACKAGES = (measures, theory, quantizers, data, training, sweeps)
# Files of pictures have tests of their own, results and exceptions are not called.
ELSEWHERE = {"data.cifar", "data.images", "data.samples"}
_NUMPY = (np.float16, np.float32, np.float64, np.longdouble)
_TORCH = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_INTEGERS = (np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64)
_TORCH_INTEGERS = (torch.int8, torch.uint8, torch.int16, torch.int32, torch.int64)


def public() -> set[str]:
    """Names of all public functions, classes and methods of the packages, as in measures.perplexity."""
    found = set()
    for package in PACKAGES:
        short = package.__name__.removeprefix("vqlab.")
        for name, thing in vars(package).items():
            home = getattr(thing, "__module__", "")
            elsewhere = home.removeprefix("vqlab.") in ELSEWHERE or not home.startswith("vqlab.")
            if name.startswith("_") or elsewhere or not callable(thing) or issubclass_of(thing, tuple, Exception):
                continue
            found.add(f"{short}.{name}")
            if inspect.isclass(thing):
                methods = (m for m, value in vars(thing).items() if inspect.isfunction(value) and m[0] != "_")
                found |= {f"{short}.{name}.{method}" for method in methods}
    return found


def issubclass_of(thing: object, *classes: type) -> bool:
    return inspect.isclass(thing) and issubclass(thing, classes)


@pytest.fixture(autouse=True)
def _files_go_nowhere(tmp_path, monkeypatch):
    """An odd argument may be a good file name."""
    monkeypatch.chdir(tmp_path)


def test_no_public_function_is_missing_here():
    assert public() == set(ENTRIES)


# --- the cases ---------------------------------------------------------------------------------------------


def _at_first(array: np.ndarray, value: object, dtype: type) -> np.ndarray:
    changed = array.astype(dtype)
    changed.flat[0] = value
    return changed


def _junk(value: object) -> dict[str, object]:
    return {
        "None": None,
        "a string": "many",
        "an empty string": "",
        "bytes": b"1",
        "an object": object(),
        "a dict": {"a": 1},
        "a ragged list": [[1, 2], [3]],
        "a function": len,
        "an object array": np.array([value, None], object),
        "complex": 1j,
        "a date": np.datetime64("2026-01-01"),
        "a sparse tensor": torch.eye(2).to_sparse(),
        "a tensor without data": torch.zeros(2, device="meta"),
        "infinitely many": iter([1, 2]),
    }


def _odd_arrays(a: np.ndarray) -> dict[str, object]:
    """The same numbers, held in another way."""
    fortran = np.asfortranarray(a)
    locked = a.copy()
    locked.setflags(write=False)
    strided = np.repeat(a, 2, 0)[::2]
    held = {
        "a list": a.tolist(),
        "a tuple": tuple(a.tolist()),
        "a list of rows": list(a),
        "read-only": locked,
        "Fortran order": fortran,
        "strided": strided,
        "big-endian": a.astype(a.dtype.newbyteorder(">")),
        "an unmasked masked array": np.ma.MaskedArray(a),
    }
    return held | {"tensor strided": torch.from_numpy(np.repeat(a, 2, 0))[::2]}


def _bad_arrays(a: np.ndarray) -> dict[str, object]:
    return {
        "NaN": _at_first(a, np.nan, float),
        "all NaN": np.full(a.shape, np.nan),
        "Inf": _at_first(a, np.inf, float),
        "-Inf": _at_first(a, -np.inf, float),
        "NaN in bfloat16": torch.from_numpy(_at_first(a, np.nan, float)).bfloat16(),
        "Inf in float16": _at_first(a, np.inf, np.float16),
        "empty": a[:0],
        "no columns": a[..., :0],
        "an empty tensor": torch.zeros(0),
        "an empty list": [],
        "0-d": np.array(a.flat[0]),
        "a 0-d tensor": torch.tensor(a.flat[0]),
        "a number": float(a.flat[0]),
        "one axis more": a[None, None],
        "one axis less": a[0],
        "one row less": a[:-1],
        "one column more": np.concatenate([a, a], -1),
        "strings": a.astype(str),
        "objects": a.astype(object),
        "complex": a + 1j,
        "a complex tensor": torch.from_numpy(a + 1j),
        "booleans": a > a.mean(),
        "a tensor of booleans": torch.from_numpy(a > a.mean()),
        "masked": np.ma.MaskedArray(a, a == a.flat[0]),
        "negative": -np.abs(a) - 1,
        "one negative": _at_first(a, -1, a.dtype),
        "zero": np.zeros_like(a),
        "constant": np.full_like(a, a.flat[0]),
        "dates": a.astype(int).astype("datetime64[s]"),
    }


def variants(kind: object) -> dict[str, object]:
    """Bad and odd values for an argument, by name."""
    if isinstance(kind, Other):
        return _junk(kind.value) | {
            "nan": float("nan"),
            "zero": 0,
            "negative": -1,
            "a list": [],
            "an array": np.ones(3),
        }
    if isinstance(kind, Reals):
        a = kind.value
        made = _bad_arrays(a) | _odd_arrays(a) | _junk(a.flat[0])
        made |= {f"numpy {np.dtype(dtype)}": a.astype(dtype) for dtype in _NUMPY}
        made |= {f"{dtype}": torch.from_numpy(a).to(dtype) for dtype in _TORCH}
        made |= {f"whole {np.dtype(dtype)}": np.abs(a).astype(dtype) for dtype in (*_INTEGERS, np.int64)}
        made |= {f"whole {dtype}": torch.from_numpy(np.abs(a)).to(dtype) for dtype in _TORCH_INTEGERS}
        made |= {f"with gradient {dtype}": torch.from_numpy(a).to(dtype).requires_grad_() for dtype in _TORCH}
        made["a list of tensors with gradient"] = [torch.tensor(row, requires_grad=True) for row in a]
        made |= {f"times {scale:g}": a * scale for scale in (1e-300, 1e-30, 1e30, 1e150, 1e300)}
        with np.errstate(over="ignore"):
            made |= {f"float32 times {scale:g}": (a * scale).astype(np.float32) for scale in (1e-40, 1e-30, 1e30, 1e38)}
        made["plus 1e6"] = a + 1e6
        return {label: value for label, value in made.items() if label not in kind.without}
    if isinstance(kind, Wholes):
        a = kind.value
        made = _bad_arrays(a) | _odd_arrays(a) | _junk(a.flat[0])
        made |= {f"numpy {np.dtype(dtype)}": a.astype(dtype) for dtype in (*_NUMPY, *_INTEGERS)}
        made |= {f"{dtype}": torch.from_numpy(a).to(dtype) for dtype in (*_TORCH, *_TORCH_INTEGERS)}
        made |= {"huge": a * 10**15, "wrapped": (a - 1).astype(np.uint64), "halves": a + 0.5, "too large": a + 1000}
        return made
    value = kind.value
    made = _junk(value) | {
        "True": True,
        "a list": [value],
        "an array": np.array([value, value]),
        "NaN": float("nan"),
        "Inf": float("inf"),
        "-Inf": -float("inf"),
        "numpy NaN": np.float32("nan"),
        "negative": -value,
        "zero": 0,
        "minus a half": -0.5,
        "huge": 10**18,
        "beyond float": 10**400,
        "1e300": 1e300,
        "1e-300": 1e-300,
        "more digits than a seed": 99999999999999999999,
        "0-d": np.array(value),
        "numpy": np.float64(value),
        "float16": np.float16(value),
        "a tensor": torch.tensor(value),
        "a tensor with gradient": torch.tensor(float(value), requires_grad=True),
        "bfloat16": torch.tensor(value, dtype=torch.bfloat16),
        "a float": float(value),
    }
    if isinstance(kind, Whole):
        made |= {f"{np.dtype(dtype)}": dtype(value) for dtype in _INTEGERS} | {"a half more": value + 0.5}
    return made


ARGUMENTS = [
    pytest.param(entry, argument, id=f"{name}({argument})")
    for name, entry in ENTRIES.items()
    for argument in entry.arguments
]


def test_the_cases_are_many():
    assert sum(len(variants(kind)) for entry in ENTRIES.values() for kind in entry.arguments.values()) >= 600


# --- the verdict -------------------------------------------------------------------------------------------


def call(entry: Entry, **changed: object) -> object:
    """The result, or the `LabError`. A warning would be a number that numpy itself does not trust."""
    arguments = {name: copy.deepcopy(kind.value) for name, kind in entry.arguments.items()} | changed
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return entry.call(**arguments)
        except LabError as error:
            return error


def numbers(result: object) -> list[np.ndarray]:
    """All numbers in a result, in order."""
    if result is None:
        return []
    if isinstance(result, torch.Tensor):
        return [result.detach().double().numpy()]
    if isinstance(result, dict):
        return [part for value in result.values() for part in numbers(value)]
    if is_dataclass(result):
        return numbers(asdict(result))
    if isinstance(result, list | tuple):
        return [part for value in result for part in numbers(value)]
    return [np.asarray(result)]


def in_float64(kind: object, value: object) -> object:
    """The same value as plain float64 (int64 for whole numbers), or None if it holds no finite real numbers."""
    if isinstance(kind, Other):
        return None
    try:
        if isinstance(value, torch.Tensor):
            value = value.detach().double().numpy() if not value.is_complex() else np.array("complex")
        if isinstance(value, list) and value and all(isinstance(row, torch.Tensor) for row in value):
            value = torch.stack(value).detach().double().numpy()
        array = np.array(float(value) if isinstance(value, int) else value)
        if array.dtype.kind not in "biuf" or np.ma.is_masked(value) or not np.isfinite(array.astype(float)).all():
            return None
        array = array.astype(float)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return None
    if isinstance(kind, Number | Whole):
        return array.item() if array.ndim == 0 else array
    whole = isinstance(kind, Wholes) and (array == np.round(array)).all() and np.abs(array).max(initial=0) < 2**62
    return array.astype(np.int64) if whole else array


@pytest.mark.parametrize(("entry", "argument"), ARGUMENTS)
def test_right_or_refused(entry, argument):
    kind = entry.arguments[argument]
    failed = {}
    for label, value in variants(kind).items():
        try:
            _judge(entry, argument, kind, label, value)
        except Exception as error:
            failed[label] = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    assert not failed, "\n".join(f"{label}: {reason}" for label, reason in failed.items())


def _judge(entry: Entry, argument: str, kind: object, label: str, value: object) -> None:
    before = copy.deepcopy(value) if isinstance(value, np.ndarray) and value.dtype.kind in "biuf" else None
    result = call(entry, **{argument: value})
    if before is not None:
        np.testing.assert_array_equal(np.asarray(value), np.asarray(before))
    if isinstance(result, LabError):
        sentence = str(result)
        assert sentence
        assert "\n" not in sentence
        assert ". " not in sentence
        assert len(sentence) < 400
        _assert_no_valid_use_is_refused(kind, label, sentence)
        return
    reference_value = in_float64(kind, value)
    if reference_value is None:
        assert isinstance(kind, Other) or value is None, "neither numbers nor refused"
        return
    reference = call(entry, **{argument: reference_value})
    assert not isinstance(reference, LabError), reference
    ours, theirs = numbers(result), numbers(reference)
    assert len(ours) == len(theirs)
    half = isinstance(value, torch.Tensor) and value.dtype in (torch.float16, torch.bfloat16)
    rough = 1e-2 if half and entry.keeps_dtype else 2e-5
    for mine, right in zip(ours, theirs, strict=True):
        if right.dtype.kind in "biuf":
            assert not np.isnan(mine.astype(float)).any()
            np.testing.assert_allclose(mine.astype(float), right.astype(float), rtol=rough, atol=1e-6)
        else:
            assert str(mine) == str(right)


_ALWAYS_FINE = (
    "a list",
    "a tuple",
    "a list of rows",
    "read-only",
    "Fortran order",
    "strided",
    "big-endian",
    "tensor strided",
)


def _assert_no_valid_use_is_refused(kind: object, label: str, sentence: str) -> None:
    """The numbers that work, in another container or dtype that holds them, must work."""
    if isinstance(kind, Reals):
        dtypes = {f"numpy {np.dtype(d)}" for d in _NUMPY} | {str(d) for d in _TORCH}
        dtypes |= {f"with gradient {d}" for d in _TORCH} | {"a list of tensors with gradient"}
    elif isinstance(kind, Wholes):
        dtypes = {f"numpy {np.dtype(d)}" for d in _INTEGERS} | {str(d) for d in _TORCH_INTEGERS}
    elif isinstance(kind, Whole):
        dtypes = {str(np.dtype(d)) for d in _INTEGERS} | {"0-d", "numpy", "a tensor", "a float"}
    elif isinstance(kind, Number):
        dtypes = {"0-d", "numpy", "float16", "a tensor", "a tensor with gradient", "bfloat16"}
    else:
        return
    allowed = dtypes | (set(_ALWAYS_FINE) if isinstance(kind, Reals | Wholes) else set())
    assert label not in allowed, f"a valid use was refused: {sentence}"
