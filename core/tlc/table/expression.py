"""Conditions on rows as text, and the trees that they mean. Nothing of a text is ever executed.

::

    condition   = all_of { "or" all_of }
    all_of      = inverted { "and" inverted }
    inverted    = "not" inverted | "(" condition ")" | ("any" | "all") "(" condition ")" | relation
    relation    = operand { ("==" | "!=" | "<" | "<=" | ">" | ">=") operand }
                | operand ["not"] "in" "[" literal { "," literal } "]"
                | operand "is" ["not"] "null"
                | operand ["not"] ("contains" | "startswith" | "endswith") text
                | operand
    operand     = literal | path | ("len" | "min" | "max" | "sum") "(" path ")"
    path        = name { "." name }, or anything in backquotes

``&``, ``|`` and ``~`` are the same as ``and``, ``or`` and ``not``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from tlc.errors import ExpressionError

Literal = str | int | float | bool
COMPARISONS = ("==", "!=", "<=", ">=", "<", ">")
TEXT_TESTS = ("contains", "startswith", "endswith")
AGGREGATES = ("len", "min", "max", "sum")
_MOST_NESTED = 100


@dataclass(frozen=True)
class Value:
    """A number, a text, or ``true`` or ``false``."""

    value: Literal


@dataclass(frozen=True)
class Path:
    """A dotted path."""

    path: str


@dataclass(frozen=True)
class Aggregate:
    """One number for the list that a row has at a path."""

    function: str
    path: str


Operand = Value | Path | Aggregate


@dataclass(frozen=True)
class Compare:
    """A comparison of two operands."""

    sign: str
    left: Operand
    right: Operand


@dataclass(frozen=True)
class IsIn:
    """Whether an operand is one of some values."""

    operand: Operand
    values: tuple[Literal, ...]


@dataclass(frozen=True)
class IsNull:
    """Whether an operand is missing."""

    operand: Operand


@dataclass(frozen=True)
class TextTest:
    """Whether a text contains another one, or starts or ends with it."""

    test: str
    operand: Operand
    text: str


@dataclass(frozen=True)
class IsTrue:
    """Whether an operand, which is a boolean, is true."""

    operand: Operand


@dataclass(frozen=True)
class Not:
    """The opposite of a condition."""

    condition: Condition


@dataclass(frozen=True)
class Both:
    """Two conditions: ``and``, or ``or``."""

    word: str
    left: Condition
    right: Condition


@dataclass(frozen=True)
class Quantified:
    """Whether a condition holds for any, or for all, of what is in a row's lists."""

    word: str
    condition: Condition


Condition = Compare | IsIn | IsNull | TextTest | IsTrue | Not | Both | Quantified


def parse(text: str) -> Condition:
    """Return the tree of a condition.

    Raises:
        ExpressionError: It is none; the message says where.
    """
    return _Parser(text).whole()


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


_TOKENS = re.compile(
    r"\s*(?:(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))"
    r"|(?P<string>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
    r"|(?P<quoted>`[^`]+`)"
    r"|(?P<name>[^\W\d]\w*(?:\.\w+)*)"
    r"|(?P<sign>==|!=|<=|>=|[<>&|~()\[\],]))",
    re.DOTALL,
)
_SAME = {"&": "and", "|": "or", "~": "not"}
_WORDS = {"and", "or", "not", "in", "is", "null", "true", "false", *TEXT_TESTS}


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKENS.match(text, at)
        if match is None:
            rest = text[at:].lstrip()
            raise _error(text, f"{rest[:20]!r} is not understood", len(text) - len(rest))
        kind = str(match.lastgroup)
        part = match[kind]
        if kind == "sign":
            part = _SAME.get(part, part)
        if kind in ("sign", "name") and (part.lower() in _WORDS or kind == "sign"):
            kind, part = "sign", part.lower()
        found.append(_Token(kind, part, match.start(match.lastgroup or 0)))
        at = match.end()
    return [*found, _Token("end", "the end", len(text))]


def _error(text: str, reason: str, at: int) -> ExpressionError:
    shown = text if len(text) <= 200 else f"{text[:200]}..."
    return ExpressionError(
        f"The condition {shown!r} cannot be read: {reason}, at character {at + 1}.",
        hint="""as in "label in ['cat', 'dog'] and not (width < 100 or url contains 'draft')".""",
    )


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._next = 0
        self._depth = 0

    def whole(self) -> Condition:
        condition = self._condition()
        if self._token.kind != "end":
            raise self._unexpected("'and', 'or' or the end")
        return condition

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    def _take(self, *signs: str) -> str:
        """Return the next sign if it is one of these, and go on; else return nothing."""
        token = self._token
        if token.kind == "sign" and token.text in signs:
            self._next += 1
            return token.text
        return ""

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise self._unexpected(repr(sign))

    def _unexpected(self, wanted: str) -> ExpressionError:
        token = self._token
        return _error(self._text, f"there is {token.text!r} instead of {wanted}", token.at)

    def _condition(self) -> Condition:
        self._depth += 1
        if self._depth > _MOST_NESTED:
            raise _error(self._text, "it is nested too deep", self._token.at)
        found = self._all_of()
        while self._take("or"):
            found = Both("or", found, self._all_of())
        self._depth -= 1
        return found

    def _all_of(self) -> Condition:
        found = self._inverted()
        while self._take("and"):
            found = Both("and", found, self._inverted())
        return found

    def _inverted(self) -> Condition:
        times = 0
        while self._take("not"):
            times += 1
        found = self._single()
        return Not(found) if times % 2 else found

    def _single(self) -> Condition:
        token = self._token
        is_call = self._tokens[min(self._next + 1, len(self._tokens) - 1)].text == "("
        if token.kind == "name" and token.text in ("any", "all") and is_call:
            self._next += 1
            return Quantified(token.text, self._in_brackets())
        if token.text == "(" and token.kind == "sign":
            return self._in_brackets()
        return self._relation()

    def _in_brackets(self) -> Condition:
        self._expect("(")
        found = self._condition()
        self._expect(")")
        return found

    def _relation(self) -> Condition:
        operand = self._operand()
        if sign := self._take(*COMPARISONS):
            return self._comparisons(operand, sign)
        if self._take("is"):
            inverted = bool(self._take("not"))
            self._expect("null")
            return self._maybe_not(IsNull(operand), inverted)
        inverted = bool(self._take("not"))
        if self._take("in"):
            return self._maybe_not(IsIn(operand, self._list()), inverted)
        if test := self._take(*TEXT_TESTS):
            return self._maybe_not(TextTest(test, operand, self._string()), inverted)
        if inverted:
            raise self._unexpected("'in' or 'contains'")
        return IsTrue(operand)

    @staticmethod
    def _maybe_not(condition: Condition, inverted: bool) -> Condition:
        return Not(condition) if inverted else condition

    def _comparisons(self, left: Operand, sign: str) -> Condition:
        """Read the rest of ``a < b``, or of ``a < b <= c``, which is two of them."""
        right = self._operand()
        found: Condition = Compare(sign, left, right)
        while sign := self._take(*COMPARISONS):
            left, right = right, self._operand()
            found = Both("and", found, Compare(sign, left, right))
        return found

    def _operand(self) -> Operand:
        token = self._token
        if token.kind == "quoted":
            self._next += 1
            return Path(token.text[1:-1])
        if token.kind != "name":
            return Value(self._literal())
        self._next += 1
        if token.text in AGGREGATES and self._take("("):
            inner = self._operand()
            if not isinstance(inner, Path):
                self._next -= 1
                raise self._unexpected("a path")
            self._expect(")")
            return Aggregate(token.text, inner.path)
        return Path(token.text)

    def _list(self) -> tuple[Literal, ...]:
        end = {"[": "]", "(": ")"}.get(self._take("[", "("))
        if end is None:
            raise self._unexpected("'['")
        values = []
        while not self._take(end):
            values.append(self._literal())
            if self._take(end):
                break
            self._expect(",")
        return tuple(values)

    def _string(self) -> str:
        value = self._literal() if self._token.kind == "string" else None
        if not isinstance(value, str):
            raise self._unexpected("a text in quotes")
        return value

    def _literal(self) -> Literal:
        token = self._token
        self._next += 1
        if token.kind == "string":
            return re.sub(r"\\(.)", r"\1", token.text[1:-1], flags=re.DOTALL)
        if token.kind == "number":
            is_whole = re.fullmatch(r"[+-]?\d{1,4000}", token.text)
            return int(token.text) if is_whole else float(token.text)
        if token.text in ("true", "false") and token.kind == "sign":
            return token.text == "true"
        self._next -= 1
        raise self._unexpected("a column, a number or a text in quotes")
