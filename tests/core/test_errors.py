"""Errors travel: from the workers of a loader or a pool to whoever waits for them."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

import tlc
from tlc import errors

ARGUMENTS = {
    errors.CellError: {"column": "label", "row": 7},
    errors.RevisionConflictError: {"base": "a", "latest": "b"},
    errors.MissingExtraError: {"extra": "torch", "purpose": "to train"},
}
KINDS = [
    kind for kind in map(errors.__dict__.get, errors.__all__) if issubclass(kind, errors.TlcError)
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_error_is_the_same_on_the_other_side(kind):
    hint = {} if kind is errors.MissingExtraError else {"hint": "do this"}
    error = kind("torch", **ARGUMENTS.get(kind, {}), **hint)
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(other) is kind
        assert (str(other), vars(other)) == (str(error), vars(error))


def test_an_error_of_a_worker_process_is_raised_here(tmp_path):
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
        pytest.raises(errors.CellError, match="Row 1") as raised,
    ):
        pool.submit(write_what_does_not_fit, str(tmp_path)).result()
    assert (raised.value.column, raised.value.row) == ("n", 1)


def write_what_does_not_fit(root):
    schema = {"n": tlc.schemas.Int32Schema()}
    tlc.Table.from_dict({"n": [1, "two"]}, schema, table_name="bad", root_url=root)
