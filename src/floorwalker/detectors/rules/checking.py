"""From sqlglot's tree to a checked condition: only whitelisted nodes, every operand of the right kind."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from sqlglot import exp

from floorwalker.detectors.rules import terms
from floorwalker.detectors.rules.limits import Limits
from floorwalker.detectors.rules.parsing import Objection, parse_condition
from floorwalker.detectors.rules.schema import Kind, Schema
from floorwalker.registry import nearest_name

_RECKONING: dict[type[exp.Expression], str] = {
    exp.Add: "add", exp.Sub: "subtract", exp.Mul: "multiply", exp.Div: "divide",
}  # fmt: skip
_FOLDED: dict[type[exp.Expression], str] = {exp.Least: "least", exp.Greatest: "greatest", exp.Coalesce: "coalesce"}
_CONDITION_NODES = (
    exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Between, exp.In, exp.Is, exp.Like,
    exp.StartsWith, exp.Anonymous,
)  # fmt: skip
_TURNED: dict[type[exp.Expression], tuple[bool, bool]] = {
    # Whether the sides change places, and whether equality holds.
    exp.LT: (False, False), exp.LTE: (False, True), exp.GT: (True, False), exp.GTE: (True, True),
}  # fmt: skip
_PLAIN_ARGUMENTS = frozenset(
    {"this", "expression", "expressions", "low", "high", "is_string", "quoted", "is_nvl", "ignore_nulls", "negate"}
)
"""What nodes of the language consist of; anything else is a refinement that SQL knows and this language does not."""

Operand: TypeAlias = terms.Column | terms.Constant | terms.Length | terms.Reckoning | terms.Text


def check_condition(
    text: str, schema: Schema, limits: Limits, lists: tuple[str, ...]
) -> terms.Condition | list[Objection]:
    """A condition whose every node is allowed and of the right kind, or everything that speaks against it.

    Parameters
    ----------
    text : the condition.
    schema : the names it may use.
    limits : how large it may be.
    lists : names of lists that `in_list` may ask.

    >>> from floorwalker.detectors.rules.limits import DEFAULT_LIMITS
    >>> from floorwalker.detectors.rules.schema import make_schema
    >>> schema = make_schema(numbers=["amount_minor"], texts=["country"])
    >>> check_condition("country > 5", schema, DEFAULT_LIMITS, ())
    [Objection(offset=0, message='a text where a number belongs: country')]
    """
    tree = parse_condition(text, schema, limits)
    if isinstance(tree, list):
        return tree
    return _Checker(schema, limits, lists).check(tree)


class _RefusalError(Exception):
    def __init__(self, node: exp.Expression, message: str) -> None:
        super().__init__(message)
        self.node = node


class _Checker:
    def __init__(self, schema: Schema, limits: Limits, lists: tuple[str, ...]) -> None:
        self.schema = schema
        self.limits = limits
        self.lists = lists
        self.objections: list[Objection] = []
        self.count = 0

    def check(self, tree: exp.Expression) -> terms.Condition | list[Objection]:
        for node in tree.walk():
            if any(value for key, value in node.args.items() if key not in _PLAIN_ARGUMENTS):
                return [Objection(_offset(node), f"not allowed: {_shown(node)}")]
        condition = self.condition(tree)
        if self.count > self.limits.terms:
            self.objections.append(Objection(0, f"{self.count} comparisons, allowed: {self.limits.terms}"))
        if self.objections or condition is None:
            return self.objections
        return condition

    # Conditions. A refusal inside one part does not hide the faults of the others.

    def condition(self, node: exp.Expression) -> terms.Condition | None:
        if isinstance(node, exp.Paren):
            return self.condition(node.this)
        if isinstance(node, exp.And | exp.Or):
            left, right = self.condition(node.this), self.condition(node.expression)
            if left is None or right is None:
                return None
            return terms.Both(left, right) if isinstance(node, exp.And) else terms.Either(left, right)
        if isinstance(node, exp.Not):
            inner = self.condition(node.this)
            return None if inner is None else terms.Not(inner)
        self.count += 1
        try:
            term = self.term(node)
            # "a NOT LIKE 'x'" is one node with a mark, where "NOT a LIKE 'x'" is two.
            return terms.Not(term) if node.args.get("negate") else term
        except _RefusalError as refusal:
            self.objections.append(Objection(_offset(refusal.node), str(refusal)))
            return None

    def term(self, node: exp.Expression) -> terms.Condition:
        if isinstance(node, exp.EQ):
            return self.equality(node)
        if isinstance(node, exp.NEQ):
            return terms.Not(self.equality(node))
        if type(node) in _TURNED:
            turn, or_equal = _TURNED[type(node)]
            left, right = self.pair(node, node.this, node.expression)
            return terms.Less(right, left, or_equal) if turn else terms.Less(left, right, or_equal)
        if isinstance(node, exp.Between):
            return self.between(node)
        if isinstance(node, exp.In):
            return self.membership(node)
        if isinstance(node, exp.Is):
            return self.missing(node)
        if isinstance(node, exp.Like):
            return self.like(node)
        if isinstance(node, exp.StartsWith):
            pattern = _constant_text(node.expression)
            return terms.TextLike(self.text_of_fields(node.this), "prefix", pattern)
        if isinstance(node, exp.Anonymous):
            return self.listed(node)
        operand = self.operand(node)
        if isinstance(operand, terms.Text):
            raise _RefusalError(node, f"a text where a condition belongs: {_shown(node)}")
        if not _has_field(operand):
            raise _RefusalError(node, f"a constant where a condition belongs: {_shown(node)}")
        # A number by itself is a flag: true unless it is zero, unknown where it is missing.
        return terms.Not(terms.Equal(operand, terms.Constant(0.0)))

    def equality(self, node: exp.Expression) -> terms.Condition:
        left, right = self.operand(node.this), self.operand(node.expression)
        if isinstance(left, terms.Text) and isinstance(right, terms.Text):
            if _is_constant_text(left) and _is_constant_text(right):
                raise _RefusalError(node, f"compares two constants: {_shown(node)}")
            if _is_constant_text(right):
                return terms.TextIn(left, (right.pieces[0].value,))
            if _is_constant_text(left):
                return terms.TextIn(right, (left.pieces[0].value,))
            first, second = sorted((left, right), key=repr)
            return terms.SameText(first, second)
        first_number, second_number = self.pair(node, node.this, node.expression)
        # Equality has no sides: one order, so that equal terms are one.
        if repr(first_number) > repr(second_number):
            first_number, second_number = second_number, first_number
        return terms.Equal(first_number, second_number)

    def pair(self, node: exp.Expression, left: exp.Expression, right: exp.Expression) -> tuple[terms.Number, ...]:
        first, second = self.number(left), self.number(right)
        if not _has_field(first) and not _has_field(second):
            raise _RefusalError(node, f"compares two constants: {_shown(node)}")
        return _rounded_alike(first, second)

    def between(self, node: exp.Between) -> terms.Condition:
        self.count += 1
        low, value = self.pair(node, node.args["low"], node.this)
        also_value, high = self.pair(node, node.this, node.args["high"])
        return terms.Both(terms.Less(low, value, or_equal=True), terms.Less(also_value, high, or_equal=True))

    def membership(self, node: exp.In) -> terms.Condition:
        values = node.expressions
        if not values:
            raise _RefusalError(node, "IN takes a list of constants, such as IN ('DE', 'FR')")
        if len(values) > self.limits.list_values:
            raise _RefusalError(
                node, f"a list of {len(values)} values, allowed: {self.limits.list_values}; use in_list"
            )
        operand = self.operand(node.this)
        if isinstance(operand, terms.Text):
            if _is_constant_text(operand):
                raise _RefusalError(node, f"compares constants: {_shown(node)}")
            return terms.TextIn(operand, tuple(sorted({_constant_text(value) for value in values})))
        if not _has_field(operand):
            raise _RefusalError(node, f"compares constants: {_shown(node)}")
        numbers = []
        for value in values:
            number = self.number(value)
            if isinstance(number, terms.Reckoning) and number.operator == "negate":
                number = terms.Constant(-number.left.value) if isinstance(number.left, terms.Constant) else number
            if not isinstance(number, terms.Constant):
                raise _RefusalError(value, f"IN takes constants only: {_shown(value)}")
            _, rounded = _rounded_alike(operand, number)
            assert isinstance(rounded, terms.Constant)
            numbers.append(rounded.value)
        return terms.InNumbers(_rounded_alike(operand, operand)[0], tuple(sorted(set(numbers))))

    def missing(self, node: exp.Is) -> terms.Condition:
        negated = isinstance(node.expression, exp.Not)
        of = node.expression.this if negated else node.expression
        if not isinstance(of, exp.Null):
            raise _RefusalError(node, f"IS takes NULL only: {_shown(node)}; compare with = instead")
        operand = self.operand(node.this)
        condition: terms.Condition
        if isinstance(operand, terms.Text):
            if _is_constant_text(operand):
                raise _RefusalError(node, "a constant is never missing")
            condition = terms.TextMissing(operand)
        elif not _has_field(operand):
            raise _RefusalError(node, "a constant is never missing")
        else:
            condition = terms.NumberMissing(operand)
        return terms.Not(condition) if negated else condition

    def like(self, node: exp.Like) -> terms.Condition:
        text = self.text_of_fields(node.this)
        pattern = _constant_text(node.expression)
        wildcards = pattern.count("%") + pattern.count("_")
        if wildcards > self.limits.wildcards:
            raise _RefusalError(node, f"a pattern with {wildcards} wildcards, allowed: {self.limits.wildcards}")
        inner = pattern.strip("%")
        if wildcards == 0:
            return terms.TextIn(text, (pattern,))
        if "%" not in inner and "_" not in inner:
            opened, closed = pattern.startswith("%"), pattern.endswith("%")
            kind = "contains" if opened and closed else "suffix" if opened else "prefix"
            return terms.TextLike(text, kind, inner)
        return terms.TextLike(text, "like", pattern)

    def listed(self, node: exp.Anonymous) -> terms.Condition:
        if node.name.lower() != "in_list" or len(node.expressions) != 2:
            raise _RefusalError(node, f"{node.name} takes a list and a field, such as in_list('deny', device)")
        name = _constant_text(node.expressions[0])
        if name not in self.lists:
            close = nearest_name(name[:80], list(self.lists))
            hint = f" (did you mean {close!r}?)" if close else f"; allowed: {', '.join(self.lists) or 'none'}"
            raise _RefusalError(node, f"unknown list {name[:80]!r}{hint}")
        field = node.expressions[1]
        while isinstance(field, exp.Paren):
            field = field.this
        if not isinstance(field, exp.Column) or self.schema.get(field.name) != Kind.TEXT:
            raise _RefusalError(node, f"in_list takes a text field: {_shown(node)}")
        return terms.TextListed(name, field.name)

    # Operands.

    def number(self, node: exp.Expression) -> terms.Number:
        operand = self.operand(node)
        if isinstance(operand, terms.Text):
            raise _RefusalError(node, f"a text where a number belongs: {_shown(node)}")
        return operand

    def text_of_fields(self, node: exp.Expression) -> terms.Text:
        operand = self.operand(node)
        if not isinstance(operand, terms.Text):
            raise _RefusalError(node, f"a number where a text belongs: {_shown(node)}")
        if _is_constant_text(operand):
            raise _RefusalError(node, f"a constant where a text field belongs: {_shown(node)}")
        return operand

    def operand(self, node: exp.Expression) -> Operand:
        if isinstance(node, exp.Paren):
            return self.operand(node.this)
        if isinstance(node, exp.Column):
            return self.column(node)
        if isinstance(node, exp.Literal):
            return _constant(node)
        if isinstance(node, exp.Boolean):
            return terms.Constant(1.0 if node.this else 0.0)
        if isinstance(node, exp.Null):
            raise _RefusalError(node, "NULL stands only in IS NULL and IS NOT NULL")
        if type(node) in _RECKONING:
            return terms.Reckoning(_RECKONING[type(node)], self.number(node.this), self.number(node.expression))
        if isinstance(node, exp.Neg):
            inner = self.number(node.this)
            if isinstance(inner, terms.Constant):
                return terms.Constant(-inner.value)
            return terms.Reckoning("negate", inner, terms.NOTHING)
        if isinstance(node, exp.Abs):
            inner = self.number(node.this)
            return terms.Reckoning("abs", inner, terms.NOTHING)
        if isinstance(node, exp.Length):
            return terms.Length(self.text_of_fields(node.this))
        if isinstance(node, exp.Lower):
            return self.lowered(node)
        if type(node) in _FOLDED:
            return self.folded(node)
        what = "a condition" if isinstance(node, _CONDITION_NODES) else "this"
        raise _RefusalError(node, f"{what} is not allowed here: {_shown(node)}")

    def column(self, node: exp.Column) -> Operand:
        if node.table or node.name not in self.schema:
            raise _RefusalError(node, f"unknown field or feature {_shown(node)!r}")
        kind = self.schema[node.name]
        if kind == Kind.TEXT:
            return terms.Text((terms.Piece(node.name, constant=False, lowered=False),))
        return terms.Column(node.name, feature=kind == Kind.FEATURE)

    def lowered(self, node: exp.Lower) -> terms.Text:
        text = self.text_of_fields(node.this)
        return terms.Text(tuple(terms.Piece(one.value, one.constant, lowered=True) for one in text.pieces))

    def folded(self, node: exp.Expression) -> Operand:
        operator = _FOLDED[type(node)]
        parts = (node.this, *node.expressions)
        if not 2 <= len(parts) <= self.limits.arguments:
            raise _RefusalError(node, f"{operator} of {len(parts)} values, allowed: 2 to {self.limits.arguments}")
        operands = [self.operand(part) for part in parts]
        texts = [one for one in operands if isinstance(one, terms.Text)]
        if texts:
            if operator != "coalesce" or len(texts) != len(operands):
                raise _RefusalError(
                    node,
                    f"{operator} of texts and numbers, allowed: numbers only"
                    + (", or texts only" if operator == "coalesce" else ""),
                )
            return terms.Text(tuple(piece for text in texts for piece in text.pieces))
        numbers = [one for one in operands if not isinstance(one, terms.Text)]
        folded = numbers[0]
        for number in numbers[1:]:
            folded = terms.Reckoning(operator, folded, number)
        return folded


def _constant(node: exp.Literal) -> Operand:
    if node.is_string:
        return terms.Text((terms.Piece(node.this, constant=True, lowered=False),))
    try:
        value = float(node.this)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise _RefusalError(node, f"not a number that can be reckoned with: {node.this[:40]}")
    return terms.Constant(value)


def _constant_text(node: exp.Expression) -> str:
    if isinstance(node, exp.Literal) and node.is_string:
        return str(node.this)
    raise _RefusalError(node, f"a text constant belongs here: {_shown(node)}")


def _is_constant_text(text: terms.Text) -> bool:
    return all(piece.constant for piece in text.pieces)


def _has_field(number: terms.Number) -> bool:
    if isinstance(number, terms.Reckoning):
        return _has_field(number.left) or _has_field(number.right)
    return not isinstance(number, terms.Constant)


def _rounded_alike(*numbers: terms.Number) -> tuple[terms.Number, ...]:
    # Features are float32: seven refunds of ten are 0.69999999, and an analyst's 0.7 must mean the same number.
    if any(map(_has_feature, numbers)) and all(map(_keeps_precision, numbers)):
        return tuple(map(_rounded, numbers))
    return numbers


def _has_feature(number: terms.Number) -> bool:
    if isinstance(number, terms.Reckoning):
        return _has_feature(number.left) or _has_feature(number.right)
    return isinstance(number, terms.Column) and number.feature


def _keeps_precision(number: terms.Number) -> bool:
    if isinstance(number, terms.Reckoning):
        exact = number.operator in ("negate", "abs", "least", "greatest", "coalesce")
        return exact and _keeps_precision(number.left) and _keeps_precision(number.right)
    return isinstance(number, terms.Constant) or (isinstance(number, terms.Column) and number.feature)


def _rounded(number: terms.Number) -> terms.Number:
    if isinstance(number, terms.Reckoning):
        return terms.Reckoning(number.operator, _rounded(number.left), _rounded(number.right))
    if isinstance(number, terms.Constant) and abs(number.value) < 3e38:
        return terms.Constant(float(np.float32(number.value)))
    return number


def _offset(node: exp.Expr) -> int:
    """Where the node's first word stands; sqlglot notes it for names and functions only."""
    here: exp.Expr | None = node
    while here is not None:
        found = [inner.meta["start"] for inner in here.find_all(exp.Identifier, exp.Func) if "start" in inner.meta]
        if found:
            return int(min(found))
        here = here.parent
    return 0


def _shown(node: exp.Expr) -> str:
    text = node.sql()
    return text if len(text) <= 80 else f"{text[:80]}…"
