"""The graph of a BERT encoder with mean pooling, from its safetensors file, with 8-bit weights.

Devlin et al. 2019 (BERT); Wang et al. 2020 (MiniLM); pooling after Reimers and Gurevych 2019.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.content._onnx_file import Graph
from floorwalker.errors import ArtefactError

WEIGHT_LEVELS = 63
"""Weights are rounded to whole numbers of -63 to 63: processors without VNNI add two products in 16 bits, and 8 full
bits would overflow there."""

_DTYPES = {"F32": np.float32, "F16": np.float16, "I64": np.int64}


def read_safetensors(content: bytes) -> dict[str, NDArray[Any]]:
    """The tensors of a safetensors file by name, as views of its bytes."""
    size = int.from_bytes(content[:8], "little")
    try:
        header = json.loads(content[8 : 8 + size])
        return {
            name: np.frombuffer(
                content[8 + size + facts["data_offsets"][0] : 8 + size + facts["data_offsets"][1]],
                _DTYPES[facts["dtype"]],
            ).reshape(facts["shape"])
            for name, facts in header.items()
            if name != "__metadata__"
        }
    except (ValueError, KeyError) as broken:
        raise ArtefactError(f"the encoder's weights cannot be read: {broken}", fix="reinstall its package") from broken


def make_encoder_graph(
    tensors: Mapping[str, NDArray[Any]],
    *,
    layers: int,
    heads: int,
    epsilon: float,
    eight_bits: bool = True,
    from_layer: int | None = None,
) -> bytes:
    """An ONNX file: `ids` int64 [batch, length], `positions` int64 [length], `mask` float32 [batch, length] give
    `embedding` float32 [batch, width], the mean of the last layer over the mask, of length 1.

    Parameters
    ----------
    tensors : weights under the names of Hugging Face's `BertModel`.
    eight_bits : products of 8-bit whole numbers, activations scaled by row as they come; else float32.
    from_layer : counted from 1; where given, `embedding` is instead the mean and the standard deviation over the mask
        of this layer and each above it, side by side: float32 [batch, 2 * width * layers].
    """
    graph = Graph(
        inputs={
            "ids": ("int64", ("batch", "length")),
            "positions": ("int64", ("length",)),
            "mask": ("float32", ("batch", "length")),
        },
        outputs={"embedding": ("float32", ("batch", "width"))},
    )
    builder = _Builder(graph, tensors, heads, epsilon, eight_bits)
    return builder.build(layers, from_layer)


class _Builder:
    def __init__(
        self, graph: Graph, tensors: Mapping[str, NDArray[Any]], heads: int, epsilon: float, eight_bits: bool
    ) -> None:
        self.graph, self.tensors, self.epsilon, self.eight_bits = graph, tensors, epsilon, eight_bits
        self.width = tensors["embeddings.word_embeddings.weight"].shape[1]
        self.heads, self.depth = heads, self.width // heads

    def build(self, layers: int, from_layer: int | None = None) -> bytes:
        graph = self.graph
        node, constant = graph.node, graph.constant
        table = constant("words", self.tensors["embeddings.word_embeddings.weight"].astype(np.float16))
        places = (
            self.tensors["embeddings.position_embeddings.weight"]
            + self.tensors["embeddings.token_type_embeddings.weight"][0]
        )
        words = node("Cast", node("Gather", table, "ids"), to=1)
        state = node("Add", words, node("Gather", constant("places", places.astype(np.float32)), "positions"))
        state = self._normalised(state, "embeddings.LayerNorm")
        axes = constant("middle_axes", np.array([1, 2], np.int64))
        absent = node("Sub", constant("one", np.ones(1, np.float32)), "mask")
        bias = node("Mul", absent, constant("never", np.full(1, -1e9, np.float32)))
        bias = node("Unsqueeze", bias, axes)
        spread = node("Unsqueeze", "mask", constant("last_axis", np.array([2], np.int64)))
        along = constant("along", np.array([1], np.int64))
        many = node("ReduceSum", spread, along, keepdims=1)

        def over_mask(rows: str, keepdims: int) -> str:
            total = node("ReduceSum", node("Mul", rows, spread), along, keepdims=1)
            mean = node("Div", total, many)
            return mean if keepdims else node("Squeeze", mean, along)

        pooled = []
        for layer in range(layers):
            state = self._layer(state, bias, f"encoder.layer.{layer}.")
            if from_layer is not None and layer + 1 >= from_layer:
                mean = over_mask(state, 1)
                apart = node("Sub", state, mean)
                variance = over_mask(node("Mul", apart, apart), 0)
                pooled += [node("Squeeze", mean, along), node("Sqrt", variance)]
        if from_layer is not None:
            node("Concat", *pooled, name="embedding", axis=1)
            return graph.encode()
        mean = over_mask(state, 0)
        norm = node("ReduceL2", mean, along, keepdims=1)
        node("Div", mean, node("Max", norm, constant("tiny", np.full(1, 1e-12, np.float32))), name="embedding")
        return graph.encode()

    def _layer(self, state: str, bias: str, prefix: str) -> str:
        node, constant = self.graph.node, self.graph.constant
        parts = [prefix + f"attention.self.{name}." for name in ("query", "key", "value")]
        weights = np.concatenate([self.tensors[part + "weight"] for part in parts])
        offsets = np.concatenate([self.tensors[part + "bias"] for part in parts])
        # The scale of the dot products goes into the query.
        weights, offsets = weights.copy(), offsets.copy()
        weights[: self.width] /= np.sqrt(self.depth)
        offsets[: self.width] /= np.sqrt(self.depth)
        joint = self._linear(state, weights, offsets, prefix + "joint")
        sizes = constant(prefix + "sizes", np.full(3, self.width, np.int64))
        names = [prefix + name for name in ("q", "k", "v")]
        node("Split", joint, sizes, outputs=names, axis=2)
        shape = constant(prefix + "shape", np.array([0, 0, self.heads, self.depth], np.int64))
        query, key, value = (node("Reshape", name, shape) for name in names)
        query, value = (node("Transpose", one, perm=[0, 2, 1, 3]) for one in (query, value))
        key = node("Transpose", key, perm=[0, 2, 3, 1])
        share = node("Softmax", node("Add", node("MatMul", query, key), bias), axis=-1)
        mixed = node("Transpose", node("MatMul", share, value), perm=[0, 2, 1, 3])
        mixed = node("Reshape", mixed, constant(prefix + "flat", np.array([0, 0, self.width], np.int64)))
        mixed = self._dense(mixed, prefix + "attention.output.dense")
        state = self._normalised(node("Add", state, mixed), prefix + "attention.output.LayerNorm")
        inner = node("Gelu", self._dense(state, prefix + "intermediate.dense"))
        outer = self._dense(inner, prefix + "output.dense")
        return self._normalised(node("Add", state, outer), prefix + "output.LayerNorm")

    def _normalised(self, state: str, name: str) -> str:
        scale = self.graph.constant(name + ".scale", self.tensors[name + ".weight"])
        shift = self.graph.constant(name + ".shift", self.tensors[name + ".bias"])
        return self.graph.node("LayerNormalization", state, scale, shift, axis=-1, epsilon=self.epsilon)

    def _dense(self, state: str, name: str) -> str:
        return self._linear(state, self.tensors[name + ".weight"], self.tensors[name + ".bias"], name)

    def _linear(self, state: str, weights: NDArray[Any], offsets: NDArray[Any], name: str) -> str:
        node, constant = self.graph.node, self.graph.constant
        shift = constant(name + ".offsets", offsets.astype(np.float32))
        if not self.eight_bits:
            return node("Add", node("MatMul", state, constant(name + ".weights", weights.T.astype(np.float32))), shift)
        scale = (np.abs(weights).max(1) / WEIGHT_LEVELS).astype(np.float32)
        scale[scale == 0] = 1
        rounded = np.rint(weights / scale[:, None]).astype(np.int8).T
        small = [name + ".small", name + ".state_scale", name + ".state_zero"]
        node("DynamicQuantizeLinear", state, outputs=small)
        zero = constant(name + ".zero", np.zeros(len(scale), np.int8))
        product = node("MatMulInteger", small[0], constant(name + ".weights", rounded), small[2], zero)
        both = node("Mul", small[1], constant(name + ".scale", scale))
        return node("Add", node("Mul", node("Cast", product, to=1), both), shift)
