"""The trained networks as one ONNX graph, written operator by operator: no exporter is needed, only `onnx`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.features.routes._tokens import WIDTH


def export_onnx(members: Sequence[dict[str, NDArray[np.float32]]]) -> bytes:
    """Write networks as one ONNX graph that gives their mean logits, each LSTM as one operator, weights in 16 bits.

    Parameters
    ----------
    members : the weights by PyTorch's names. PyTorch orders gates input, forget, cell, output; ONNX input, output,
        forget, cell.
    """
    from onnx import TensorProto, checker, helper, numpy_helper

    nodes: list[Any] = []
    constants: list[Any] = []
    for number, arrays in enumerate(members):
        _add_member(nodes, constants, arrays, f"m{number}_")
    names = [f"m{number}_biased" for number in range(len(members))]
    nodes += [
        helper.make_node("Mean", names, ["mean"]),
        helper.make_node("Squeeze", ["mean", "last"], ["logits"]),
    ]
    constants += [numpy_helper.from_array(np.array([2], np.int64), name) for name in ("slots", "last")]
    graph = helper.make_graph(
        nodes,
        "routes",
        [
            helper.make_tensor_value_info("tokens", TensorProto.INT32, ["n", "t", WIDTH]),
            helper.make_tensor_value_info("lengths", TensorProto.INT32, ["n"]),
        ],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", "t"])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


def _add_member(nodes: list[Any], constants: list[Any], arrays: dict[str, NDArray[np.float32]], prefix: str) -> None:
    from onnx import TensorProto, helper, numpy_helper

    hidden = arrays["lstm.weight_hh_l0"].shape[1]

    def reorder(name: str) -> NDArray[np.float32]:
        i, f, c, o = np.split(arrays[name], 4)
        return np.concatenate([i, o, f, c])

    def both(name: str) -> NDArray[np.float32]:
        return np.stack([reorder(f"lstm.{name}_l0"), reorder(f"lstm.{name}_l0_reverse")])

    weights = {
        "embedding": arrays["embedding.weight"],
        "W": both("weight_ih"),
        "R": both("weight_hh"),
        "B": np.concatenate([both("bias_ih"), both("bias_hh")], axis=1),
        "skip_weight": arrays["skip.weight"].T,
        "skip_bias": arrays["skip.bias"],
        "head_weight": arrays["head.weight"].T,
        "head_bias": arrays["head.bias"],
    }
    for name, value in weights.items():
        small = np.ascontiguousarray(value.astype(np.float16))
        constants.append(numpy_helper.from_array(small, f"{prefix}{name}_16"))
        nodes.append(helper.make_node("Cast", [f"{prefix}{name}_16"], [prefix + name], to=TensorProto.FLOAT))
    constants.append(numpy_helper.from_array(np.array([0, 0, 2 * hidden], np.int64), prefix + "flat"))

    def node(operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> None:
        shared = ("tokens", "lengths", "slots", "last")
        named = [text if text in shared else prefix + text for text in inputs]
        nodes.append(helper.make_node(operator, named, [prefix + output], **attributes))

    node("Gather", ["embedding", "tokens"], "looked_up")
    node("ReduceSum", ["looked_up", "slots"], "vectors", keepdims=0)
    node("Transpose", ["vectors"], "by_time", perm=[1, 0, 2])
    node("LSTM", ["by_time", "W", "R", "B", "lengths"], "states", hidden_size=hidden, direction="bidirectional")
    node("Transpose", ["states"], "by_row", perm=[2, 0, 1, 3])
    node("Reshape", ["by_row", "flat"], "joined")
    node("MatMul", ["vectors", "skip_weight"], "skipped")
    node("Add", ["skipped", "skip_bias"], "skipped_biased")
    node("Add", ["joined", "skipped_biased"], "summed")
    node("Relu", ["summed"], "active")
    node("MatMul", ["active", "head_weight"], "headed")
    node("Add", ["headed", "head_bias"], "biased")
