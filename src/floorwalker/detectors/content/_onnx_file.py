"""Writes an ONNX file without the `onnx` package: serving needs ONNX Runtime alone, also on the first start.

Only what a transformer encoder needs: nodes with whole-number, float and list attributes, plain tensors, shapes by
name. Field numbers are those of `onnx.proto` (ONNX IR version 9).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TYPES = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6, "int64": 7, "float16": 10}
IR_VERSION = 9
OPSET = 20


class Graph:
    """A graph under construction.

    >>> graph = Graph(inputs={"x": ("float32", ("n",))}, outputs={"y": ("float32", ("n",))})
    >>> graph.node("Add", "x", graph.constant("one", np.ones(1, np.float32)), name="y")
    'y'
    >>> len(graph.encode()) > 50
    True
    """

    def __init__(
        self,
        *,
        inputs: Mapping[str, tuple[str, Sequence[str | int]]],
        outputs: Mapping[str, tuple[str, Sequence[str | int]]],
    ) -> None:
        self._inputs, self._outputs = inputs, outputs
        self._nodes: list[bytes] = []
        self._constants: list[bytes] = []
        self._count = 0

    def constant(self, name: str, values: NDArray[Any]) -> str:
        """Add a tensor; returns its name."""
        tensor = b"".join(_number(1, size) for size in values.shape)
        tensor += _number(2, _TYPES[values.dtype.name]) + _text(8, name)
        self._constants.append(tensor + _bytes(9, np.ascontiguousarray(values).tobytes()))
        return name

    def node(self, kind: str, *inputs: str, name: str = "", outputs: Sequence[str] = (), **attributes: Any) -> str:
        """Add an operation; returns the name of its (first) output."""
        self._count += 1
        given = list(outputs) or [name or f"{kind}_{self._count}"]
        body = b"".join(_text(1, one) for one in inputs) + b"".join(_text(2, one) for one in given)
        body += _text(3, f"node_{self._count}") + _text(4, kind)
        for key, value in attributes.items():
            body += _bytes(5, _attribute(key, value))
        self._nodes.append(body)
        return given[0]

    def encode(self) -> bytes:
        """The file's bytes."""
        graph = b"".join(_bytes(1, node) for node in self._nodes) + _text(2, "floorwalker")
        graph += b"".join(_bytes(5, constant) for constant in self._constants)
        graph += b"".join(_bytes(11, _value(name, *kind)) for name, kind in self._inputs.items())
        graph += b"".join(_bytes(12, _value(name, *kind)) for name, kind in self._outputs.items())
        opset = _text(1, "") + _number(2, OPSET)
        return _number(1, IR_VERSION) + _text(2, "floorwalker") + _bytes(7, graph) + _bytes(8, opset)


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    answer = bytearray()
    while value > 0x7F:
        answer.append(value & 0x7F | 0x80)
        value >>= 7
    answer.append(value)
    return bytes(answer)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())


def _attribute(name: str, value: Any) -> bytes:
    body = _text(1, name)
    if isinstance(value, float):
        return body + _varint(2 << 3 | 5) + struct.pack("<f", value) + _number(20, 1)
    if isinstance(value, int):
        return body + _number(3, value) + _number(20, 2)
    return body + b"".join(_number(8, one) for one in value) + _number(20, 7)


def _value(name: str, kind: str, shape: Sequence[str | int]) -> bytes:
    dimensions = b"".join(_bytes(1, _text(2, size) if isinstance(size, str) else _number(1, size)) for size in shape)
    tensor = _number(1, _TYPES[kind]) + _bytes(2, dimensions)
    return _text(1, name) + _bytes(2, _bytes(1, tensor))
