"""Contract suites: what every sample type, url adapter, collector, sampler and adapter must do.

`FaultyUrlAdapter` and `Turns` make requests fail and threads race in an order that a seed decides.

A suite is a pytest class. An heir in your own tests says what it tests and inherits the tests::

    from tlc.testing import UrlAdapterContract

    class TestMyStore(UrlAdapterContract):
        @pytest.fixture
        def root(self, tmp_path): ...

The suites are loaded on first use, since pytest must be able to rewrite their assertions.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tlc.testing.adapter_contract import AdapterContract, Training
    from tlc.testing.collector_contract import CollectorContract
    from tlc.testing.faulty_adapter import Fault, FaultyUrlAdapter
    from tlc.testing.project_contract import ProjectContract
    from tlc.testing.sample_type_contract import SampleTypeContract
    from tlc.testing.sampler_contract import SamplerContract
    from tlc.testing.turns import Turns
    from tlc.testing.url_adapter_contract import UrlAdapterContract

__all__ = [
    "AdapterContract",
    "CollectorContract",
    "Fault",
    "FaultyUrlAdapter",
    "ProjectContract",
    "SampleTypeContract",
    "SamplerContract",
    "Training",
    "Turns",
    "UrlAdapterContract",
]

_HOMES = {
    "AdapterContract": "tlc.testing.adapter_contract",
    "CollectorContract": "tlc.testing.collector_contract",
    "Fault": "tlc.testing.faulty_adapter",
    "FaultyUrlAdapter": "tlc.testing.faulty_adapter",
    "ProjectContract": "tlc.testing.project_contract",
    "SampleTypeContract": "tlc.testing.sample_type_contract",
    "SamplerContract": "tlc.testing.sampler_contract",
    "Training": "tlc.testing.adapter_contract",
    "Turns": "tlc.testing.turns",
    "UrlAdapterContract": "tlc.testing.url_adapter_contract",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def pytest_configure() -> None:
    """Let pytest rewrite the assertions of the suites, so that failures show values."""
    import pytest

    pytest.register_assert_rewrite(*set(_HOMES.values()))
