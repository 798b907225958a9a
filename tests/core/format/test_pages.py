"""Headers of Parquet pages that nobody writes but to do harm."""

from __future__ import annotations

import pytest

from tlc.format.parquet.pages import page_headers

STRUCT, I32, END = 12, 5, 0


def field(kind):
    """Return the start of a field whose number is one more than that of the field before."""
    return 1 << 4 | kind


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(
            [field(STRUCT), END, field(I32), 0, field(I32), 0, END], id="kind is a struct"
        ),
        pytest.param([field(I32), 0, field(I32), 1, field(I32), 0, END], id="size below zero"),
        pytest.param([END], id="nothing"),
    ],
)
def test_what_makes_no_sense_is_refused(header):
    content = bytes(header) + bytes(8)
    with pytest.raises(ValueError, match="makes no sense"):
        page_headers(lambda length, at: content[at : at + length], 0, len(content))
