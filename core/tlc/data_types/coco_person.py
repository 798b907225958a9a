"""The skeleton of a person as COCO has it: 17 points, and the lines between them."""

from __future__ import annotations

from typing import Final

KEYPOINT_NAMES: Final = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear"),
    *("left_shoulder", "right_shoulder", "left_elbow", "right_elbow"),
    *("left_wrist", "right_wrist", "left_hip", "right_hip"),
    *("left_knee", "right_knee", "left_ankle", "right_ankle"),
)

SKELETON: Final = (
    *(15, 13, 13, 11, 16, 14, 14, 12, 11, 12, 5, 11, 6, 12, 5, 6),
    *(5, 7, 6, 8, 7, 9, 8, 10, 1, 2, 0, 1, 0, 2, 1, 3, 2, 4, 3, 5, 4, 6),
)
"""Numbers of the points at both ends of each line, one after the other."""

FLIP_INDICES: Final = (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15)

OKS_SIGMAS: Final = (
    *(0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072),
    *(0.062, 0.062, 0.107, 0.107, 0.087, 0.087, 0.089, 0.089),
)

# A person who faces the camera, so that their left is on the right of the picture.
DEFAULT_POSE: Final = (
    *((0.50, 0.10), (0.53, 0.07), (0.47, 0.07), (0.57, 0.09), (0.43, 0.09)),
    *((0.63, 0.22), (0.37, 0.22), (0.70, 0.37), (0.30, 0.37), (0.73, 0.51), (0.27, 0.51)),
    *((0.58, 0.52), (0.42, 0.52), (0.59, 0.73), (0.41, 0.73), (0.60, 0.94), (0.40, 0.94)),
)
