"""Commands and their options."""

from __future__ import annotations

import sys
import warnings
from typing import Annotated

import typer

from tlc._version import __version__
from tlc.cli.listing import list_all, list_project
from tlc.cli.settings import settings
from tlc.cli.showing import show_object
from tlc.errors import TlcError, TlcWarning
from tlc.url import Url

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
exporters_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(exporters_app, name="exporters", help="What tables can be exported with.")
Root = Annotated[
    str | None, typer.Option("--root", help="Folder that holds the projects.", show_default=False)
]


def run() -> None:
    """Run the command that the arguments ask for; what goes wrong is one line and exit code 1."""
    warnings.showwarning = _warn
    try:
        app()
    except (TlcError, OSError) as error:
        typer.echo(f"tlc: {error}", err=True)
        sys.exit(1)


def _warn(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: object = None,
    line: object = None,
) -> None:
    place = "" if issubclass(category, TlcWarning) else f"{filename}:{lineno}: "
    typer.echo(f"tlc: {place}{message}", err=True)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"tlc {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Link every number a model produces to the sample behind it, edit that sample, train again."""


@app.command("ls")
def _ls(
    project: Annotated[str | None, typer.Argument(help="Name of a project.")] = None,
    root: Root = None,
) -> None:
    """List projects, or the tables and runs of one."""
    lines = list_project(project, root) if project else list_all(root)
    typer.echo("\n".join(lines))


@app.command("show")
def _show(url: Annotated[str, typer.Argument(help="Url of a table or run.")]) -> None:
    """Show a table's schema, first rows and lineage, or a run's parameters, status and metrics."""
    typer.echo("\n".join(show_object(Url(url))))


@app.command("diff")
def _diff(
    old: Annotated[str, typer.Argument(help="Url of a table or run.")],
    new: Annotated[str, typer.Argument(help="Url of a newer table, or a later run.")],
    limit: Annotated[
        int, typer.Option("--limit", min=0, help="How many changed cells to show of each column.")
    ] = 3,
    column: Annotated[
        list[str] | None, typer.Option("--column", help="Compare only this column of tables.")
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option("--by", help="Column that tells which row is which, or: position."),
    ] = None,
    metric: Annotated[
        list[str] | None, typer.Option("--metric", help="Compare only this metric of runs.")
    ] = None,
    split: Annotated[
        str | None, typer.Option("--split", help="Compare only this split of runs.")
    ] = None,
    how: Annotated[
        str | None, typer.Option("--how", help="Of several epochs: last, first, mean, min, max ...")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what changed from a table to another, or how the metrics of two runs differ.

    The exit code is 0 if nothing did, 1 if something did, and 2 if they cannot be compared.
    """
    from tlc.cli.comparing import Options, compared

    options = Options(limit, column or (), by or (), metric or (), split, how, as_json)
    try:
        text, different = compared(old, new, options)
    except (TlcError, OSError) as error:
        typer.echo(f"tlc: {error}", err=True)
        raise typer.Exit(2) from None
    typer.echo(text)
    if different:
        raise typer.Exit(1)


@app.command("copy")
def _copy(
    source: Annotated[str, typer.Argument(help="Url of a table.")],
    destination: Annotated[str, typer.Argument(help="Folder for projects, or url of the copy.")],
) -> None:
    """Copy a table to another place or store, with the revisions before it and all its files."""
    from tlc.cli.copying import copied

    typer.echo("\n".join(copied(source, destination)))


@app.command(
    "export",
    add_help_option=False,
    context_settings={
        "allow_extra_args": True,
        "ignore_unknown_options": True,
        "allow_interspersed_args": False,
    },
)
def _export(context: typer.Context) -> None:
    """Export a table as a file or folder that other programs read; `--help` lists the options."""
    from typer.main import get_command

    from tlc.cli.exporting import export_app

    # Its options are those of the exporters, which no other command need look for.
    get_command(export_app()).main(context.args, "tlc export", standalone_mode=False)


@exporters_app.command("list")
def _list_exporters() -> None:
    """List the formats that tables can be exported in, and the classes that do it."""
    from tlc.cli.exporting import exporters

    typer.echo("\n".join(exporters()))


@app.command("config")
def _config() -> None:
    """Show every setting, its value, and where it comes from."""
    typer.echo("\n".join(settings()))


@app.command("doctor")
def _doctor(
    url: Annotated[str | None, typer.Argument(help="Url of a project, table or run.")] = None,
    root: Root = None,
    fix: Annotated[bool, typer.Option("--fix", help="Do what is safe to do about it.")] = False,
) -> None:
    """Read everything, and say what is damaged, what that affects and what can be done."""
    from tlc.cli.upkeep import check

    lines, sound = check(url, root, fix=fix)
    typer.echo("\n".join(lines))
    if not sound:
        raise typer.Exit(1)


@app.command("gc")
def _gc(
    project: Annotated[
        str | None, typer.Argument(help="Name of a project; all if left out.")
    ] = None,
    root: Root = None,
    delete: Annotated[bool, typer.Option("--delete", help="Delete; else only list.")] = False,
    grace: Annotated[
        str, typer.Option("--grace", help="Keep what is younger, as in 30m, 24h, 7d.")
    ] = "24h",
    also: Annotated[
        list[str] | None,
        typer.Option("--also", help="Folder elsewhere whose tables may need files of these."),
    ] = None,
) -> None:
    """List, or delete, the files that no table and no run needs any more."""
    from tlc.cli.upkeep import collect

    lines = collect(project, root, delete=delete, grace=grace, also=also or ())
    typer.echo("\n".join(lines))


@app.command("demo")
def _demo(root: Root = None) -> None:
    """Find and repair wrong labels in a real data set, in a minute."""
    from tlc.demo import main

    main(root)
