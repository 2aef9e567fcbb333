"""Training of the graph network with PyTorch Geometric; imported by `gnn.fit` alone."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch_geometric.nn import GATv2Conv, SAGEConv

from floorwalker.detectors.relation.graph import Graph
from floorwalker.detectors.relation.sampling import Block, sample_block, whole_block
from floorwalker.metrics import average_precision, roc_auc

Matrix = NDArray[np.float32]


class Network(nn.Module):
    """Typed message passing: a transform of one's own state, one of each relation's neighbours, a residual."""

    def __init__(
        self, *, inputs: int, hidden: int, outputs: int, relations: int, layers: int, attention: bool, heads: int,
        dropout: float,
    ) -> None:  # fmt: skip
        super().__init__()
        self.input = nn.Linear(inputs, hidden)
        self.self = nn.ModuleList([nn.Linear(hidden, hidden) for _ in range(layers)])
        self.norms = nn.ModuleList([nn.LayerNorm(hidden) for _ in range(layers)])

        def message() -> nn.Module:
            if attention:
                attending: nn.Module = GATv2Conv(hidden, hidden // heads, heads, add_self_loops=False, bias=False)
                return attending
            averaging: nn.Module = SAGEConv((hidden, hidden), hidden, aggr="mean", root_weight=False, bias=False)
            return averaging

        self.messages = nn.ModuleList([nn.ModuleList([message() for _ in range(relations)]) for _ in range(layers)])
        self.output = nn.Linear(hidden, outputs)
        self.dropout = nn.Dropout(dropout)
        self.attention = attention

    def forward(self, inputs: torch.Tensor, edges: Sequence[Any]) -> torch.Tensor:
        """Logits of all nodes; `edges` is what `take_edges` gave."""
        state = torch.relu(self.input(inputs))
        for own, norm, messages in zip(self.self, self.norms, self.messages, strict=True):
            total = own(state)
            for message, edge in zip(messages, edges, strict=True):  # type: ignore[arg-type]
                if edge is not None:
                    pair = state if self.attention else (state, state)
                    total = total + message(pair, edge)
            state = state + self.dropout(torch.relu(norm(total)))
        logits: torch.Tensor = self.output(state)
        return logits


@dataclass
class Plan:
    """How to train; fields as of `RelationalNetwork`."""

    hidden: int
    layers: int
    attention: bool
    heads: int
    dropout: float
    rate: float
    decay: float
    epochs: int
    patience: int
    fan_out: int
    batch: int
    shown: float
    metric: str
    seed: int
    device: str


@dataclass
class Task:
    """What to learn: prepared inputs, labels with NaN for unknown, rows that train and rows that stop."""

    graph: Graph
    inputs: Matrix
    labels: Matrix
    training: NDArray[np.int64]
    stopping: NDArray[np.int64]


def take_edges(block: Block, device: torch.device, *, attention: bool) -> list[Any]:
    """A relation's edges as a sparse matrix for means, as index pairs for attention; None where it has none."""
    found: list[Any] = []
    for start, neighbour in zip(block.start, block.neighbour, strict=True):
        if not len(neighbour):
            found.append(None)
            continue
        if attention or device.type == "cuda":
            target = np.repeat(np.arange(len(start) - 1), np.diff(start))
            index = np.stack([neighbour.astype(np.int64), target])
            found.append(torch.from_numpy(index).to(device))
        else:
            found.append(_sparse(start, neighbour))
    return found


def _sparse(start: NDArray[np.int64], neighbour: NDArray[np.int32]) -> Any:
    import warnings

    size = (len(start) - 1, len(start) - 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return torch.sparse_csr_tensor(
            torch.from_numpy(start), torch.from_numpy(neighbour.astype(np.int64)), torch.ones(len(neighbour)), size
        )
