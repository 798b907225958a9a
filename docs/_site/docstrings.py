"""Makes the docstrings of the source ready for the site: an extension of griffe."""

from __future__ import annotations

import re

import griffe

SHARED = re.compile(
    r"^(?P<indent> +)(?P<names>\*{0,2}\w+(?:, \*{0,2}\w+)+): "
    r"(?P<text>.*(?:\n(?P=indent) .*)*)",
    re.MULTILINE,
)
LITERAL = re.compile(r"::\n(?=\n)")
RESULT = re.compile(r"^(?P<title>Returns|Yields):\n +(?=\S)", re.MULTILINE)
# Not behind ">": two names of one thing share a docstring, which must not be rewritten twice.
NAME = re.compile(r"(?<![`\w>])`(?P<name>[A-Za-z_][\w.]*)`(?!`)")


class Docstrings(griffe.Extension):
    """Rewrites every docstring once the whole package is known."""

    def on_package(self, *, pkg, **_):
        """Rewrite the docstrings of a package."""
        if pkg.name == "tlc":
            rewrite(pkg, pkg["errors"].exports)


def rewrite(owner, errors):
    """Rewrite the docstrings of an object and of all in it."""
    if owner.docstring:
        owner.docstring.value = readable(owner.docstring.value, owner)
    for member in list(owner.members.values()):
        if not member.is_alias:
            rewrite(member, errors)
    if owner.is_module:
        know_errors(owner, errors)


def know_errors(module, errors):
    """Let a module know all errors, so that what is told to be raised becomes a link."""
    for name in errors:
        if name not in module.members:
            module.set_member(name, griffe.Alias(name, f"tlc.errors.{name}"))


def readable(text, owner):
    """Return a docstring with arguments told one by one, in Markdown, and names as links."""
    text = LITERAL.sub(":\n", SHARED.sub(one_by_one, text))
    text = RESULT.sub(lambda found: typed(found, owner), text)
    return NAME.sub(lambda found: linked(found["name"], owner), text)


def one_by_one(found):
    names = found["names"].split(", ")
    return "\n".join(f"{found['indent']}{name}: {found['text']}" for name in names)


def typed(found, owner):
    """Return the start of a section about results, with their type before the text.

    Else what comes before the first colon of the text would be taken for the type.
    """
    returned = getattr(owner, "returns", None)
    if isinstance(returned, griffe.ExprSubscript) and found["title"] == "Yields":
        returned = returned.slice
    return found.group() if returned is None else f"{found.group()}{returned}: "


def linked(name, owner):
    """Return a name as code, and as a link if it leads to something in the reference."""
    path = resolved(name, owner)
    code = f"`{name}`"
    return f'<autoref optional identifier="{path}">{code}</autoref>' if path else code


def resolved(name, owner):
    """Return where the thing is defined that a docstring calls by some name; "" if unknown."""
    first, _, rest = name.partition(".")
    if owner.is_function and first in owner.parameters:
        return ""
    scope = owner
    while scope is not None:
        if first == scope.name and scope.is_module and scope.parent is None:
            return member_path(scope, rest) if rest else ""
        if first in scope.all_members and not scope.is_function:
            return member_path(scope, name)
        scope = scope.parent
    return ""


def member_path(scope, name):
    """Return where a member of a scope is defined; "" if there is none, or outside the package."""
    try:
        for part in filter(None, name.split(".")):
            scope = scope.all_members[part]
            scope = scope.final_target if scope.is_alias else scope
    except (KeyError, griffe.AliasResolutionError, griffe.CyclicAliasError):
        return ""
    return scope.path
