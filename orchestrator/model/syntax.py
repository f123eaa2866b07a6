"""What an expression may be made of, and what dimension it has.

`read` turns a text into a tree of arithmetic on known names, or refuses it; `unit_of` finds the
unit of a tree's value from the units of its names. Nothing is evaluated here but constants.

A quantity stands in quotes, `'5 K/min'`; where its unit is one word the quotes may be left out,
`20 min`. In the tree it is a constant in base units, whose `kind` is what was written.
"""

from __future__ import annotations

import ast
import copy
import keyword
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from orchestrator.errors import InputError, UnitMismatch, UnknownName, UnsafeExpression
from orchestrator.model.quantity import (
    check_unit,
    dimension,
    has_offset,
    parse_quantity,
    to_base_units,
)

TEXT = "text"
"""In place of a unit: the name stands for a word. It may be passed on, not computed with."""
SERIES = "series"
"""In place of a unit: the name stands for a list of numbers, which no expression takes."""

ARITY: Mapping[str, tuple[int, int]] = {
    "log": (1, 1),
    "log10": (1, 1),
    "exp": (1, 1),
    "sqrt": (1, 1),
    "abs": (1, 1),
    "min": (2, 20),
    "max": (2, 20),
}
"""What an expression may call, with the least and greatest number of arguments."""

_MAX_LENGTH, _MAX_NODES, _MAX_POWER = 500, 150, 16.0
_PLAIN_QUANTITY = re.compile(
    r"""('[^']*'|"[^"]*")|(?<![\w.])((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s+([^\W\d]\w*|%)"""
)
_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)
_COMPARISONS = (ast.Gt, ast.Lt, ast.GtE, ast.LtE)
_NOT_ARITHMETIC: Mapping[type, str] = {
    ast.Lambda: "it defines a function",
    ast.ListComp: "it contains a loop",
    ast.SetComp: "it contains a loop",
    ast.DictComp: "it contains a loop",
    ast.GeneratorExp: "it contains a loop",
    ast.Subscript: "it takes a part out of something",
    ast.NamedExpr: "it assigns a name",
    ast.JoinedStr: "it contains a text",
    ast.Await: "it waits",
    ast.Starred: "it unpacks something",
}


def read(text: str, known: Mapping[str, str]) -> ast.expr:
    """The tree of an expression: numbers are floats, dotted names are single names.

    Raises:
        InputError: it is not an expression.
        UnsafeExpression: it does more than arithmetic.
        UnknownName: it uses a name that is not in `known`.
    """
    if len(text) > _MAX_LENGTH:
        raise UnsafeExpression(text[:40] + " ...", f"it is longer than {_MAX_LENGTH} characters")
    try:
        tree = ast.parse(_quoted(text.strip()), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise InputError(f"'{text}' is not an expression", hint="such as '2 * width'") from None
    if sum(1 for _ in ast.walk(tree)) > _MAX_NODES:
        raise UnsafeExpression(text, "it has too many parts")
    return _Reader(text, known).tree(tree)


def _quoted(text: str) -> str:
    """With quotes around quantities that lack them: a number, a space, one word."""

    def quoted(match: re.Match[str]) -> str:
        is_plain = match[1] is None and not keyword.iskeyword(match[3])
        return f"'{match[2]} {match[3]}'" if is_plain else match[0]

    return _PLAIN_QUANTITY.sub(quoted, text)


@dataclass(frozen=True)
class _Reader:
    text: str
    known: Mapping[str, str]

    def tree(self, node: ast.expr) -> ast.expr:
        match node:
            case ast.Constant():
                return self._constant(node)
            case ast.Name() | ast.Attribute():
                return self._name(node)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
                return ast.UnaryOp(node.op, self.tree(node.operand))
            case ast.BinOp():
                return self._binary(node)
            case ast.Compare():
                return self._comparison(node)
            case ast.Call():
                return self._call(node)
        raise self._refused(_NOT_ARITHMETIC.get(type(node), "it is not arithmetic"))

    def _constant(self, node: ast.Constant) -> ast.expr:
        if isinstance(node.value, str) and node.kind is None:
            return self._quantity(node.value)
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            raise self._refused("it contains something that is neither a number nor a name")
        try:
            value = float(node.value)
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            raise self._refused("it contains a number that is too large")
        return ast.Constant(value)

    def _quantity(self, text: str) -> ast.expr:
        try:
            number, unit = parse_quantity(text)
        except InputError:
            raise self._refused(f"'{text}' in it is neither a number nor a name") from None
        check_unit(unit)
        slope, offset = to_base_units(unit)
        value = slope * number + offset
        if not math.isfinite(value):
            raise self._refused("it contains a number that is too large")
        return ast.Constant(value, kind=text if unit else None)

    def _name(self, node: ast.expr) -> ast.expr:
        name = self._dotted(node)
        if name not in self.known:
            error = UnknownName("name that can be used here", name, self.known)
            inner = [n for n in self.known if n.startswith(name + ".")]
            if inner:
                error.hint = f"'{name}' has: {', '.join(inner)}"
            raise error
        return ast.Name(name, ast.Load())

    def _dotted(self, node: ast.expr) -> str:
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            raise self._refused("it takes a part out of something that has no name")
        parts.append(node.id)
        if any(part.startswith("_") for part in parts):
            raise self._refused("a name in it begins with '_'")
        return ".".join(reversed(parts))

    def _binary(self, node: ast.BinOp) -> ast.expr:
        if not isinstance(node.op, _OPERATORS):
            why = "write ** for a power" if isinstance(node.op, ast.BitXor) else "unknown operator"
            raise self._refused(why)
        left, right = self.tree(node.left), self.tree(node.right)
        if isinstance(node.op, ast.Pow):
            exponent = constant(right)
            if exponent is not None and not abs(exponent) <= _MAX_POWER:
                raise self._refused(f"a power is greater than {_MAX_POWER:g}")
        if isinstance(node.op, ast.Div) and constant(right) == 0:
            raise self._refused("it divides by zero")
        return ast.BinOp(left, node.op, right)

    def _comparison(self, node: ast.Compare) -> ast.expr:
        if len(node.ops) != 1 or not isinstance(node.ops[0], _COMPARISONS):
            raise self._refused("only one of <, <=, >, >= compares two numbers")
        return ast.Compare(self.tree(node.left), node.ops, [self.tree(node.comparators[0])])

    def _call(self, node: ast.Call) -> ast.expr:
        if not isinstance(node.func, ast.Name) or node.func.id not in ARITY:
            raise self._refused(f"it calls '{ast.unparse(node.func)}'")
        low, high = ARITY[node.func.id]
        if node.keywords or not low <= len(node.args) <= high:
            raise self._refused(
                f"'{node.func.id}' takes {low}{' or more' if high > low else ''} numbers"
            )
        return ast.Call(node.func, [self.tree(a) for a in node.args], [])

    def _refused(self, why: str) -> UnsafeExpression:
        return UnsafeExpression(self.text, why)


def names_in(tree: ast.expr) -> tuple[str, ...]:
    """The names that a tree uses, without its functions, each once, in their order."""
    found: dict[str, None] = {}
    nodes = [tree]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Name):
            found[node.id] = None
        skipped = node.func if isinstance(node, ast.Call) else None
        inner = [n for n in ast.iter_child_nodes(node) if isinstance(n, ast.expr)]
        nodes.extend(n for n in reversed(inner) if n is not skipped)
    return tuple(found)


class _Written(ast.NodeTransformer):
    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return node if node.kind is None else ast.Name(node.kind, ast.Load())


def as_written(tree: ast.expr) -> str:
    """A part of an expression as text, with its quantities as they were written."""
    return ast.unparse(_Written().visit(copy.deepcopy(tree)))


def constant(tree: ast.expr) -> float | None:
    """The value of a tree of plain numbers; None where it has names, quantities or calls."""
    match tree:
        case ast.Constant(value=float(value), kind=None):
            return value
        case ast.UnaryOp(op=op, operand=operand):
            inner = constant(operand)
            return inner if inner is None or isinstance(op, ast.UAdd) else -inner
        case ast.BinOp(left=left, op=op, right=right):
            a, b = constant(left), constant(right)
            return None if a is None or b is None else _folded(op, a, b)
    return None


def _folded(op: ast.operator, a: float, b: float) -> float:
    folds: Mapping[type, Callable[[], float]] = {
        ast.Add: lambda: a + b,
        ast.Sub: lambda: a - b,
        ast.Mult: lambda: a * b,
        ast.Div: lambda: a / b,
        ast.Pow: lambda: float(a**b),
    }
    try:
        return folds[type(op)]()
    except (ArithmeticError, TypeError):
        return math.nan


@dataclass(frozen=True)
class Kind:
    """Dimension of a (part of an) expression, as exponents of base dimensions.

    `unit` is how it reads. `zeros` counts how often the zero point of an offset unit (degC) is in
    it: once in a temperature or a mean of two, never in a difference; NaN where that is unclear.
    """

    powers: tuple[tuple[str, float], ...] = ()
    unit: str = ""
    zeros: float = 0.0


def unit_of(tree: ast.expr, text: str, units: Mapping[str, str]) -> Kind:
    """The dimension of an expression.

    Raises:
        UnknownName: a unit does not exist.
        UnitMismatch: two units do not fit together, or a function needs a plain number.
        InputError: a text or a list is computed with.
    """
    return _Dimensions(text, units).of(tree)


@dataclass(frozen=True)
class _Dimensions:
    text: str
    units: Mapping[str, str]

    def of(self, node: ast.expr) -> Kind:
        match node:
            case ast.Name(id=name):
                return self._of_unit(self._unit(name))
            case ast.Constant(kind=str(written)):
                return self._of_unit(parse_quantity(written)[1])
            case ast.UnaryOp(op=op, operand=operand):
                inner = self.of(operand)
                return replace(inner, zeros=-inner.zeros) if isinstance(op, ast.USub) else inner
            case ast.BinOp():
                return self._of_binary(node)
            case ast.Compare(left=left, comparators=[right]):
                self._alike([left, right])
                return Kind()
            case ast.Call(func=ast.Name(id=function), args=args):
                return self._of_call(function, args)
        return Kind()

    def _unit(self, name: str) -> str:
        unit = self.units[name]
        if unit in (TEXT, SERIES):
            what = "a text" if unit == TEXT else "a list of numbers"
            is_of_pool = unit == TEXT and "." in name
            hint = "a pool's number is named under its `columns`, with its unit"
            raise InputError(
                f"'{name}' in '{self.text}' is {what}, which cannot be computed with",
                hint=hint if is_of_pool else "",
            )
        return unit

    def _of_unit(self, unit: str) -> Kind:
        return Kind(dimension(unit), unit, 1.0 if has_offset(unit) else 0.0)

    def _of_binary(self, node: ast.BinOp) -> Kind:
        match node.op:
            case ast.Add() | ast.Sub():
                left, right = self._alike([node.left, node.right])
                zeros = right.zeros if isinstance(node.op, ast.Add) else -right.zeros
                return replace(left, unit=left.unit or right.unit, zeros=left.zeros + zeros)
            case ast.Pow():
                return self._of_power(node)
        left, right = self.of(node.left), self.of(node.right)
        sign, symbol = (1, "*") if isinstance(node.op, ast.Mult) else (-1, "/")
        powers = dict(left.powers)
        for name, power in right.powers:
            powers[name] = round(powers.get(name, 0.0) + sign * power, 9)
        unit = left.unit if not right.unit else f"{left.unit or 1}{symbol}{_grouped(right.unit)}"
        if sign == 1 and not left.unit:
            unit = right.unit
        return Kind(_sorted(powers), unit, self._zeros(node, left, right, sign))

    def _zeros(self, node: ast.BinOp, left: Kind, right: Kind, sign: int) -> float:
        if not (left.zeros or right.zeros):
            return 0.0
        a, b = constant(node.left), constant(node.right)
        if b:
            return left.zeros * b**sign
        return right.zeros * a if a is not None and sign == 1 else math.nan

    def _of_power(self, node: ast.BinOp) -> Kind:
        base, exponent = self.of(node.left), constant(node.right)
        if exponent is None or not base.powers:
            self._plain(node.left)
            self._plain(node.right)
            return Kind()
        powers = {name: round(power * exponent, 9) for name, power in base.powers}
        zeros = math.nan if base.zeros else 0.0
        return Kind(_sorted(powers), f"{_grouped(base.unit)}**{exponent:g}", zeros)

    def _of_call(self, function: str, args: list[ast.expr]) -> Kind:
        if function in ("log", "log10", "exp"):
            return self._plain(args[0])
        if function == "sqrt":
            return self._of_power(ast.BinOp(args[0], ast.Pow(), ast.Constant(0.5)))
        kinds = self._alike(args)
        zeros = {kind.zeros for kind in kinds}
        return replace(kinds[0], zeros=kinds[0].zeros if len(zeros) == 1 else math.nan)

    def _plain(self, node: ast.expr) -> Kind:
        kind = self.of(node)
        if kind.powers:
            what = f"'{as_written(node)}' in '{self.text}'"
            raise UnitMismatch(what, kind.unit, "")
        return Kind()

    def _alike(self, nodes: list[ast.expr]) -> list[Kind]:
        kinds = [self.of(node) for node in nodes]
        for node, kind in zip(nodes, kinds, strict=True):
            if kind.powers != kinds[0].powers:
                what = f"'{as_written(node)}' in '{self.text}'"
                raise UnitMismatch(what, kind.unit, kinds[0].unit)
        if not kinds[0].powers:
            scaled = (k.unit for k in kinds if k.unit and to_base_units(k.unit)[0] != 1)
            self._refuse_bare(nodes, next(scaled, ""))
        return kinds

    def _refuse_bare(self, nodes: list[ast.expr], unit: str) -> None:
        """A number is not added to or compared with degrees or per cent: is 45 meant in these, or
        in radians? Zero is the same in both."""
        for number in map(constant, nodes) if unit else ():
            if number:
                raise UnitMismatch(f"'{number:g}' in '{self.text}'", "", unit)


def _grouped(unit: str) -> str:
    return f"({unit})" if any(c in unit for c in "*/") else unit


def _sorted(powers: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    return tuple(sorted((name, power) for name, power in powers.items() if power))
