"""What the pixels of a table's images tell, and the boxes in them as images of their own."""

from tlc.images.boxes import to_boxes
from tlc.images.crops import BoxCrops, box_crops
from tlc.images.pixels import PixelStatistics, pixel_statistics
from tlc.images.statistics import image_statistics

__all__ = [
    "BoxCrops",
    "PixelStatistics",
    "box_crops",
    "image_statistics",
    "pixel_statistics",
    "to_boxes",
]
