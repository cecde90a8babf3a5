"""Can classes still be told apart by their tokens alone? And how a classifier's answers are judged. Pure numpy.

Tokens are (..., N) of any integer dtype, with any axes for runs in front; y (N,) holds the class of each sample.
"""

import numpy as np
from numpy.typing import ArrayLike

from vqlab import LabError
from vqlab.inputs import entries, floats, integers, whole
from vqlab.measures.classes import class_labels, held_out
from vqlab.measures.codes import code_usage


def token_table(tokens: ArrayLike, y: ArrayLike, k: int) -> np.ndarray:
    """How often each code was chosen by each class: tokens (..., N) -> counts (..., K, C), int64.

    Raises: LabError if y does not fit the tokens, or a token is outside 0…K−1.
    """
    tokens, k = _tokens(tokens, k)
    y = class_labels(y, tokens.shape[-1])
    classes = int(y.max()) + 1
    entries(k * classes, "the table of codes and classes")
    return code_usage(tokens * classes + y, k * classes).reshape(*tokens.shape[:-1], k, classes)


def token_purity(table: ArrayLike) -> np.ndarray:
    """Share of samples that belong to the majority class of their token: counts (..., K, C) -> (...), 1/C…1.

    Raises: LabError if counts are negative, not finite, or all zero.
    """
    return _joint(table).max(-1).sum(-1)


def token_information(table: ArrayLike) -> np.ndarray:
    """Mutual information between token and class in bits: counts (..., K, C) -> (...), 0…log2 C for equal classes.

    Raises: as `token_purity`.
    """
    joint = _joint(table)
    independent = joint.sum(-1, keepdims=True) * joint.sum(-2, keepdims=True)
    logs = np.log2(np.where(joint > 0, joint, 1) / np.where(joint > 0, independent, 1))
    return (joint * logs).sum((-2, -1))


def classify_by_token(tokens: ArrayLike, y: ArrayLike, k: int) -> np.ndarray:
    """The majority class of the token, for the samples that are held out: (..., N) -> (..., n), in their order.

    A token that no fitted sample has names no class: −1.
    Raises: as `token_table`, or if a class has fewer than 2 samples.
    """
    tokens, k = _tokens(tokens, k)
    y = class_labels(y, tokens.shape[-1], least=2)
    fits, judges = held_out(y)
    table = token_table(tokens[..., fits], y[fits], k)
    majority = np.where(table.sum(-1) > 0, table.argmax(-1), -1)  # (..., K)
    return np.take_along_axis(majority, tokens[..., judges], -1)


def accuracy(predicted: ArrayLike, y: ArrayLike) -> np.ndarray:
    """Share of right answers: classes (..., n) predicted for the samples of y (N,) that are held out -> (...), 0…1.

    Raises: LabError if they are not as many as `held_out` holds out of y.
    """
    predicted, judged = _judged(predicted, y)
    return (predicted == judged).mean(-1)


def confusion(predicted: ArrayLike, y: ArrayLike) -> np.ndarray:
    """Of each class (row), the share predicted as each class (column): held-out samples (..., n) -> (..., C, C).

    A row sums to 1, less the share that no class was named for.   Raises: as `accuracy`.
    """
    predicted, judged = _judged(predicted, y)
    classes = np.arange(judged.max() + 1)
    members = judged == classes[:, None]  # (C, n)
    columns = predicted[..., None] == classes  # (..., n, C)
    return (members / members.sum(1, keepdims=True)) @ columns.astype(float)


def _tokens(tokens: ArrayLike, k: int) -> tuple[np.ndarray, int]:
    tokens, k = integers(tokens, "tokens (..., N)"), whole(k, "the number of codes, K,")
    if tokens.min() < 0 or tokens.max() >= k:  # they would land on another code's classes
        raise LabError(f"tokens must lie in 0…{k - 1}, found {tokens.min()}…{tokens.max()}: is K right?")
    return tokens, k


def _joint(table: ArrayLike) -> np.ndarray:
    """Joint distribution (..., K, C) of a table of counts."""
    table = floats(table, "counts (..., K, C)", axes=2, least=0)
    largest = table.max((-2, -1), keepdims=True)
    if (largest == 0).any():
        raise LabError("a table of counts needs at least one count above 0: count the tokens of some samples first")
    table = table / largest  # no sum of these overflows or underflows
    return table / table.sum((-2, -1), keepdims=True)


def _judged(predicted: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Predictions and the classes of the samples that they are for."""
    predicted, y = integers(predicted, "predicted classes (..., n)"), integers(y, "labels y (N,)")
    judged = y[held_out(y)[1]]
    if predicted.shape[-1] != len(judged):
        raise LabError(
            f"of {len(y)} samples {len(judged)} are held out, and {predicted.shape[-1]} are predicted: pass what "
            "classify_by_mean or classify_by_token returned, with the same y"
        )
    return predicted, judged
