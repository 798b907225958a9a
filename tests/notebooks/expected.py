"""What each notebook has to find: a value, or a pair of the least and the greatest one."""

from __future__ import annotations

EXPECTED = {
    "01-digits-own-collector": {
        "train rows": 1437,
        "val rows": 360,
        "metric rows": 6 * (1437 + 360),
        "accuracy": (0.9, 0.99),
        "mistakes seen": (0.5, 1.0),
        "margin of the hardest": (-1.0, -0.2),
    },
    "02-colours-embeddings": {
        "metric rows": 3 * (1500 + 480),
        "tables": 6,
        "accuracy": (0.88, 1.0),
        "agreement after one epoch": (0.2, 0.6),
        "agreement in the end": (0.8, 1.0),
        "errors where contrast is low": (0.08, 0.4),
        "errors elsewhere": (0.0, 0.08),
        "long vectors are gone": True,
    },
    "03-reviews-hugging-face-trainer": {
        "metric rows": 7 * (1600 + 400),
        "accuracy by kind": {"denied": (0.9, 1.0), "mixed": (0.95, 1.0), "plain": (0.95, 1.0)},
        "accuracy of denied reviews, epoch 2": (0.4, 0.6),
        "hardest words": ["all", "at", "not"],
        "epoch learnt": {"denied": (1.5, 4.0), "mixed": (0.5, 1.5), "plain": (0.4, 1.2)},
        "longest text": 11,
    },
    "04-textures-hugging-face-dataset": {
        "metric rows": 6 * 450,
        "fine accuracy": (0.8, 0.97),
        "coarse accuracy": (0.92, 1.0),
        "mistakes within the family": (0.6, 1.0),
        "spread between families, then kinds": {"family": (0.2, 0.7), "kind": (0.75, 1.0)},
    },
    "05-balloons-detectron2": {
        "metric rows": 4 * (80 + 40),
        "F1 in the end": (0.85, 1.0),
        "IoU in the end": (0.75, 0.95),
        "overlooked balloons found": (2, 4),
        "balloons before": 235,
        "balloons after": (237, 239),
        "AP before": (0.55, 0.85),
        "AP after": (0.55, 0.85),
    },
    "06-coco-inference-detectron2": {
        "images": 100,
        "true boxes": 363,
        "AP": (0.4, 0.65),
        "AP at 0.5": (0.7, 0.92),
        "best score": (0.2, 0.5),
        "most often confused": ["orange", "apple"],
        "kinds": {
            "right": (250, 363),
            "other class": (10, 60),
            "second box": (40, 200),
            "inexact": (0, 30),
            "on nothing": (0, 30),
        },
        "missed": (15, 90),
    },
    "07-per-box-metrics": {
        "boxes": 623,
        "metrics tables": 7,
        "recall of small boxes": (0.05, 0.4),
        "recall of large boxes": (0.8, 1.0),
        "mistakes found": (20, 24),
        "images looked at": (24, 53),
        "AP before": (0.28, 0.4),
        "AP after": (0.33, 0.46),
    },
    "08-box-embeddings": {
        "boxes": 480,
        "same class as the nearest": (0.9, 1.0),
        "groups": [2, 2, 2, 2, 2, 2, 2, 2, 8],
        "copies found": 8,
        "empties among the odd": (6, 8),
        "images cleaned": 8,
    },
    "09-box-classifier": {
        "boxes": 800,
        "wrong labels": 43,
        "doubtful": (43, 110),
        "wrong among the doubtful": (38, 43),
        "relabelled": (30, 60),
        "rightly": (28, 43),
        "highest weight": (1.5, 4.5),
    },
    "10-segmentation-lightning": {
        "metric rows": 7 * 80,
        "mean IoU, first epoch": (0.2, 0.6),
        "mean IoU": (0.85, 1.0),
        "incomplete masks found": (5, 6),
        "completed": (5, 6),
        "revisions": 2,
    },
    "11-whole-loop": {
        "wrong labels": 71,
        "recall": (0.9, 1.0),
        "precision": (0.9, 1.0),
        "accuracy before": (0.95, 1.0),
        "accuracy after": (0.97, 1.0),
        "validation loss, after by before": (0.0, 0.5),
        "edited rows": (50, 75),
        "label_prob of edited rows": (0.7, 1.0),
        "label_prob of the others": (-0.05, 0.2),
        "wrong labels left": (0, 10),
    },
}


def misses(found, name):
    """Return what a notebook found otherwise than expected."""
    wanted = EXPECTED[name]
    assert set(found) == set(wanted), "expected.py and the notebook name different results"
    return {key: found[key] for key in wanted if not is_met(found[key], wanted[key])}


def is_met(value, wanted):
    if isinstance(wanted, dict):
        return set(value) == set(wanted) and all(is_met(value[key], wanted[key]) for key in wanted)
    if isinstance(wanted, tuple):
        low, high = wanted
        return low <= value <= high
    return value == wanted
