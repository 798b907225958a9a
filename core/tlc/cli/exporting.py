"""``tlc export`` and ``tlc exporters``, with an option for each keyword of each exporter."""

from __future__ import annotations

import inspect
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

import typer

from tlc.cli.columns import aligned
from tlc.errors import OptionError
from tlc.export import export_table, list_exporters
from tlc.export.keywords import keywords_of
from tlc.export.registry import choose_exporter, find_exporter, usable_exporters
from tlc.table import Table
from tlc.url import Url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tlc.export.keywords import Keyword

_POSITIONAL = inspect.Parameter.POSITIONAL_OR_KEYWORD
_SIMPLE = (bool, int, float, str)


def export_app() -> typer.Typer:
    """Return an app with the command, whose options are those of all exporters there are now."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    owners: dict[str, tuple[str, str]] = {}
    parameters = _own_parameters()
    for exporter in usable_exporters():
        for keyword in keywords_of(exporter):
            kind = _option_type(keyword)
            if kind is not None:
                format = exporter.supported_format
                name = f"{format}_{keyword.name}".replace("-", "_")
                owners[name] = format, keyword.name
                parameters.append(_option(name, format, keyword, kind))

    def command(**arguments: Any) -> None:
        given = {name: arguments.pop(name) for name in owners}
        chosen = {name: value for name, value in given.items() if value not in (None, [])}
        typer.echo(_export(arguments, {owners[name]: value for name, value in chosen.items()}))

    command.__doc__ = "Export a table as a file or folder that other programs read."
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    app.command()(command)
    return app


def exporters() -> list[str]:
    """Return a line per exporter: format, class, module, source."""
    rows = [
        (info["format"], info["exporter_class"], info["module"], info["source"])
        for info in list_exporters()
    ]
    return aligned([("FORMAT", "CLASS", "MODULE", "SOURCE"), *rows])


def _export(arguments: Mapping[str, Any], options: Mapping[tuple[str, str], Any]) -> str:
    table, output = Table.from_url(arguments["table"]), Url(arguments["output"]).to_absolute()
    format = arguments["format"]
    exporter = find_exporter(format) if format else choose_exporter(table, output)
    own = exporter.supported_format
    for owner, name in options:
        if owner != own:
            raise OptionError(
                f"{_flag(owner, name)} is about the format {owner!r}, but this is {own!r}.",
                hint=f"leave it out, or pass --format {owner}.",
            )
    named = {name: value for (_, name), value in options.items()}
    return str(export_table(table, output, own, arguments["weight_threshold"], named))


def _own_parameters() -> list[inspect.Parameter]:
    threshold = typer.Option(help="Leave out rows whose weight is below it.")
    format = typer.Option(help="Name of the format; told from the url and the table if left out.")
    return [
        _parameter("table", Annotated[str, typer.Argument(help="Url of a table.")]),
        _parameter("output", Annotated[str, typer.Argument(help="Url of the file or folder.")]),
        _parameter("format", Annotated[str | None, format], None),
        _parameter("weight_threshold", Annotated[float, threshold], 0.0),
    ]


def _option(name: str, format: str, keyword: Keyword, kind: Any) -> inspect.Parameter:
    flag = _flag(format, keyword.name)
    flags = f"{flag}/--{format}-no-{flag.removeprefix(f'--{format}-')}" if kind is bool else flag
    usual = "" if keyword.default in (None, False, "", ()) else f" [usually {keyword.default}]"
    option = typer.Option(flags, help=f"{keyword.help}{usual}", show_default=False)
    return _parameter(name, Annotated[kind | None, option], None)


def _parameter(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> Any:
    return inspect.Parameter(name, _POSITIONAL, default=default, annotation=annotation)


def _flag(format: str, keyword: str) -> str:
    return f"--{format}-{keyword}".replace("_", "-")


def _option_type(keyword: Keyword) -> Any:
    """Return the type of an option; None if it cannot be written on a command line."""
    kind = keyword.kind
    if get_origin(kind) in (Union, UnionType):
        parts = [part for part in get_args(kind) if part is not type(None)]
        kind = next((part for part in parts if part in _SIMPLE), parts[0])
    if kind in _SIMPLE:
        return kind
    if get_args(kind)[:1] == (str,) and get_origin(kind) is not dict:
        return list[str]
    if type(keyword.default) in _SIMPLE:
        return type(keyword.default)
    return str if kind is inspect.Parameter.empty else None
