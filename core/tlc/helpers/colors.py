"""Colours as displays and value maps have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlc.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Sequence

_FORMS = (3, 4)


class ColorHelper:
    """Converts colours."""

    @staticmethod
    def rgb_tuple_to_hex(color: Sequence[int]) -> str:
        """Return red, green and blue, from 0 to 255, as ``"#rrggbb"``.

        With a fourth number, which is the opacity, the result is ``"#rrggbbaa"``.

        Raises:
            SchemaError: They are not three or four such numbers.
        """
        parts = [int(part) for part in color]
        if len(parts) not in _FORMS or not all(0 <= part <= 255 for part in parts):
            raise SchemaError(
                f"{color!r} is no colour.", hint="Give red, green and blue, from 0 to 255."
            )
        return "#" + "".join(f"{part:02x}" for part in parts)

    @staticmethod
    def hex_to_rgb_tuple(color: str) -> tuple[int, ...]:
        """Return ``"#rrggbb"`` or ``"#rrggbbaa"`` as numbers from 0 to 255.

        Raises:
            SchemaError: It is no such text.
        """
        text = color.removeprefix("#")
        try:
            parts = tuple(bytes.fromhex(text))
        except ValueError:
            parts = ()
        if len(parts) not in _FORMS or " " in text:
            raise SchemaError(f"{color!r} is no colour.", hint='Write it as "#ff8000".')
        return parts
