"""From aliases to paths and back, on the text of urls."""

from __future__ import annotations

from tlc.configuration import Configuration
from tlc.errors import AliasError
from tlc.url.text import ALIAS, normalise, tidy

__all__ = ["AliasTable", "expand"]


def expand(text: str) -> str:
    """Replace the alias at the start of a text, as often as there is one that is known.

    Raises:
        AliasError: Aliases refer to each other in a circle.
    """
    seen: list[str] = []
    while match := ALIAS.match(text):
        name = match[1]
        if name in seen:
            circle = " -> ".join(f"<{each}>" for each in [*seen, name])
            raise AliasError(f"Aliases refer to each other in a circle: {circle}.")
        path = Configuration.instance().get_alias(name)
        if path is None:
            break
        seen.append(name)
        rest = text[match.end() :]
        text = normalise(path.removesuffix("/") + rest if rest else path)
    return text


class AliasTable:
    """The aliases of this moment, for applying them to many urls.

    Raises:
        AliasError: Aliases refer to each other in a circle.
        ConfigurationError: The environment or the file holds a bad alias.
    """

    def __init__(self) -> None:
        places = {name: tidy(expand(f"<{name}>")) for name in Configuration.instance().aliases}
        # The longest first; of two for one place always the same.
        self._places = sorted(
            ((place.removesuffix("/"), name) for name, place in places.items()),
            key=lambda each: (-len(each[0]), each[1]),
        )

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._places)

    def apply(self, text: str) -> str:
        """Replace the longest start of an absolute text that has an alias by it."""
        for place, name in self._places:
            if text.startswith(f"{place}/") or text == place:
                return f"<{name}>{text[len(place) :]}"
        return text
