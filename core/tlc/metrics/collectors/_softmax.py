"""What a softmax says about the label of each sample, exact also where it is nearly sure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tlc._optional import loaded

if TYPE_CHECKING:
    import numpy.typing as npt
    import torch

    Floats = npt.NDArray[np.float32]
    Ids = npt.NDArray[np.int64]

_FEW_CLASSES = 128


class LabelledSoftmax(NamedTuple):
    """Numbers of the samples of a batch, arrays of shape (B,), float32 if nothing else is said.

    Attributes:
        predicted: Index of the largest logit, the first if several are equal, int64.
        correct: Whether that is the label, bool.
        confidence: Probability of the prediction.
        label_prob: Probability of the label.
        label_logit: Logit of the label.
        max_other_logit: Largest logit of the classes that are not the label; NaN if there are none.
        cross_entropy: In nats.
        el2n: Euclidean norm of the probabilities minus the one-hot label.
    """

    predicted: Ids
    correct: npt.NDArray[np.bool_]
    confidence: Floats
    label_prob: Floats
    label_logit: Floats
    max_other_logit: Floats
    cross_entropy: Floats
    el2n: Floats


class _Reduced(NamedTuple):
    """One number per sample of what has one per class, beside the classes predicted and given."""

    predicted: Any
    given: Any
    top: Any  # the largest logit
    label: Any  # the logit of the label
    others: Any  # the largest of the other logits
    rest: Any  # sum of the exponentials of the other logits, below the largest of all
    norm: Any  # Euclidean norm of the same


def labelled_softmax(logits: torch.Tensor, labels: torch.Tensor) -> LabelledSoftmax:
    """Return what the softmax of each row says about its label.

    Logits of another device are reduced there, and what is left comes over in two transfers.

    Args:
        logits: float32 of shape (B, C), without gradients.
        labels: Class indices, int64 of shape (B,), of the same device.
    """
    if logits.device.type == "cpu":
        reduced = reduced_by_numpy(logits.numpy(), labels.numpy())
    else:
        reduced = reduced_by_torch(logits, labels)
    predicted, given, top, label, others, rest, norm = reduced
    # The label is left out of the sum, so that no digits are lost where it has nearly all.
    with np.errstate(all="ignore"):  # of infinite logits
        below = label - top
        more = rest + np.expm1(below)  # what the sum of all exponentials is above 1
        total = more + 1
        cross_entropy = np.log1p(more) - below
        return LabelledSoftmax(
            predicted=predicted,
            correct=predicted == given,
            confidence=1 / total,
            label_prob=np.exp(-cross_entropy),
            label_logit=label,
            max_other_logit=others if logits.shape[1] > 1 else np.full_like(others, np.nan),
            cross_entropy=cross_entropy,
            el2n=np.hypot(rest, norm) / total,
        )


def reduced_by_numpy(logits: Floats, labels: Ids) -> _Reduced:
    """Reduce logits of the CPU, where NumPy does this in less time than torch."""
    samples = np.arange(len(logits))
    predicted = logits.argmax(axis=1)
    top, label = logits[samples, predicted], logits[samples, labels]
    # Of few classes, samples beside each other make the longer loops.
    by_class = np.array(logits.T, order="C" if logits.shape[1] < _FEW_CLASSES else "K")
    by_class[labels, samples] = -np.inf
    others = by_class.max(axis=0)
    with np.errstate(all="ignore"):
        by_class -= top
        np.exp(by_class, out=by_class)
        norm = np.sqrt(np.einsum("cb,cb->b", by_class, by_class))
    return _Reduced(predicted, labels, top, label, others, by_class.sum(axis=0), norm)


def reduced_by_torch(logits: torch.Tensor, labels: torch.Tensor) -> _Reduced:
    """Reduce logits where they are, and return NumPy arrays."""
    torch: Any = loaded("torch")
    top, predicted = logits.max(dim=1)
    index = labels.unsqueeze(1)
    label = logits.gather(1, index).squeeze(1)
    kept = logits.scatter(1, index, float("-inf"))
    others = kept.amax(dim=1)
    parts = kept.sub_(top.unsqueeze(1)).exp_()
    rest, norm = parts.sum(dim=1), torch.linalg.vector_norm(parts, dim=1)
    whole = torch.stack((predicted, labels)).cpu().numpy()
    return _Reduced(*whole, *torch.stack((top, label, others, rest, norm)).cpu().numpy())
