"""The options of formats: the keywords of the methods that write them."""

from __future__ import annotations

import difflib
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tlc.export.exporter import Exporter

_NO_OPTIONS = {"self", "table", "output_url", "weight_threshold", "row"}


@dataclass(frozen=True)
class Keyword:
    """An option of a format.

    Attributes:
        name: Its name.
        default: Its value if nobody gives one; None if it must be given.
        kind: Its type, as far as the exporter says.
        help: What the docstring of the exporter's method says of it.
    """

    name: str
    default: Any
    kind: Any
    help: str


def keywords_of(exporter: Exporter) -> list[Keyword]:
    """Return the options of an exporter's format, in their order."""
    method = exporter._get_export_impl_method()
    texts = _argument_texts(method)
    return [
        Keyword(
            parameter.name,
            None if parameter.default is parameter.empty else parameter.default,
            kind,
            texts.get(parameter.name, ""),
        )
        for parameter, kind in _parameters(method)
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    ]


def check_keywords(exporter: Exporter, given: Iterable[str]) -> None:
    """Refuse options that an exporter does not have.

    An exporter with ``**options`` takes any; with ``**_`` only those that it names.

    Raises:
        TypeError: There is one; the message names the nearest that there is.
    """
    known = [keyword.name for keyword in keywords_of(exporter)]
    if any(
        parameter.kind is parameter.VAR_KEYWORD and not parameter.name.startswith("_")
        for parameter, _ in _parameters(exporter._get_export_impl_method())
    ):
        return
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            options = f"its options are {', '.join(known)}" if known else "it has no options"
            meant = f"did you mean {near[0]!r}?" if near else f"{options}."
            raise TypeError(
                f"The format {exporter.supported_format!r} has no option {name!r}. Hint: {meant}"
            )


def _parameters(method: Any) -> list[tuple[inspect.Parameter, Any]]:
    try:
        hints = get_type_hints(method)
    except NameError:  # a type that is imported for type checkers only
        hints = {}
    return [
        (parameter, hints.get(name, parameter.annotation))
        for name, parameter in inspect.signature(method).parameters.items()
        if name not in _NO_OPTIONS
    ]


def _argument_texts(method: Any) -> dict[str, str]:
    """Return what the section "Args" of a docstring says, by argument."""
    texts: dict[str, str] = {}
    name = ""
    for line in _section(inspect.getdoc(method) or "", "Args:"):
        if not line.startswith("     "):
            name, _, text = line.strip().partition(":")
            texts[name] = text.strip()
        elif name:
            texts[name] += f" {line.strip()}"
    return texts


def _section(doc: str, title: str) -> list[str]:
    lines = doc.splitlines()
    if title not in lines:
        return []
    body = lines[lines.index(title) + 1 :]
    ends = [number for number, line in enumerate(body) if line and not line.startswith(" ")]
    return [line for line in body[: ends[0] if ends else None] if line]
