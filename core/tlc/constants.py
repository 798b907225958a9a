"""Names that tables, metrics and displays agree on: columns, roles, units, states of runs.

A *role* says what a number or a string means, never how it is drawn. Roles are open: any string may
be used, and a reader that does not know it treats the value as a plain number or string.
"""

from __future__ import annotations

from typing import Final

# Columns of tables and metrics tables.
EXAMPLE_ID: Final = "example_id"
EPOCH: Final = "epoch"
ITERATION: Final = "iteration"
SAMPLE_WEIGHT: Final = "weight"
FOREIGN_TABLE_ID: Final = "input_table_id"

IMAGE: Final = "image"
LABEL: Final = "label"
LOSS: Final = "loss"
ACCURACY: Final = "accuracy"
PREDICTED: Final = "predicted"
CONFIDENCE: Final = "confidence"
PREDICTED_MASK: Final = "predicted_mask"
FALSE_POSITIVE: Final = "false_positive"
FALSE_NEGATIVE: Final = "false_negative"
EMBEDDING_COL_NAME: Final = "embeddings_{layer}"
"""Template of the columns that hold the activations of a layer: format it with `layer=`."""

BOUNDING_BOXES: Final = "bbs"
BOUNDING_BOX_LIST: Final = "bb_list"
BBS_2D: Final = "bbs_2d"
BBS_3D: Final = "bbs_3d"
OBBS_2D: Final = "obbs"
OBBS_3D: Final = "obbs_3d"
KEYPOINTS_2D: Final = "keypoints_2d"
SEGMENTATIONS: Final = "segmentations"
PREDICTED_BOUNDING_BOXES: Final = "bbs_predicted"
PREDICTED_SEGMENTATIONS: Final = "segmentations_predicted"
PREDICTED_KEYPOINTS: Final = "keypoints_predicted"
PREDICTED_OBBS: Final = "obbs_predicted"

# Keys inside annotation cells.
INSTANCES: Final = "instances"
INSTANCES_ADDITIONAL_DATA: Final = "instances_additional_data"
INSTANCE_PROPERTIES: Final = "instance_properties"
IMAGE_HEIGHT: Final = "image_height"
IMAGE_WIDTH: Final = "image_width"
RLES: Final = "rles"
MASKS: Final = "masks"
POLYGONS: Final = "polygons"
IS_CROWD: Final = "iscrowd"
X0: Final = "x0"
Y0: Final = "y0"
X1: Final = "x1"
Y1: Final = "y1"
X_MIN: Final = "x_min"
Y_MIN: Final = "y_min"
Z_MIN: Final = "z_min"
X_MAX: Final = "x_max"
Y_MAX: Final = "y_max"
Z_MAX: Final = "z_max"
BOUNDING_BOX: Final = "bounding_box"
KEYPOINT_VISIBILITY: Final = "keypoint_visibility"
KEYPOINT_CONFIDENCE: Final = "keypoint_confidence"
CENTER_X: Final = "center_x"
CENTER_Y: Final = "center_y"
CENTER_Z: Final = "center_z"
FLIP_INDICES: Final = "flip_indices"
OKS_SIGMAS: Final = "oks_sigmas"

# Keys of schema metadata, and the name that marks a class as "not to be scored".
FOREIGN_TABLE_URL: Final = "foreign_table_url"
BACKGROUND: Final = "background"
VOID_CLASS: Final = "__void__"

# What a number means.
NUMBER_ROLE_NONE: Final = ""
NUMBER_ROLE_ANGLE: Final = "angle"
NUMBER_ROLE_AREA: Final = "area"
NUMBER_ROLE_BB_CENTER_X: Final = "bb_center_x"
NUMBER_ROLE_BB_CENTER_Y: Final = "bb_center_y"
NUMBER_ROLE_BB_CENTER_Z: Final = "bb_center_z"
NUMBER_ROLE_BB_HALF_SIZE_X: Final = "bb_half_size_x"
NUMBER_ROLE_BB_HALF_SIZE_Y: Final = "bb_half_size_y"
NUMBER_ROLE_BB_MIN_X: Final = "bb_min_x"
NUMBER_ROLE_BB_MIN_Y: Final = "bb_min_y"
NUMBER_ROLE_BB_MIN_Z: Final = "bb_min_z"
NUMBER_ROLE_BB_MAX_X: Final = "bb_max_x"
NUMBER_ROLE_BB_MAX_Y: Final = "bb_max_y"
NUMBER_ROLE_BB_MAX_Z: Final = "bb_max_z"
NUMBER_ROLE_BB_SIZE_X: Final = "bb_size_x"
NUMBER_ROLE_BB_SIZE_Y: Final = "bb_size_y"
NUMBER_ROLE_BB_SIZE_Z: Final = "bb_size_z"
NUMBER_ROLE_CLUSTER_INDEX: Final = "cluster_index"
NUMBER_ROLE_CONFIDENCE: Final = "confidence"
NUMBER_ROLE_EPOCH: Final = "epoch"
NUMBER_ROLE_EXAMPLE_ID: Final = "example_id"
NUMBER_ROLE_FOREIGN_KEY: Final = "foreign_key"
NUMBER_ROLE_FRACTION: Final = "fraction"
NUMBER_ROLE_HASH: Final = "hash"
NUMBER_ROLE_IMAGE_HEIGHT: Final = "image_height"
NUMBER_ROLE_IMAGE_WIDTH: Final = "image_width"
NUMBER_ROLE_INDEX: Final = "index"
NUMBER_ROLE_IOU: Final = "iou"
NUMBER_ROLE_ITERATION: Final = "iteration"
NUMBER_ROLE_LABEL: Final = "label"
NUMBER_ROLE_LOSS: Final = "loss"
NUMBER_ROLE_NN_EMBEDDING: Final = "nn_embedding"
NUMBER_ROLE_PROBABILITY: Final = "probability"
NUMBER_ROLE_RUN_STATUS: Final = "run_status"
NUMBER_ROLE_SAMPLE_WEIGHT: Final = "sample_weight"
NUMBER_ROLE_TIMESTAMP: Final = "unix_timestamp"
NUMBER_ROLE_VISIBILITY: Final = "visibility"
NUMBER_ROLE_X: Final = "x"
NUMBER_ROLE_Y: Final = "y"
NUMBER_ROLE_Z: Final = "z"

BOOL_ROLE_NORMAL: Final = ""
BOOL_ROLE_ACTION: Final = "action"
BOOL_ROLE_SLIDER: Final = "slider"

# What a string means. Urls share the prefix "URL"; "URL/<anything>" is free for one's own kinds.
STRING_ROLE_NONE: Final = ""
STRING_ROLE_SEARCH: Final = "Search"
STRING_ROLE_SEARCH_SET_FOCUS: Final = "Search/SetFocus"
STRING_ROLE_OBJECT_TYPE: Final = "ObjectType"
STRING_ROLE_VERSION: Final = "Version"
STRING_ROLE_DATETIME: Final = "Datetime"
STRING_ROLE_ICON: Final = "Icon"
STRING_ROLE_LOG_MESSAGE: Final = "LogMessage"
STRING_ROLE_MULTILINE: Final = "Multiline"
STRING_ROLE_URL: Final = "URL"
STRING_ROLE_IMAGE_URL: Final = "URL/Image"
STRING_ROLE_VIDEO_URL: Final = "URL/Video"
STRING_ROLE_ARRAY_URL: Final = "URL/Array"
STRING_ROLE_SEGMENTATION_MASK_URL: Final = "URL/SegmentationMask"
STRING_ROLE_TABLE_URL: Final = "URL/Table"
STRING_ROLE_FOLDER_URL: Final = "URL/Folder"
STRING_ROLE_INPUT_URL: Final = "URL/Input"
STRING_ROLE_RLE: Final = "RLE"

# What a length or a coordinate is counted in.
UNIT_NONE: Final = ""
UNIT_ABSOLUTE: Final = "absolute"
UNIT_RELATIVE: Final = "relative"
UNIT_RADIANS: Final = "radians"
UNIT_SECONDS: Final = "seconds"

# Order of columns in a display: larger comes first.
DISPLAY_IMPORTANCE_EPOCH: Final = 3000.0
DISPLAY_IMPORTANCE_ITERATION: Final = 2900.0
DISPLAY_IMPORTANCE_EXAMPLE_ID: Final = 2800.0
DISPLAY_IMPORTANCE_FOREIGN_TABLE_ID: Final = 2700.0
DISPLAY_IMPORTANCE_IMAGE: Final = 2000.0
DISPLAY_IMPORTANCE_LABEL: Final = 1900.0
DISPLAY_IMPORTANCE_BOUNDING_BOXES: Final = 1800.0
DISPLAY_IMPORTANCE_SEGMENTATIONS: Final = 1700.0
DISPLAY_IMPORTANCE_PREDICTED: Final = 1000.0
DISPLAY_IMPORTANCE_DEFAULT: Final = 0.0
DISPLAY_IMPORTANCE_SAMPLE_WEIGHT: Final = -1000.0

# States of a run.
RUN_STATUS_EMPTY: Final = 0.0
RUN_STATUS_RUNNING: Final = 1.0
RUN_STATUS_COLLECTING: Final = 2.0
RUN_STATUS_POST_PROCESSING: Final = 3.0
RUN_STATUS_COMPLETED: Final = 4.0
RUN_STATUS_FAILED: Final = 5.0
RUN_STATUS_INTERRUPTED: Final = 6.0

# Sizes.
DEFAULT_BB_MAX_COUNT: Final = 1000
DEFAULT_LIST_MAX_LENGTH: Final = 1000
DEFAULT_BULK_DATA_CHUNK_SIZE_MB: Final = 50

__all__ = [name for name in dir() if name.isupper()]  # pyright: ignore[reportUnsupportedDunderAll]
