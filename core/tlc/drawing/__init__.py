"""Images with what is known about them drawn on top: boxes, masks, keypoints, names of classes."""

from tlc.drawing.picture import draw_row
from tlc.drawing.sheet import contact_sheet

__all__ = ["contact_sheet", "draw_row"]
