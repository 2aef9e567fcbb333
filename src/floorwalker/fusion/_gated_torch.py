"""Training of the gated fusion; imported where one is trained, and nowhere else."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from floorwalker.models.devices import find_device

if TYPE_CHECKING:
    from floorwalker.fusion.gated import GatedFusion

PATIENCE = 3
"""Epochs without a better validation loss after which training ends."""
STEPS = 32
"""Of an epoch at least: with fewer, `PATIENCE` is over before the rate has risen, and nothing was learned."""


class _Network(nn.Module):
    def __init__(self, widths: list[int], width: int) -> None:
        super().__init__()
        self.readers = nn.ModuleList(nn.Linear(each, width) for each in widths)
        self.gate = nn.Parameter(torch.zeros(len(widths), width))
        self.last = nn.Linear(width, width)
        self.out = nn.Linear(width, 1)

    def forward(self, parts: list[torch.Tensor], present: torch.Tensor) -> torch.Tensor:
        states = torch.stack([torch.relu(read(part)) for read, part in zip(self.readers, parts, strict=True)], dim=1)
        asked = (states * self.gate).sum(dim=2).masked_fill(~present, -1e9)
        gates = torch.softmax(asked, dim=1) * present
        fused = (states * gates[:, :, None]).sum(dim=1)
        found: torch.Tensor = self.out(torch.relu(self.last(fused)))[:, 0]
        return found


def train(
    fusion: GatedFusion,
    parts: list[NDArray[np.float32]],
    present: NDArray[np.bool_],
    label: NDArray[np.float32],
    weight: NDArray[np.float32],
    order: NDArray[np.int64],
) -> tuple[dict[str, NDArray[np.float32]], float]:
    """Weights by name, and the best validation loss.

    Parameters
    ----------
    parts, present : as the fusion makes them of all rows.
    order : rows in the order of their times; the latest tenth is for validation.
    """
    torch.manual_seed(fusion.seed)
    rng = np.random.default_rng(fusion.seed)
    device = torch.device(find_device(fusion.device))
    network = _Network([part.shape[1] for part in parts], fusion.width).to(device)
    edge = max(1, int(len(order) * 0.9))
    learned, held = order[:edge], order[edge:] if edge < len(order) else order
    steps = -(-len(learned) // max(1, min(fusion.batch, len(learned) // STEPS)))
    optimiser = torch.optim.AdamW(network.parameters(), lr=fusion.rate, weight_decay=1e-3)
    plan = torch.optim.lr_scheduler.OneCycleLR(optimiser, fusion.rate, total_steps=steps * fusion.epochs)
    mean = float(weight.mean()) or 1.0

    def loss_of(rows: NDArray[np.int64], there: NDArray[np.bool_]) -> torch.Tensor:
        inside = [
            torch.from_numpy(np.where(there[:, place, None], part[rows], 0)).to(device)
            for place, part in enumerate(parts)
        ]
        with _precision(device):
            logit = network(inside, torch.from_numpy(there).to(device))
        each = nn.functional.binary_cross_entropy_with_logits(
            logit.float(), torch.from_numpy(label[rows]).to(device), reduction="none"
        )
        return (each * torch.from_numpy(weight[rows] / mean).to(device)).mean()

    best, since, kept = float("inf"), 0, _weights(fusion, network)
    for _ in range(fusion.epochs):
        network.train()
        for some in np.array_split(rng.permutation(learned), steps):
            there = present[some] & (rng.random((len(some), present.shape[1])) >= fusion.drop_out)
            optimiser.zero_grad()
            loss_of(some, there).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            plan.step()
        network.eval()
        with torch.no_grad():
            pieces = np.array_split(held, max(1, len(held) // 8192))
            loss = float(sum(float(loss_of(some, present[some])) * len(some) for some in pieces) / len(held))
        if loss < best:
            best, since, kept = loss, 0, _weights(fusion, network)
        else:
            since += 1
            if since >= PATIENCE:
                break
    return kept, best


def _precision(device: torch.device) -> Any:
    return torch.autocast("cuda", dtype=torch.bfloat16) if device.type == "cuda" else contextlib.nullcontext()


def _weights(fusion: GatedFusion, network: _Network) -> dict[str, NDArray[np.float32]]:
    found = {
        "gate": network.gate, "last_weight": network.last.weight, "last_bias": network.last.bias,
        "out_weight": network.out.weight, "out_bias": network.out.bias,
    }  # fmt: skip
    for name, read in zip(fusion.names, network.readers, strict=True):
        found[f"{name}.weight"], found[f"{name}.bias"] = read.weight, read.bias  # type: ignore[assignment]
    return {name: one.detach().cpu().numpy().astype(np.float32).copy() for name, one in found.items()}
