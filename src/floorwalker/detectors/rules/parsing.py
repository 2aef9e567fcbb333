"""From a condition's text to sqlglot's tree: words are checked before anything is parsed.

The parser sees only words of a short list, known names and known functions, and never more than the limits allow.
A subquery, a comment, a cast or a semicolon is refused by its first word.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import Token, Tokenizer, TokenType, exp
from sqlglot.errors import ErrorLevel, ParseError, SqlglotError
from sqlglot.parser import Parser

from floorwalker.detectors.rules.limits import Limits
from floorwalker.detectors.rules.schema import Schema
from floorwalker.registry import nearest_name

FUNCTIONS = ("abs", "coalesce", "greatest", "in_list", "least", "length", "lower", "starts_with")
"""What a condition may call."""

_WORDS = frozenset(
    {
        TokenType.IDENTIFIER, TokenType.NUMBER, TokenType.STRING, TokenType.L_PAREN, TokenType.R_PAREN,
        TokenType.COMMA, TokenType.AND, TokenType.OR, TokenType.NOT, TokenType.EQ, TokenType.NEQ, TokenType.LT,
        TokenType.LTE, TokenType.GT, TokenType.GTE, TokenType.BETWEEN, TokenType.IN, TokenType.IS, TokenType.NULL,
        TokenType.LIKE, TokenType.PLUS, TokenType.DASH, TokenType.STAR, TokenType.SLASH, TokenType.TRUE,
        TokenType.FALSE,
    }
)  # fmt: skip
_CONSTANTS = (TokenType.NUMBER, TokenType.STRING)
_SIGNS = (TokenType.NOT, TokenType.DASH)
_RECKONING = (TokenType.PLUS, TokenType.DASH, TokenType.STAR, TokenType.SLASH)
_JOINING = (TokenType.AND, TokenType.OR)
_MOST_OBJECTIONS = 20
_OPERATORS_SHOWN = "AND OR NOT = <> < <= > >= BETWEEN IN IS NULL LIKE + - * / ( ) and the functions"


@dataclass(frozen=True)
class Objection:
    """What is wrong at a character of a condition."""

    offset: int
    message: str


def parse_condition(text: str, schema: Schema, limits: Limits) -> exp.Expression | list[Objection]:
    """The tree of a condition that holds nothing but allowed words, or everything that speaks against it.

    >>> from floorwalker.detectors.rules.limits import DEFAULT_LIMITS
    >>> from floorwalker.detectors.rules.schema import make_schema
    >>> schema = make_schema(numbers=["amount_minor"])
    >>> parse_condition("amount_minor > 100", schema, DEFAULT_LIMITS).sql()
    'amount_minor > 100'
    >>> parse_condition("amont_minor > 100", schema, DEFAULT_LIMITS)
    [Objection(offset=0, message="unknown field or feature 'amont_minor' (did you mean 'amount_minor'?)")]
    """
    if len(text) > limits.condition_characters:
        return [
            Objection(0, f"the condition has {len(text)} characters, allowed: {limits.condition_characters}"),
        ]
    try:
        tokens = Tokenizer().tokenize(text)
    except SqlglotError as error:
        return [Objection(0, f"cannot be read: {str(error).splitlines()[0]}")]
    if not tokens:
        return [Objection(0, "the condition is empty")]
    objections = _check_size(tokens, limits) or _check_words(tokens, schema, limits)
    if objections:
        return objections
    try:
        trees = Parser(error_level=ErrorLevel.IMMEDIATE).parse_into(exp.Condition, tokens, text)
    except ParseError as error:
        details = error.errors[0] if error.errors else {}
        said = str(details.get("description") or error).splitlines()[0]
        if said.startswith("Required keyword"):
            said = "something is missing beside this word"
        return [Objection(_error_offset(text, details), f"not a condition: {said}")]
    except (SqlglotError, RecursionError) as error:
        return [Objection(0, f"not a condition: {error}")]
    tree = trees[0]
    if tree is None:
        return [Objection(0, "the condition is empty")]
    assert isinstance(tree, exp.Expression)
    return tree


def _check_size(tokens: list[Token], limits: Limits) -> list[Objection]:
    if len(tokens) > limits.tokens:
        return [Objection(tokens[limits.tokens].start, f"more than {limits.tokens} words and signs")]
    for what, kinds, most in (
        ("signs of arithmetic", _RECKONING, limits.operators), ("AND and OR", _JOINING, 2 * limits.terms),
    ):  # fmt: skip
        of_kind = [token for token in tokens if token.token_type in kinds]
        if len(of_kind) > most:
            return [Objection(of_kind[most].start, f"more than {most} {what}")]
    depth = 0
    signs = 0
    for token in tokens:
        signs = signs + 1 if token.token_type in _SIGNS else 0
        if token.token_type == TokenType.L_PAREN:
            depth += 1
        elif token.token_type == TokenType.R_PAREN:
            depth -= 1
        if depth > limits.depth or signs > limits.depth:
            return [Objection(token.start, f"nested deeper than {limits.depth} levels")]
    return []


def _check_words(tokens: list[Token], schema: Schema, limits: Limits) -> list[Objection]:
    objections: list[Objection] = []
    for place, token in enumerate(tokens):
        if len(objections) >= _MOST_OBJECTIONS:
            break
        if token.comments:
            message = "comments are not allowed in a condition; write them as # lines of the file"
            objections.append(Objection(token.start, message))
        following = tokens[place + 1].token_type if place + 1 < len(tokens) else None
        if token.token_type in _CONSTANTS:
            if len(token.text) > limits.text_characters:
                message = f"a constant of {len(token.text)} characters, allowed: {limits.text_characters}"
                objections.append(Objection(token.start, message))
            continue
        if token.token_type in _WORDS and token.token_type != TokenType.IDENTIFIER:
            continue
        quoted = token.token_type == TokenType.IDENTIFIER
        if not quoted and following == TokenType.L_PAREN and (token.text[:1].isalpha() or token.text[:1] == "_"):
            if token.text.lower() in FUNCTIONS:
                # What the lexer takes for a keyword of another dialect is an ordinary word here.
                token.token_type = TokenType.VAR
            else:
                objections.append(Objection(token.start, _unknown("function", token.text, list(FUNCTIONS))))
        elif token.text in schema:
            if not quoted:
                token.token_type = TokenType.VAR
        elif quoted or token.token_type == TokenType.VAR:
            objections.append(Objection(token.start, _unknown("field or feature", token.text, list(schema))))
        else:
            shown = token.text[:20] or token.token_type.name
            close = nearest_name(token.text.lower()[:80], list(schema)) if token.text.isidentifier() else None
            hint = f" (did you mean {close!r}?)" if close else ""
            objections.append(Objection(token.start, f"{shown!r} is not allowed{hint}; allowed: {_OPERATORS_SHOWN}"))
    return objections


def _unknown(what: str, given: str, known: list[str]) -> str:
    shown = given if len(given) <= 80 else f"{given[:80]}…"
    close = nearest_name(given.lower()[:80], known)
    if close is not None:
        return f"unknown {what} {shown!r} (did you mean {close!r}?)"
    return f"unknown {what} {shown!r}" + (f"; allowed: {', '.join(known)}" if len(known) <= 12 else "")


def _error_offset(text: str, details: dict[str, object]) -> int:
    line, column, highlight = details.get("line"), details.get("col"), details.get("highlight")
    if not isinstance(line, int) or not isinstance(column, int):
        return 0
    lines = text.splitlines(keepends=True)
    # sqlglot names the last character of the word.
    start = sum(len(one) for one in lines[: line - 1]) + column - len(str(highlight or " "))
    return max(0, min(start, len(text) - 1))
