"""YAML files of data sets: plain lists, dictionaries and texts, and nothing that could do harm."""

from __future__ import annotations

from typing import Any

import yaml

from tlc.errors import AnnotationFileError
from tlc.importers.text_file import refused, utf8_text

_MOST_ALIASES = 100
_DEEPEST = 50
_LARGEST = 1 << 24
_PLAIN = "tag:yaml.org,2002:"
_PYTHON = f"{_PLAIN}python"


class _Loader(getattr(yaml, "CBaseLoader", yaml.BaseLoader)):  # type: ignore[misc]
    """Leaves every scalar a text, so that a class may be named ``no`` or ``1e3``."""


def read_yaml(data: bytes, file: str) -> dict[str, Any]:
    """Return the dictionary that a YAML file is, with lists, dictionaries and texts in it.

    Args:
        data: Its content.
        file: What to call it in errors.

    Raises:
        AnnotationFileError: It is no YAML, no dictionary, has a key twice, asks for Python objects,
            or is made to fill the memory. The message names the line.
    """
    if len(data) > _LARGEST:
        raise refused("YAML", file, "", f"it has {len(data)} bytes, which is no YAML by hand")
    try:
        text = utf8_text(data, file).decode()
        _check(text, file)
        _check_keys(text, file)
        found = yaml.load(text, _Loader)
    except (yaml.YAMLError, RecursionError, ValueError, TypeError) as error:
        if isinstance(error, AnnotationFileError):
            raise
        mark = getattr(error, "problem_mark", None)
        record = f"line {mark.line + 1}" if mark is not None else ""
        reason = " ".join(str(getattr(error, "problem", None) or error).split())
        raise refused("YAML", file, record, f"it cannot be read as YAML: {reason}") from error
    if not isinstance(found, dict):
        raise refused(
            *("YAML", file, "", "it is no dictionary of keys and values"),
            hint='a data set\'s file has "path", "train", "val" and "names".',
        )
    return found


def _check(text: str, file: str) -> None:
    """Refuse what safe files do not have, before anything is made of it."""
    depth = aliases = 0
    for event in yaml.parse(text, _Loader):
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.AliasEvent):
            aliases += 1
            if aliases > _MOST_ALIASES:
                message = f"there are more than {_MOST_ALIASES} aliases"
                raise _refused("YAML_ALIASES", file, line, message)
        elif isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                message = f"lists are nested more than {_DEEPEST} deep"
                raise _refused("YAML_DEPTH", file, line, message)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        tag = getattr(event, "tag", None) or ""
        if tag.startswith(_PYTHON) or (len(tag) > 1 and not tag.startswith(_PLAIN)):
            raise _refused("YAML_TAG", file, line, f"the tag {tag!r} is not allowed")


def _check_keys(text: str, file: str) -> None:
    """Refuse dictionaries with a key twice, of which only the last would count, and merges."""
    waiting = [yaml.compose(text, _Loader)]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen or not isinstance(node, yaml.CollectionNode):
            continue
        seen.add(id(node))
        if not isinstance(node, yaml.MappingNode):
            waiting += node.value
            continue
        keys: set[str] = set()
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise _refused("YAML_KEY", file, line, "a key is no text")
            if key.value == "<<":
                raise _refused("YAML_MERGE", file, line, "the merge key << is not supported")
            if key.value in keys:
                message = f"the key {key.value!r} is there twice"
                raise _refused("DUP_ID", file, line, message, "keep one of them.")
            keys.add(key.value)
            waiting.append(value)


def _refused(
    code: str, file: str, line: int, message: str, hint: str = "write it out as plain YAML."
) -> AnnotationFileError:
    return refused(code, file, f"line {line}", message, hint=hint)
