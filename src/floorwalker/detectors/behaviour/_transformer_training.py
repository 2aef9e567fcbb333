"""Pre-training without labels, fine-tuning with them, and running over many sequences."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from floorwalker.detectors.behaviour._batches import lay_block, make_batches
from floorwalker.detectors.behaviour._lstm_training import foresight_loss, label_loss, label_weights
from floorwalker.detectors.behaviour._torch import Group, precision
from floorwalker.detectors.behaviour._training import Loop, Progress, fit_model, one_thread
from floorwalker.detectors.behaviour._transformer_model import Seen, TransformerModel
from floorwalker.detectors.behaviour._windows import cut_windows
from floorwalker.detectors.behaviour.sequences import Sequences
from floorwalker.detectors.behaviour.weights import foreseen_of

NARROW = 128
"""Width up to which several threads of a processor only wait for one another."""


@dataclass(frozen=True)
class Plan:
    """How it is learned.

    Parameters
    ----------
    foresee : weight of foreseeing the next event.
    recognise : weight of the labels.
    batch_events : of one step of learning.
    accumulate : parts that a step is divided into, one after another, where memory is short.
    frozen : whether only the head of the labels learns.
    """

    foresee: float
    recognise: float
    batch_events: int
    accumulate: int
    frozen: bool
    loop: Loop


def train(
    model: TransformerModel,
    sequences: Sequences,
    labels: NDArray[np.float32],
    weights: NDArray[np.float32],
    plan: Plan,
    *,
    name: str,
    validate: Callable[[], float] | None,
    group: Group,
    fingerprint: str,
    checkpoint: Path | None,
    progress: Progress | None,
) -> NDArray[np.float32]:
    """Train in place; returns the weights of the positives, float32 [K]."""
    windows = cut_windows(sequences.starts, model.context)
    lengths = windows.stops - windows.starts
    rare = torch.from_numpy(label_weights(labels)).to(group.device)
    foreseen = foreseen_of(sequences.fields).tolist()
    for part, parameter in model.named_parameters():
        parameter.requires_grad_(not plan.frozen or part.startswith("head."))

    def batches(rng: np.random.Generator) -> list[NDArray[np.int64]]:
        return make_batches(lengths, events=plan.batch_events, chunk=model.context, rng=rng)

    def losses(parallel: nn.Module, batch: NDArray[np.int64]) -> Iterator[torch.Tensor]:
        parts = [part for part in np.array_split(batch, plan.accumulate) if len(part)]
        size = float((windows.stops - windows.counted)[batch].sum())
        for part in parts:
            rows, exists = lay_block(windows.starts[part], lengths[part], 0, int(lengths[part].max()))
            # What is only looked at was learned from in the window before.
            exists &= rows >= windows.counted[part][:, None]
            tokens = torch.from_numpy(sequences.tokens[rows]).long().to(group.device)
            there = torch.from_numpy(exists).to(group.device)
            logits, ahead, _ = parallel(tokens)
            loss = logits.new_zeros((), dtype=torch.float32)
            if plan.recognise:
                counted = torch.from_numpy(weights[rows]).to(group.device) * there
                wanted = torch.from_numpy(labels[rows]).to(group.device)
                loss = loss + plan.recognise * label_loss(logits, wanted, counted, rare)[0] / size
            if plan.foresee and not plan.frozen:
                loss = loss + plan.foresee * foresight_loss(ahead, tokens, there, foreseen) / size
            yield loss

    with one_thread(group) if model.size.width <= NARROW else contextlib.nullcontext():
        fit_model(
            model, name=name, batches=batches, losses=losses, validate=validate, loop=plan.loop, group=group,
            fingerprint=fingerprint, checkpoint=checkpoint, progress=progress,
        )  # fmt: skip
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    return rare.cpu().numpy()


@dataclass(frozen=True, eq=False)
class Run:
    """What the Transformer says of each event: logits float32 [events, K], surprise float32 [events] in nats,
    representation float32 [events, W]."""

    logits: NDArray[np.float32]
    surprise: NDArray[np.float32]
    hidden: NDArray[np.float32]


def run(
    model: TransformerModel, sequences: Sequences, device: str, *, batch_events: int = 16_384, hidden: bool = False
) -> Run:
    """Every event of every sequence, in windows."""
    model.eval()
    windows = cut_windows(sequences.starts, model.context)
    lengths = windows.stops - windows.starts
    events = len(sequences.tokens)
    found = Run(
        np.empty((events, model.head.out_features), np.float32), np.empty(events, np.float32),
        np.empty((events if hidden else 0, model.size.width), np.float32),
    )  # fmt: skip
    foreseen = foreseen_of(sequences.fields).tolist()
    rng = np.random.default_rng(0)
    threads = one_thread(Group(0, 1, device)) if model.size.width <= NARROW else contextlib.nullcontext()
    with threads, torch.no_grad(), precision(device):
        for batch in make_batches(lengths, events=batch_events, chunk=model.context, rng=rng):
            rows, exists = lay_block(windows.starts[batch], lengths[batch], 0, int(lengths[batch].max()))
            tokens = torch.from_numpy(sequences.tokens[rows]).long().to(device)
            seen = Seen(*model(tokens))
            keep = exists & (rows >= windows.counted[batch][:, None])
            at = rows[keep]
            there = torch.from_numpy(keep).to(device)
            found.logits[at] = seen.logits[there].float().cpu().numpy()
            found.surprise[at] = unforeseen(seen.ahead[there], tokens[there], foreseen).cpu().numpy()
            if hidden:
                found.hidden[at] = seen.hidden[there].float().cpu().numpy()
    return found


def unforeseen(ahead: torch.Tensor, tokens: torch.Tensor, foreseen: list[list[int]]) -> torch.Tensor:
    """Nats by which events [m, F] were not foreseen: float32 [m]."""
    total = ahead.new_zeros(len(ahead), dtype=torch.float32)
    for place, first, size in foreseen:
        guess = ahead[:, first : first + size].float()
        total = total + nn.functional.cross_entropy(guess, tokens[:, place], reduction="none")
    return total
