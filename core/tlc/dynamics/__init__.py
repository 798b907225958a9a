"""Scores of samples from what a run has stored of them over its epochs, and from embeddings."""

from tlc.dynamics.confident_learning import label_issues
from tlc.dynamics.data_maps import cartography
from tlc.dynamics.diversity import diversity
from tlc.dynamics.duplicates import leakage, near_duplicates
from tlc.dynamics.embeddings import Embeddings, embeddings
from tlc.dynamics.exposures import exposure
from tlc.dynamics.forgotten import forgetting
from tlc.dynamics.jumps import MetricJumps, metric_jumps
from tlc.dynamics.losses import loss_trajectory
from tlc.dynamics.margins import aum, el2n
from tlc.dynamics.missed import missed_instances
from tlc.dynamics.neighbours import nearest_neighbours
from tlc.dynamics.ordering import farthest_points, traversal_index
from tlc.dynamics.outliers import outliers
from tlc.dynamics.overlaps import matched_ious
from tlc.dynamics.scores import Scores
from tlc.dynamics.suggesting import suggest
from tlc.dynamics.suggestions import Suggestions

__all__ = [
    "Embeddings",
    "MetricJumps",
    "Scores",
    "Suggestions",
    "aum",
    "cartography",
    "diversity",
    "el2n",
    "embeddings",
    "exposure",
    "farthest_points",
    "forgetting",
    "label_issues",
    "leakage",
    "loss_trajectory",
    "matched_ious",
    "metric_jumps",
    "missed_instances",
    "near_duplicates",
    "nearest_neighbours",
    "outliers",
    "suggest",
    "traversal_index",
]
