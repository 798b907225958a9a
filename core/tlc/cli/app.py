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


@app.command("config")
def _config() -> None:
    """Show every setting, its value, and where it comes from."""
    typer.echo("\n".join(settings()))


@app.command("demo")
def _demo(root: Root = None) -> None:
    """Find and repair wrong labels in a real data set, in a minute."""
    from tlc.demo import main

    main(root)
