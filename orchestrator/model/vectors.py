"""Expressions over columns of numbers: what `Expression.evaluate` does, for many inputs at once.

Where a single evaluation would be refused (a logarithm of zero, a division by zero, a number too
large) there is NaN, and it stays NaN.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]


def values_of(tree: ast.expr, columns: Mapping[str, Floats]) -> Floats:
    """The values of a checked tree; names and quantities are in base units.

    All columns have the same shape, which is that of the values.
    """
    arrays = {name: np.asarray(column, dtype=np.float64) for name, column in columns.items()}
    shape = np.broadcast_shapes(*(a.shape for a in arrays.values()))
    with np.errstate(all="ignore"):
        found = np.broadcast_to(_value(tree, arrays), shape)
        is_known = np.isfinite(found)
        for array in arrays.values():
            is_known = is_known & np.isfinite(array)
        return np.where(is_known, found, np.nan)


def _value(tree: ast.expr, columns: Mapping[str, Floats]) -> Floats:
    match tree:
        case ast.Name(id=name):
            return columns[name]
        case ast.Constant(value=float(value)):
            return np.float64(value)  # type: ignore[return-value]
        case ast.UnaryOp(op=op, operand=operand):
            inner = _value(operand, columns)
            return -inner if isinstance(op, ast.USub) else inner
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATORS[type(op)](_value(left, columns), _value(right, columns))
        case ast.Compare(left=left, ops=[sign], comparators=[right]):
            return _compared(sign, _value(left, columns), _value(right, columns))
        case ast.Call(func=ast.Name(id=name), args=args):
            values = [_value(arg, columns) for arg in args]
            if name in _OF_ONE:
                return _OF_ONE[name](values[0])
            return functools.reduce(_OF_MANY[name], values)
    raise TypeError(f"not a checked expression: {ast.dump(tree)}")


def _compared(sign: ast.cmpop, a: Floats, b: Floats) -> Floats:
    holds = _COMPARISONS[type(sign)](a, b)
    return np.where(np.isnan(a) | np.isnan(b), np.nan, holds)


def _divided(a: Floats, b: Floats) -> Floats:
    return np.where(b == 0, np.nan, np.divide(a, b))


def _power(a: Floats, b: Floats) -> Floats:
    raised = np.power(a, b)
    too_large = np.isinf(raised) & np.isfinite(a) & np.isfinite(b)
    is_unknown = np.isnan(a) | np.isnan(b)  # to the power of zero even that would be 1
    return np.where(too_large | is_unknown, np.nan, raised)


def _exp(a: Floats) -> Floats:
    raised = np.exp(a)
    return np.where(np.isinf(raised) & np.isfinite(a), np.nan, raised)


def _logarithm(function: Callable[[Floats], Floats]) -> Callable[[Floats], Floats]:
    return lambda a: np.where(a > 0, function(np.where(a > 0, a, 1.0)), np.nan)


_OPERATORS: Mapping[type, Callable[[Floats, Floats], Floats]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: _divided,
    ast.Pow: _power,
}
_COMPARISONS: Mapping[type, Callable[[Floats, Floats], NDArray[np.bool_]]] = {
    ast.Gt: np.greater,
    ast.Lt: np.less,
    ast.GtE: np.greater_equal,
    ast.LtE: np.less_equal,
}
_OF_MANY: Mapping[str, Callable[[Floats, Floats], Floats]] = {
    "min": np.minimum,
    "max": np.maximum,
}
_OF_ONE: Mapping[str, Callable[[Floats], Floats]] = {
    "log": _logarithm(np.log),
    "log10": _logarithm(np.log10),
    "exp": _exp,
    "sqrt": np.sqrt,
    "abs": np.abs,
}
