from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

import tlc

numbers = count()


@pytest.fixture
def rewritten(tmp_path):
    """Write columns to a table and open it as another program would."""

    def write(data, schema=None):
        made = tlc.Table.from_dict(data, schema, root_url=tmp_path, table_name=f"t{next(numbers)}")
        return tlc.Table.from_url(made.url)

    return write


@pytest.fixture(scope="module")
def shared_folder(tmp_path_factory):
    """A folder for property-based tests, whose examples share a function's fixtures."""
    return Path(tmp_path_factory.mktemp("tables"))
