"""The loop that trains this family's networks: seeds, precision, several processes, checkpoints, early stopping."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from floorwalker.detectors.behaviour._torch import Group, gradient_scaler, precision
from floorwalker.errors import ArtefactError

Piece = TypeVar("Piece")
Progress = Callable[[str, int, int, float], None]
"""Told of the stage, how many epochs are done, of how many, and the figure that early stopping looks at."""


@dataclass(frozen=True)
class Loop:
    """How long and how fast is learned.

    Parameters
    ----------
    epochs : passes over the data, at most.
    rate : of AdamW; it warms up over the first tenth of the steps and falls as a cosine to a twentieth.
    patience : epochs without a better figure before it ends; the best weights are kept.
    clip : largest norm of the gradient.
    decay : of the weights.
    seed : of order and dropout.
    """

    epochs: int = 12
    rate: float = 3e-3
    patience: int = 3
    clip: float = 1.0
    decay: float = 1e-3
    seed: int = 0


def fit_model(
    model: torch.nn.Module,
    *,
    name: str,
    batches: Callable[[np.random.Generator], Sequence[Piece]],
    losses: Callable[[torch.nn.Module, Piece], Iterator[torch.Tensor]],
    validate: Callable[[], float] | None,
    loop: Loop,
    group: Group,
    fingerprint: str,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> float:
    """Train a model in place and leave its best weights in it; returns the best figure, lower is better.

    Parameters
    ----------
    name : of the stage, for progress and checkpoint.
    batches : the batches of an epoch, from a generator made of the seed and the epoch's number.
    losses : pieces of a batch's loss: gradients of a batch are summed piece by piece, so that a long batch need not fit
        into memory at once.
    validate : the figure of the present weights; the mean loss of the epoch where left out.
    fingerprint : of data and settings; a checkpoint of another one is not resumed.
    checkpoint : folder; each epoch is kept there, and a run that was broken off goes on behind its last epoch.
    """
    optimiser = torch.optim.AdamW(model.parameters(), lr=loop.rate, weight_decay=loop.decay)
    scaler = gradient_scaler(group.device)
    steps = len(_share(batches(np.random.default_rng((loop.seed, 0))), group))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, _shape(steps * loop.epochs))
    whole = hashlib.sha256(f"{fingerprint} {name} {loop}".encode()).hexdigest()
    best, bad, first = math.inf, 0, 0
    kept = _copy(model)
    file = None if checkpoint is None else checkpoint / f"{name}.safetensors"
    if file is not None and group.size > 1:
        _share_file(file, group)
    if file is not None and file.exists():
        first, best, bad, kept = _resume(file, whole, model, optimiser, schedule, kept)
    if group.size > 1:
        for tensor in model.state_dict().values():
            torch.distributed.broadcast(tensor, 0)
    for epoch in range(first, loop.epochs):
        if bad > loop.patience:
            break
        with torch.random.fork_rng(enabled=True):
            torch.manual_seed(loop.seed * 1_000_003 + epoch * 101 + group.rank)
            model.train()
            total, count = 0.0, 0
            for batch in _share(batches(np.random.default_rng((loop.seed, epoch))), group):
                optimiser.zero_grad(set_to_none=True)
                for loss in _guarded(losses, model, batch, group):
                    scaler.scale(loss).backward()
                    total += float(loss.detach())
                count += 1
                if group.size > 1:
                    _share_gradients(model, group)
                scaler.unscale_(optimiser)
                torch.nn.utils.clip_grad_norm_(model.parameters(), loop.clip)
                scaler.step(optimiser)
                scaler.update()
                schedule.step()
        model.eval()
        figure = validate() if validate is not None else total / max(count, 1)
        if group.size > 1:
            shared = torch.tensor([figure], device=group.device, dtype=torch.float64)
            torch.distributed.broadcast(shared, 0)
            figure = float(shared)
        if figure < best:
            best, bad, kept = figure, 0, _copy(model)
        else:
            bad += 1
        if progress is not None and group.is_first:
            progress(name, epoch + 1, loop.epochs, figure)
        if file is not None and group.is_first:
            _keep(file, whole, epoch + 1, best, bad, model, optimiser, kept)
    model.load_state_dict(kept)
    model.eval()
    return best


def _share_gradients(model: torch.nn.Module, group: Group) -> None:
    """Average the gradients of a batch over the processes.

    `DistributedDataParallel` counts forward passes, and a batch has as many as its longest sequence has pieces: the
    processes would wait for one another in different ones.
    """
    parameters = [each for each in model.parameters() if each.requires_grad]
    gradients = [torch.zeros_like(each) if each.grad is None else each.grad for each in parameters]
    flat = torch.cat([each.reshape(-1) for each in gradients])
    torch.distributed.all_reduce(flat)
    flat /= group.size
    for each, part in zip(parameters, torch.split(flat, [each.numel() for each in parameters]), strict=True):
        each.grad = part.view_as(each)


def _share_file(file: Path, group: Group) -> None:
    """Give the first process's checkpoint to all: they go on behind the same epoch, whatever lies in their folders."""
    held = [file.read_bytes() if group.is_first and file.exists() else None]
    torch.distributed.broadcast_object_list(held, 0)
    if not group.is_first:
        file.unlink(missing_ok=True)
        if held[0] is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(held[0])


@contextlib.contextmanager
def one_thread(group: Group) -> Iterator[None]:
    """On processors, small networks are slower on several threads than on one: they wait for one another."""
    before = torch.get_num_threads()
    if not group.device.startswith("cuda"):
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _guarded(losses: Any, model: torch.nn.Module, batch: Any, group: Group) -> Iterator[torch.Tensor]:
    pieces = losses(model, batch)
    while True:
        # Only the forward pass runs in mixed precision.
        with precision(group.device):
            piece = next(pieces, None)
        if piece is None:
            return
        yield piece


def _share(batches: Sequence[Piece], group: Group) -> Sequence[Piece]:
    """This process's batches; every process has as many, for they wait for one another."""
    if group.size == 1:
        return batches
    each = max(len(batches) // group.size, 1)
    return [batches[(place * group.size + group.rank) % len(batches)] for place in range(each)]


def _shape(steps: int) -> Callable[[int], float]:
    warm = max(steps // 10, 1)

    def factor(done: int) -> float:
        if done < warm:
            return (done + 1) / warm
        part = min((done - warm) / max(steps - warm, 1), 1.0)
        return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * part))

    return factor


def _copy(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def _keep(
    file: Path, whole: str, epoch: int, best: float, bad: int, model: torch.nn.Module,
    optimiser: torch.optim.Optimizer, kept: dict[str, torch.Tensor],
) -> None:  # fmt: skip
    tensors = {f"now.{name}": tensor for name, tensor in _copy(model).items()}
    tensors |= {f"best.{name}": tensor for name, tensor in kept.items()}
    for place, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{place}.{name}": torch.as_tensor(value).clone() for name, value in state.items()}
    facts = {"fingerprint": whole, "epoch": epoch, "best": best, "bad": bad}
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".draft")
    save_file(
        {name: tensor.contiguous().cpu() for name, tensor in tensors.items()}, draft, {"facts": json.dumps(facts)}
    )
    draft.replace(file)


def _resume(
    file: Path, whole: str, model: torch.nn.Module, optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LambdaLR, kept: dict[str, torch.Tensor],
) -> tuple[int, float, int, dict[str, torch.Tensor]]:  # fmt: skip
    """Epoch to go on with, best figure, epochs since, best weights."""
    try:
        with safe_open(file, "pt") as found:
            facts = json.loads(found.metadata()["facts"])
            tensors = {name: found.get_tensor(name) for name in found.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as broken:
        raise ArtefactError(f"the checkpoint {file} cannot be read: {broken}", fix="remove it") from broken
    if facts["fingerprint"] != whole:
        # Of other data or settings: it is of no use here.
        return 0, math.inf, 0, kept
    device = next(model.parameters()).device
    now = {name[4:]: tensor.to(device) for name, tensor in tensors.items() if name.startswith("now.")}
    best = {name[5:]: tensor.to(device) for name, tensor in tensors.items() if name.startswith("best.")}
    model.load_state_dict(now)
    state = optimiser.state_dict()
    for name, tensor in tensors.items():
        if name.startswith("optimiser."):
            _, place, part = name.split(".", 2)
            state["state"].setdefault(int(place), {})[part] = tensor
    optimiser.load_state_dict(state)
    steps = [int(each["step"]) for each in state["state"].values()]
    schedule.last_epoch = max(steps, default=0)
    for parameters, rate, shape in zip(optimiser.param_groups, schedule.base_lrs, schedule.lr_lambdas, strict=True):
        parameters["lr"] = rate * shape(schedule.last_epoch)
    return int(facts["epoch"]), float(facts["best"]), int(facts["bad"]), best
