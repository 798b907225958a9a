"""Link every number a model produces to the sample behind it, edit that sample, train again.

The nouns and verbs are here; all else has its place: schemas in `tlc.schemas`, annotations in
`tlc.data_types`, collectors in `tlc.metrics`, samplers in `tlc.samplers`. Names are loaded when
they are first used, so ``import tlc`` costs next to nothing and loads no framework.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__path__ = __import__("pkgutil").extend_path(__path__, __name__)

if TYPE_CHECKING:
    from tlc._version import __version__
    from tlc.metrics import collect_metrics
    from tlc.objects import ObjectRegistry
    from tlc.run import Run, active_run, close, init, log, set_active_run
    from tlc.schemas import Schema
    from tlc.table import Table, TableView, collate_columns
    from tlc.url import Url, register_url_alias
    from tlc.writers import MetricsTableWriter, TableWriter

__all__ = [
    "MetricsTableWriter",
    "ObjectRegistry",
    "Run",
    "Schema",
    "Table",
    "TableView",
    "TableWriter",
    "Url",
    "__version__",
    "active_run",
    "close",
    "collate_columns",
    "collect_metrics",
    "init",
    "log",
    "register_url_alias",
    "set_active_run",
]

_HOMES = {
    "MetricsTableWriter": "tlc.writers",
    "ObjectRegistry": "tlc.objects",
    "Run": "tlc.run",
    "Schema": "tlc.schemas",
    "Table": "tlc.table",
    "TableView": "tlc.table",
    "TableWriter": "tlc.writers",
    "Url": "tlc.url",
    "__version__": "tlc._version",
    "active_run": "tlc.run",
    "close": "tlc.run",
    "collate_columns": "tlc.table",
    "collect_metrics": "tlc.metrics",
    "init": "tlc.run",
    "log": "tlc.run",
    "register_url_alias": "tlc.url",
    "set_active_run": "tlc.run",
}
_SUBMODULES = (
    "configuration",
    "constants",
    "data_types",
    "dynamics",
    "errors",
    "export",
    "helpers",
    "images",
    "integration",
    "metrics",
    "objects",
    "reduction",
    "sample_types",
    "samplers",
    "schemas",
    "testing",
    "url",
)


def __getattr__(name: str) -> Any:
    """Load a public name or a sub-module on its first use.

    Raises:
        AttributeError: There is no such name here; the message says where it lives, if anywhere.
    """
    if name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    if name in _SUBMODULES:
        return importlib.import_module(f"tlc.{name}")
    raise AttributeError(_explanation(name))


def __dir__() -> list[str]:
    return sorted({*__all__, *_SUBMODULES})


def _explanation(name: str) -> str:
    message = f"module 'tlc' has no attribute {name!r}"
    if name.startswith("_"):
        return message
    homes = [f"tlc.{module}" for module in (*_SUBMODULES, "schemas.values") if _has(module, name)]
    if homes:
        return f"{message}. Hint: it is {homes[0]}.{name}."
    return f"{message}. Hint: dir(tlc) lists what there is."


def _has(module: str, name: str) -> bool:
    return name in getattr(importlib.import_module(f"tlc.{module}"), "__all__", ())
