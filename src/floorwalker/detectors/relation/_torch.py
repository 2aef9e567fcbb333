"""Training of the graph network with PyTorch Geometric; imported by `gnn.fit` alone."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from floorwalker.detectors.relation._labels import show_labels
from floorwalker.detectors.relation.graph import Graph
from floorwalker.detectors.relation.sampling import Block, sample_block, whole_block
from floorwalker.metrics import average_precision, roc_auc
from floorwalker.models.devices import find_device

with warnings.catch_warnings():
    # PyTorch Geometric still compiles scripts on import, which PyTorch calls outdated.
    warnings.simplefilter("ignore", DeprecationWarning)
    from torch_geometric.nn import GATv2Conv, SAGEConv

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
        layers: Any = zip(self.self, self.norms, self.messages, strict=True)
        for own, norm, messages in layers:
            total = own(state)
            for message, edge in zip(messages, edges, strict=True):
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
    size = (len(start) - 1, len(start) - 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return torch.sparse_csr_tensor(
            torch.from_numpy(start), torch.from_numpy(neighbour.astype(np.int64)), torch.ones(len(neighbour)), size
        )


def train_network(task: Task, plan: Plan) -> tuple[dict[str, NDArray[np.float32]], dict[str, float]]:
    """Train until the stopping rows stop getting better; the best weights, and what they reached.

    Training labels of a random share of the training rows (`shown`) are inputs of the others, whose labels are the
    target: what is asked is never what is shown. Stopping rows see all training labels, as new nodes will.
    """
    device = torch.device(find_device(plan.device))
    torch.manual_seed(plan.seed)
    random = np.random.default_rng([plan.seed, 31])
    network = Network(
        inputs=task.inputs.shape[1] + (2 * task.labels.shape[1] if plan.shown else 0),
        hidden=plan.hidden, outputs=task.labels.shape[1], relations=len(task.graph.relations), layers=plan.layers,
        attention=plan.attention, heads=plan.heads, dropout=plan.dropout,
    ).to(device)  # fmt: skip
    optimiser = torch.optim.AdamW(network.parameters(), lr=plan.rate, weight_decay=plan.decay)
    whole = None
    if not plan.batch and not plan.fan_out:
        block = whole_block(task.graph)
        whole = (block, take_edges(block, device, attention=plan.attention))
    best, best_at, best_weights = -np.inf, 0, copy.deepcopy(network.state_dict())
    for epoch in range(plan.epochs):
        network.train()
        shown, asked = _hide(task, plan, random)
        size = plan.batch or len(asked)
        for first in range(0, len(asked), size):
            rows = asked[first : first + size]
            block, edges = whole or _draw_block(task, plan, rows, device, int(random.integers(1 << 31)))
            places = torch.from_numpy(rows if whole else np.arange(len(rows))).to(device)
            optimiser.zero_grad()
            with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
                logits = network(_inputs(task, plan, shown, block, device), edges)[places]
            loss = _loss(logits.float(), torch.from_numpy(task.labels[rows]).to(device))
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        reached = _judge(network, task, plan, whole, device)
        if reached > best:
            best, best_at, best_weights = reached, epoch, copy.deepcopy(network.state_dict())
        elif epoch - best_at >= plan.patience:
            break
    weights = {name: value.detach().float().cpu().numpy() for name, value in best_weights.items()}
    return weights, {plan.metric: float(best), "epochs": float(best_at + 1)}


def _hide(task: Task, plan: Plan, random: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows whose labels are shown in this epoch, and rows that are asked."""
    order = random.permutation(task.training)
    cut = int(plan.shown * len(order))
    return order[:cut], order[cut:]


def _inputs(task: Task, plan: Plan, shown: NDArray[np.int64], block: Block, device: torch.device) -> torch.Tensor:
    rows = task.inputs
    if plan.shown:
        rows = np.hstack([rows, show_labels(task.labels, shown)])
    return torch.from_numpy(np.ascontiguousarray(rows[block.nodes])).to(device)


def _draw_block(
    task: Task, plan: Plan, rows: NDArray[np.int64], device: torch.device, seed: int
) -> tuple[Block, list[Any]]:
    block = sample_block(task.graph, rows, hops=plan.layers, fan_out=plan.fan_out, seed=seed)
    return block, take_edges(block, device, attention=plan.attention)


def _loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    known = torch.isfinite(labels)
    return nn.functional.binary_cross_entropy_with_logits(logits[known], labels[known])


def _judge(network: Network, task: Task, plan: Plan, whole: Any, device: torch.device) -> float:
    """The plan's metric on the stopping rows, mean over the outputs; on a fixed draw of neighbours."""
    network.eval()
    rows = task.stopping
    found = []
    with torch.no_grad():
        size = plan.batch or len(rows)
        for first in range(0, len(rows), size):
            part = rows[first : first + size]
            block, edges = whole or _draw_block(task, plan, part, device, plan.seed)
            places = part if whole else np.arange(len(part))
            logits = network(_inputs(task, plan, task.training, block, device), edges)
            found.append(logits.float().cpu().numpy()[places])
    scores = np.concatenate(found)
    metric = average_precision if plan.metric == "average_precision" else roc_auc
    reached = []
    for output in range(scores.shape[1]):
        truth = task.labels[rows, output]
        known = np.isfinite(truth)
        if known.any():
            reached.append(metric(truth[known] > 0.5, scores[known, output]))
    return float(np.nan_to_num(np.nanmean(reached))) if reached and np.isfinite(reached).any() else 0.0
