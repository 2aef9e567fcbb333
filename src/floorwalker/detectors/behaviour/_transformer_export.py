"""The causal Transformer as an ONNX graph, written operator by operator: no exporter is needed, only `onnx`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.behaviour._transformer_model import TransformerModel, rotation
from floorwalker.detectors.behaviour.sequences import Field
from floorwalker.detectors.behaviour.weights import foreseen_of, offsets_of
from floorwalker.errors import MissingExtraError


class _Graph:
    """Nodes and constants; each call adds one and gives the name of its answer."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, value: NDArray[Any]) -> str:
        from onnx import numpy_helper

        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def __call__(self, kind: str, *inputs: str, **attributes: Any) -> str:
        from onnx import helper

        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def integers(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))

    def real(self, value: float) -> str:
        return self.constant(np.array(value, np.float32))

    def linear(self, x: str, weights: dict[str, NDArray[np.float32]], name: str) -> str:
        found = self("MatMul", x, self.constant(weights[f"{name}.weight"].T))
        return self("Add", found, self.constant(weights[f"{name}.bias"]))

    def norm(self, x: str, weights: dict[str, NDArray[np.float32]], name: str) -> str:
        scale, shift = self.constant(weights[f"{name}.weight"]), self.constant(weights[f"{name}.bias"])
        return self("LayerNormalization", x, scale, shift, axis=-1, epsilon=1e-5)

    def cut(self, x: str, first: str, last: str, axis: int) -> str:
        return self("Slice", x, first, last, self.integers(axis))


def export_onnx(model: TransformerModel, of: tuple[Field, ...]) -> bytes:
    """The graph's bytes: `tokens` int64 [n, T, F] to `opinions` float32 [n, T, K + 1]."""
    try:
        from onnx import TensorProto, checker, helper
    except ImportError as error:
        raise MissingExtraError("onnx", "train") from error
    weights = {name: tensor.detach().float().cpu().numpy() for name, tensor in model.state_dict().items()}
    graph, size = _Graph(), model.size
    shape = graph("Shape", "tokens")
    count = graph("Gather", shape, graph.integers(0))
    length = graph("Add", graph("Gather", shape, graph.integers(1)), graph.integers(1))
    codes = graph("Add", "tokens", graph.constant(offsets_of(of)))
    events = graph("ReduceSum", graph("Gather", graph.constant(weights["embedding.weight"]), codes), graph.integers(2),
                   keepdims=0)  # fmt: skip
    beginning = graph("Expand", graph.constant(weights["beginning"][None, None]),
                      graph("Concat", count, graph.integers(1, size.width), axis=0))  # fmt: skip
    x = graph("Concat", beginning, events, axis=1)
    if not model.rotary:
        x = graph("Add", x, graph.cut(graph.constant(weights["positions"]), graph.integers(0), length, 0))
    cosine, sine = (
        graph.cut(graph.constant(each), graph.integers(0), length, 0)
        for each in rotation(model.context + 1, size.width // size.heads)
    )
    hidden = np.triu(np.full((model.context + 1, model.context + 1), -1e9, np.float32), 1)
    mask = graph.cut(graph.cut(graph.constant(hidden), graph.integers(0), length, 0), graph.integers(0), length, 1)
    for number in range(size.layers):
        x = _add_block(graph, x, weights, f"blocks.{number}", model, (cosine, sine), mask)
    x = graph.norm(x, weights, "last")
    before, after = (
        graph.cut(x, graph.integers(0), graph.integers(-1), 1),
        graph.cut(x, graph.integers(1), graph.integers(model.context + 1), 1),
    )
    outputs = [graph.linear(after, weights, "head")]
    ahead = graph.linear(before, weights, "ahead")
    total = graph("Mul", graph("ReduceSum", outputs[0], graph.integers(2), keepdims=1), graph.real(0.0))
    for place, first, codes_of in foreseen_of(of).tolist():
        guess = graph.cut(ahead, graph.integers(first), graph.integers(first + codes_of), 2)
        chances = graph("LogSoftmax", guess, axis=-1)
        came = graph.cut("tokens", graph.integers(place), graph.integers(place + 1), 2)
        total = graph("Sub", total, graph("GatherElements", chances, came, axis=2))
    graph.nodes.append(helper.make_node("Concat", [outputs[0], total], ["opinions"], axis=2))
    made = helper.make_model(
        helper.make_graph(
            graph.nodes, "behaviour",
            [helper.make_tensor_value_info("tokens", TensorProto.INT64, ["n", "t", len(of)])],
            [helper.make_tensor_value_info("opinions", TensorProto.FLOAT, ["n", "t", "k"])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", 17)], ir_version=8,
    )  # fmt: skip
    checker.check_model(made)
    content: bytes = made.SerializeToString()
    return content


def _add_block(
    graph: _Graph, x: str, weights: dict[str, NDArray[np.float32]], name: str, model: TransformerModel,
    turn: tuple[str, str], mask: str,
) -> str:  # fmt: skip
    heads, width = model.size.heads, model.size.width
    asked = graph.linear(graph.norm(x, weights, f"{name}.before"), weights, f"{name}.asked")
    apart = graph("Reshape", asked, graph.integers(0, 0, 3, heads, width // heads))
    apart = graph("Transpose", apart, perm=[2, 0, 3, 1, 4])
    query, key, value = (
        graph("Squeeze", graph.cut(apart, graph.integers(part), graph.integers(part + 1), 0), graph.integers(0))
        for part in range(3)
    )
    if model.rotary:
        query, key = (_turned(graph, each, turn, width // heads) for each in (query, key))
    match = graph("MatMul", query, graph("Transpose", key, perm=[0, 1, 3, 2]))
    match = graph("Add", graph("Mul", match, graph.real((width // heads) ** -0.5)), mask)
    seen = graph("MatMul", graph("Softmax", match, axis=-1), value)
    seen = graph("Reshape", graph("Transpose", seen, perm=[0, 2, 1, 3]), graph.integers(0, 0, width))
    x = graph("Add", x, graph.linear(seen, weights, f"{name}.answered"))
    wide = graph.linear(graph.norm(x, weights, f"{name}.between"), weights, f"{name}.wide")
    # GELU by the hyperbolic tangent: ONNX has an operator of its own only from opset 20 on.
    cube = graph("Mul", graph("Mul", wide, wide), wide)
    inner = graph("Mul", graph("Add", wide, graph("Mul", cube, graph.real(0.044715))), graph.real((2 / np.pi) ** 0.5))
    gate = graph("Mul", graph("Add", graph("Tanh", inner), graph.real(1.0)), graph.real(0.5))
    return graph("Add", x, graph.linear(graph("Mul", wide, gate), weights, f"{name}.narrow"))


def _turned(graph: _Graph, x: str, turn: tuple[str, str], width: int) -> str:
    first = graph.cut(x, graph.integers(0), graph.integers(width // 2), 3)
    second = graph.cut(x, graph.integers(width // 2), graph.integers(width), 3)
    left = graph("Sub", graph("Mul", first, turn[0]), graph("Mul", second, turn[1]))
    right = graph("Add", graph("Mul", second, turn[0]), graph("Mul", first, turn[1]))
    return graph("Concat", left, right, axis=3)
