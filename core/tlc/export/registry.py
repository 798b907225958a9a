"""Which exporters there are, and which of them takes a table to a url."""

from __future__ import annotations

import importlib
import warnings
from functools import partial
from threading import RLock
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypedDict, TypeVar, overload

from tlc.configuration import Configuration
from tlc.errors import ConfigurationError, OptionError, TlcError, TlcWarning
from tlc.export.exporter import Exporter

if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.metadata import EntryPoint

    from tlc.table import Table
    from tlc.url import Url

ENTRY_POINTS = "tlc.exporters"
"""Entry-point group in which other distributions name their exporters: format -> class."""

Source = Literal["builtin", "entrypoint", "config", "runtime"]
AnyExporter = TypeVar("AnyExporter", bound=type[Exporter])

_BUILT_IN = {
    "csv": ("tlc.export.text", "CsvExporter"),
    "json": ("tlc.export.text", "JsonExporter"),
    "ndjson": ("tlc.export.text", "NdjsonExporter"),
    "parquet": ("tlc.export.parquet", "ParquetExporter"),
    "coco": ("tlc.export.coco", "CocoExporter"),
    "image_folder": ("tlc.export.image_folder", "ImageFolderExporter"),
    "voc": ("tlc.export.voc", "VocExporter"),
    "yolo": ("tlc.export.yolo", "YoloExporter"),
    "huggingface": ("tlc.export.hugging_face", "HuggingFaceExporter"),
}
_registered: dict[str, type[Exporter]] = {}
_lock = RLock()


class ExporterInfo(TypedDict):
    """What is known of the exporter of a format.

    Attributes:
        format: The format.
        exporter_class: Name of the class.
        module: Module that defines it.
        source: ``"builtin"``, ``"entrypoint"``, ``"config"`` if the configuration names it, or
            ``"runtime"`` if the program registered it.
    """

    format: str
    exporter_class: str
    module: str
    source: Source


class _Offer(NamedTuple):
    info: ExporterInfo
    load: Callable[[], Any]


@overload
def register_exporter(exporter_class: AnyExporter, /) -> AnyExporter: ...
@overload
def register_exporter(*, override: bool = False) -> Callable[[AnyExporter], AnyExporter]: ...
def register_exporter(exporter_class: Any = None, /, *, override: bool = False) -> Any:
    """Register an exporter; decorates its class, with or without arguments.

    It takes the place of one that comes with `tlc`, or that an installed package offers. A
    distribution can name the class in the entry-point group `tlc.exporters` instead; then it is
    found without being imported first. Defining a class again, as a notebook does, replaces it.

    Args:
        exporter_class: A class that can be called without arguments.
        override: Whether it may take a format from another class that the program registered.

    Raises:
        ConfigurationError: It is no exporter, names no format, or another class has the format and
            `override` is false.
    """

    def register(cls: type[Exporter]) -> type[Exporter]:
        checked = _checked(cls, f"{cls!r}")
        with _lock:
            other = _registered.get(checked.supported_format)
            if other is not None and not override and _name(other) != _name(checked):
                raise ConfigurationError(
                    f"{_name(checked)} cannot export {checked.supported_format!r}: "
                    f"{_name(other)} does.",
                    hint="Pass override=True to replace it.",
                )
            _registered[checked.supported_format] = checked
        return cls

    return register if exporter_class is None else register(exporter_class)


def unregister_exporter(format: str) -> None:
    """Forget the exporter of a format that the program registered, if there is one."""
    with _lock:
        _registered.pop(format, None)


def list_exporters() -> list[ExporterInfo]:
    """Return what is known of all exporters, sorted by format.

    None is imported for that, but those that the configuration names.
    """
    return [offer.info for _, offer in sorted(_offers().items())]


def list_exporter_formats() -> list[str]:
    """Return the names of all formats, sorted."""
    return sorted(_offers())


def find_exporter(format: str) -> Exporter:
    """Return the exporter of a format.

    Raises:
        OptionError: There is none.
        ConfigurationError: A package offers something else under that name.
    """
    offers = _offers()
    if format not in offers:
        raise OptionError(
            f"There is no exporter for the format {format!r}.",
            hint=f"there are {', '.join(sorted(offers))}.",
        )
    return _loaded(offers[format])


def usable_exporters() -> list[Exporter]:
    """Return an exporter for each format, sorted; one that cannot be loaded is warned of."""
    found = []
    for name, offer in sorted(_offers().items()):
        try:
            found.append(_loaded(offer))
        except (ImportError, AttributeError, TlcError) as error:
            warnings.warn(
                f"The exporter {name!r} of {offer.info['module']} cannot be loaded: {error}",
                TlcWarning,
                stacklevel=2,
            )
    return found


def choose_exporter(table: Table, output_url: Url) -> Exporter:
    """Return the exporter that says that it can export a table to a url.

    Raises:
        OptionError: None does, or several of one priority.
    """
    able = [each for each in usable_exporters() if each.can_export(table, output_url)]
    if not able:
        raise OptionError(
            f"No format can be told from the url {output_url} for {table.url}.",
            hint=f"pass format=, one of {', '.join(list_exporter_formats())}.",
        )
    highest = max(each.priority for each in able)
    best = [each for each in able if each.priority == highest]
    if len(best) > 1:
        formats = ", ".join(repr(each.supported_format) for each in best)
        raise OptionError(
            f"{table.url} can be exported to {output_url} in several formats: {formats}.",
            hint="pass format= with one of them.",
        )
    return best[0]


def _offers() -> dict[str, _Offer]:
    """Return where each exporter comes from; what is registered or installed comes first."""
    from importlib.metadata import entry_points  # late: slow, and rarely needed

    offers = {
        format: _Offer(_info(format, module, name, "builtin"), partial(_get, module, name))
        for format, (module, name) in _BUILT_IN.items()
    }
    for point in entry_points(group=ENTRY_POINTS):
        info = _info(point.name, point.module, point.attr, "entrypoint")
        known = offers.get(point.name)
        if known and known.info["source"] == "entrypoint" and known.info != info:
            raise ConfigurationError(
                f"Two packages offer an exporter for {point.name!r}: "
                f"{known.info['module']} and {point.module}.",
                hint="Uninstall one of them.",
            )
        offers[point.name] = _Offer(info, partial(_from_entry_point, point))
    for cls in _configured():
        info = _info(cls.supported_format, cls.__module__, cls.__name__, "config")
        offers[cls.supported_format] = _Offer(info, partial(_same, cls))
    with _lock:
        for format, cls in _registered.items():
            info = _info(format, cls.__module__, cls.__name__, "runtime")
            offers[format] = _Offer(info, partial(_same, cls))
    return offers


def _configured() -> list[type[Exporter]]:
    """Return the exporters that the configuration names; one that cannot be loaded is warned of."""
    found = []
    for name in Configuration.instance().exporters:
        try:
            found.append(_checked(_get(*name.split(":")), f"{name!r} in the configuration"))
        except (ImportError, AttributeError, TlcError) as error:
            warnings.warn(
                f"The exporter {name!r} that the configuration names cannot be loaded: {error}",
                TlcWarning,
                stacklevel=4,
            )
    return found


def _info(format: str, module: str, name: str, source: Source) -> ExporterInfo:
    return ExporterInfo(format=format, exporter_class=name, module=module, source=source)


def _get(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)


def _same(cls: type[Exporter]) -> type[Exporter]:
    return cls


def _from_entry_point(point: EntryPoint) -> type[Exporter]:
    cls = _checked(point.load(), f"The entry point {point.value!r}")
    if cls.supported_format != point.name:
        raise ConfigurationError(
            f"The entry point {point.value!r} is called {point.name!r}, but exports "
            f"{cls.supported_format!r}."
        )
    return cls


def _loaded(offer: _Offer) -> Exporter:
    exporter: Exporter = offer.load()()
    return exporter


def _checked(cls: Any, what: str) -> type[Exporter]:
    if not (isinstance(cls, type) and issubclass(cls, Exporter)):
        raise ConfigurationError(
            f"{what} is no exporter.", hint="it is a class that inherits tlc.export.Exporter."
        )
    if not isinstance(cls.supported_format, str) or not cls.supported_format:
        raise ConfigurationError(f"{what} names no format.", hint="set supported_format.")
    return cls


def _name(cls: type[Exporter]) -> str:
    # By name: a notebook cell that is run again defines the same class once more.
    return f"{cls.__module__}.{cls.__qualname__}"
