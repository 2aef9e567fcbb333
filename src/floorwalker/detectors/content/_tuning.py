"""Trains MiniLM further on labelled texts: low-rank adapters in its upper layers, and a head. Only training imports it.

The encoder's own weights stay as they are; beside each of its matrices stands a product of two thin ones that is
learned (Hu et al. 2021, *LoRA*, equation 3), with the offsets and the scales of its norms. Some 1 % of the weights
move, so that hundreds of texts teach without being learned by heart, and a saved classifier holds adapters only.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from floorwalker.models.devices import find_device

ALPHA = 2.0
"""What the product of the two thin matrices is multiplied by."""
WARM_UP = 0.1
"""Share of the steps in which the rate rises; it falls to nothing in the others."""
HEAD_RATE = 3.0
"""The head starts from nothing and learns so many times as fast."""
SORTED_BATCHES = 8
"""Batches within which texts are put in order of length, so that little is padding."""
MATRICES = ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense",
            "intermediate.dense", "output.dense")  # fmt: skip
NORMS = ("attention.output.LayerNorm", "output.LayerNorm")


@dataclass(frozen=True)
class Plan:
    """How an encoder is trained further.

    Parameters
    ----------
    layers, heads, epsilon : of the encoder.
    upper : layers, from the top, that get adapters; those below are only run.
    rank : of the adapters.
    epochs, rate, batch : of AdamW; `rate` at its height.
    dropout : of hidden states and of what the head reads.
    device : as of `Tuning`.
    """

    layers: int
    heads: int
    epsilon: float
    upper: int
    rank: int
    epochs: int
    rate: float
    batch: int
    dropout: float
    device: str
    seed: int


class _Adapted(nn.Module):
    """A linear map with an adapter beside it."""

    def __init__(self, weight: torch.Tensor, offset: torch.Tensor, rank: int) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.weight: torch.Tensor
        self.offset = nn.Parameter(offset.clone(), requires_grad=rank > 0)
        self.rank = rank
        if rank:
            self.inner = nn.Parameter(torch.randn(rank, weight.shape[1]) / math.sqrt(weight.shape[1]))
            self.outer = nn.Parameter(torch.zeros(weight.shape[0], rank))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        answer = functional.linear(rows, self.weight, self.offset)
        if not self.rank:
            return answer
        return answer + ALPHA * functional.linear(functional.linear(rows, self.inner), self.outer)


class _Norm(nn.Module):
    def __init__(self, scale: torch.Tensor, shift: torch.Tensor, epsilon: float, moves: bool) -> None:
        super().__init__()
        self.scale = nn.Parameter(scale.clone(), requires_grad=moves)
        self.shift = nn.Parameter(shift.clone(), requires_grad=moves)
        self.epsilon = epsilon

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return functional.layer_norm(rows, (rows.shape[-1],), self.scale, self.shift, self.epsilon)


class _Layer(nn.Module):
    def __init__(self, tensors: Mapping[str, torch.Tensor], prefix: str, plan: Plan, rank: int) -> None:
        super().__init__()
        made = [_Adapted(tensors[f"{prefix}{one}.weight"], tensors[f"{prefix}{one}.bias"], rank) for one in MATRICES]
        self.matrices = nn.ModuleList(made)
        self.norms = nn.ModuleList(
            _Norm(tensors[f"{prefix}{one}.weight"], tensors[f"{prefix}{one}.bias"], plan.epsilon, rank > 0)
            for one in NORMS
        )
        self.heads, self.dropout = plan.heads, plan.dropout

    def forward(self, state: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        many, length, width = state.shape
        query, key, value, mix, inner, outer = self.matrices

        def split(rows: torch.Tensor) -> torch.Tensor:
            return rows.view(many, length, self.heads, width // self.heads).transpose(1, 2)

        seen = functional.scaled_dot_product_attention(
            split(query(state)), split(key(state)), split(value(state)), attn_mask=hidden
        )
        seen = mix(seen.transpose(1, 2).reshape(many, length, width))
        state = self.norms[0](state + functional.dropout(seen, self.dropout, self.training))
        thought = outer(functional.gelu(inner(state)))
        answer: torch.Tensor = self.norms[1](state + functional.dropout(thought, self.dropout, self.training))
        return answer


class Network(nn.Module):
    """The encoder with adapters, mean pooling, and a head on what it says, of length 1.

    Parameters
    ----------
    tensors : of the encoder, under the names of Hugging Face's `BertModel`.
    outputs : of the head.
    """

    def __init__(self, tensors: Mapping[str, NDArray[Any]], plan: Plan, outputs: int) -> None:
        super().__init__()
        given = {name: torch.from_numpy(np.array(one, np.float32)) for name, one in tensors.items() if one.ndim}
        self.register_buffer("words", given["embeddings.word_embeddings.weight"])
        places = given["embeddings.position_embeddings.weight"] + given["embeddings.token_type_embeddings.weight"][0]
        self.register_buffer("places", places)
        self.words: torch.Tensor
        self.places: torch.Tensor
        start = "embeddings.LayerNorm"
        self.start = _Norm(given[start + ".weight"], given[start + ".bias"], plan.epsilon, False)
        self.below = plan.layers - plan.upper
        self.layers = nn.ModuleList(
            _Layer(given, f"encoder.layer.{place}.", plan, plan.rank if place >= self.below else 0)
            for place in range(plan.layers)
        )
        width = self.words.shape[1]
        self.length, self.dropout = math.sqrt(width), plan.dropout
        self.head = nn.Linear(width, outputs)
        nn.init.normal_(self.head.weight, 0, 0.02)
        nn.init.zeros_(self.head.bias)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        state = self.start(functional.embedding(ids, self.words) + self.places[: ids.shape[1]])
        hidden = torch.zeros(mask.shape, dtype=torch.float32, device=mask.device).masked_fill(~mask, -1e9)
        hidden = hidden[:, None, None, :]
        if torch.is_autocast_enabled(ids.device.type):
            hidden = hidden.to(torch.get_autocast_dtype(ids.device.type))
        with torch.no_grad():
            for layer in self.layers[: self.below]:
                state = layer(state, hidden)
        for layer in self.layers[self.below :]:
            state = layer(state, hidden)
        spread = mask[:, :, None].float()
        mean = (state.float() * spread).sum(1) / spread.sum(1)
        rows = functional.normalize(mean, dim=1) * self.length
        answer: torch.Tensor = self.head(functional.dropout(rows, self.dropout, self.training))
        return answer


def train_adapters(
    tensors: Mapping[str, NDArray[Any]],
    tokens: Sequence[Sequence[int]],
    codes: NDArray[np.int64],
    classes: int,
    plan: Plan,
    *,
    weights: NDArray[np.float32] | None = None,
) -> dict[str, NDArray[np.float32]]:
    """What was learned, under the encoder's names: each moved matrix whole, offsets, norms; and `head.weight` for
    embeddings of length 1, `head.bias`.

    Parameters
    ----------
    tokens : of each text, with the marks of its start and end.
    codes : int64 [n], 0 to classes - 1.
    weights : float32 [classes], of each class in the loss; alike without.
    """
    device = torch.device(find_device(plan.device))
    torch.manual_seed(plan.seed)
    random = np.random.default_rng([plan.seed, 53])
    network = Network(tensors, plan, 1 if classes == 2 else classes).to(device)
    head = list(network.head.parameters())
    moved = [one for name, one in network.named_parameters() if one.requires_grad and not name.startswith("head.")]
    optimiser = torch.optim.AdamW(
        [{"params": moved, "lr": plan.rate}, {"params": head, "lr": plan.rate * HEAD_RATE}], weight_decay=0.01
    )
    steps = plan.epochs * math.ceil(len(tokens) / plan.batch)
    rise = WARM_UP * steps
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / rise, max(0.0, (steps - step) / (steps - rise)))
    )
    by_class = None if weights is None else torch.from_numpy(weights).to(device)
    # Gradients of float16 vanish unless they are scaled; those of bfloat16 do not.
    narrow = device.type == "cuda" and not torch.cuda.is_bf16_supported()
    scaler = torch.amp.GradScaler(device.type, enabled=narrow)
    lengths = np.array([len(one) for one in tokens])
    network.train()
    for _ in range(plan.epochs):
        for rows in draw_batches(lengths, plan.batch, random):
            ids, mask = pad_tokens([tokens[row] for row in rows.tolist()])
            with mixed_precision(device):
                logits = network(torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device))
            loss = _loss(logits.float(), torch.from_numpy(codes[rows]).to(device), by_class)
            optimiser.zero_grad(set_to_none=True)
            scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
            scaler.unscale_(optimiser)
            nn.utils.clip_grad_norm_([*moved, *head], 1.0)
            scaler.step(optimiser)
            scaler.update()
            schedule.step()
    return _learned(network)


def _loss(logits: torch.Tensor, codes: torch.Tensor, by_class: torch.Tensor | None) -> torch.Tensor:
    each = None if by_class is None else by_class[codes]
    if logits.shape[1] == 1:
        return functional.binary_cross_entropy_with_logits(logits[:, 0], codes.float(), weight=each)
    return functional.cross_entropy(logits, codes, weight=by_class)


def _learned(network: Network) -> dict[str, NDArray[np.float32]]:
    found: dict[str, NDArray[np.float32]] = {}

    def keep(name: str, values: torch.Tensor) -> None:
        found[name] = values.detach().float().cpu().numpy()

    for place in range(network.below, len(network.layers)):
        layer: Any = network.layers[place]
        for name, matrix in zip(MATRICES, layer.matrices, strict=True):
            prefix = f"encoder.layer.{place}.{name}."
            keep(prefix + "inner", matrix.inner)
            keep(prefix + "outer", matrix.outer * ALPHA)
            keep(prefix + "bias", matrix.offset)
        for name, norm in zip(NORMS, layer.norms, strict=True):
            keep(f"encoder.layer.{place}.{name}.weight", norm.scale)
            keep(f"encoder.layer.{place}.{name}.bias", norm.shift)
    keep("head.weight", network.head.weight * network.length)
    keep("head.bias", network.head.bias)
    return found


def mixed_precision(device: torch.device) -> Any:
    """Half precision where it is quick: on a card, and on a processor that multiplies matrices of bfloat16."""
    if device.type == "cuda":
        return torch.autocast("cuda", torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16)
    facts: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    if facts.get("amx_bf16"):
        return torch.autocast("cpu", torch.bfloat16)
    return contextlib.nullcontext()


def draw_batches(lengths: NDArray[np.int64], size: int, random: np.random.Generator) -> list[NDArray[np.int64]]:
    """All rows once, in any order, those of a batch of like length.

    >>> batches = draw_batches(np.array([3, 1, 2, 9]), 2, np.random.default_rng(0))
    >>> sorted(np.concatenate(batches).tolist()), sorted(sorted(one.tolist()) for one in batches)
    ([0, 1, 2, 3], [[0, 3], [1, 2]])
    """
    order = random.permutation(len(lengths))
    batches = []
    for start in range(0, len(order), size * SORTED_BATCHES):
        rows = order[start : start + size * SORTED_BATCHES]
        rows = rows[np.argsort(lengths[rows], kind="stable")]
        batches += [rows[first : first + size] for first in range(0, len(rows), size)]
    return [batches[place] for place in random.permutation(len(batches)).tolist()]


def pad_tokens(tokens: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Ids int64 [n, longest] and which of them are there.

    >>> pad_tokens([[5, 6], [7]])[0].tolist()
    [[5, 6], [7, 0]]
    """
    longest = max(len(one) for one in tokens)
    ids, mask = np.zeros((len(tokens), longest), np.int64), np.zeros((len(tokens), longest), np.bool_)
    for row, one in enumerate(tokens):
        ids[row, : len(one)], mask[row, : len(one)] = one, True
    return ids, mask
