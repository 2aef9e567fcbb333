"""The LSTM in PyTorch, and its training."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from floorwalker.detectors.behaviour._batches import lay_block, make_batches
from floorwalker.detectors.behaviour._torch import Group
from floorwalker.detectors.behaviour._training import Loop, Progress, fit_model, one_thread
from floorwalker.detectors.behaviour.sequences import Field, Sequences
from floorwalker.detectors.behaviour.weights import LstmWeights, foreseen_of, offsets_of

MOST_WEIGHT = 30.0


@dataclass(frozen=True)
class LstmPlan:
    """Everything that training needs beside the data.

    Parameters
    ----------
    hidden, embedding : cells, and width of an event's embedding.
    dropout : of the embeddings and before the heads.
    foresee : weight of foreseeing the next event beside recognising abuse.
    batch_events : of one step of learning.
    chunk : events after which gradients end; the state goes on.
    loop : how long and how fast.
    """

    hidden: int = 64
    embedding: int = 32
    dropout: float = 0.1
    foresee: float = 0.1
    batch_events: int = 8192
    chunk: int = 64
    loop: Loop = field(default_factory=Loop)


class LstmModel(nn.Module):
    """Sum of the fields' embeddings, LSTM, one head of labels, one of the next event."""

    def __init__(self, of: tuple[Field, ...], labels: int, plan: LstmPlan) -> None:
        super().__init__()
        self.embedding = nn.Embedding(sum(each.size for each in of), plan.embedding)
        nn.init.normal_(self.embedding.weight, std=0.3 / len(of) ** 0.5)
        self.lstm = nn.LSTM(plan.embedding, plan.hidden)
        self.offsets: torch.Tensor
        # A forget gate that begins open remembers from the start (Gers, Schmidhuber, Cummins 2000).
        with torch.no_grad():
            self.lstm.get_parameter("bias_ih_l0")[plan.hidden : 2 * plan.hidden] += 1.0
        self.head = nn.Linear(plan.hidden, labels)
        self.ahead = nn.Linear(plan.hidden, sum(each.size for each in of if each.predicted))
        self.dropout = nn.Dropout(plan.dropout)
        self.register_buffer("offsets", torch.from_numpy(offsets_of(of)))

    def forward(
        self, tokens: torch.Tensor, state: tuple[torch.Tensor, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
        """Of tokens [T, B, F]: logits [T, B, K]; what was foreseen of each event [T, B, P] by the events before it;
        the hidden states [T, B, H]; the state at the end."""
        embedded = self.dropout(self.embedding(tokens + self.offsets).sum(2))
        out, last = self.lstm(embedded, state)
        before = torch.cat([state[0].to(out.dtype), out[:-1]])
        return self.head(self.dropout(out)), self.ahead(self.dropout(before)), out, last

    def export(self, rare: torch.Tensor) -> LstmWeights:
        """The weights for serving. Learning with positives that count `rare` times as much multiplies the odds by it;
        here it is taken back."""
        state = {name: tensor.detach().cpu().double() for name, tensor in self.state_dict().items()}
        table = state["embedding.weight"] @ state["lstm.weight_ih_l0"].T
        arrays = (
            table, state["lstm.bias_ih_l0"] + state["lstm.bias_hh_l0"], state["lstm.weight_hh_l0"].T,
            state["head.weight"].T, state["head.bias"] - rare.cpu().double().log(),
            state["ahead.weight"].T, state["ahead.bias"],
        )  # fmt: skip
        return LstmWeights(*(np.ascontiguousarray(array.numpy(), np.float32) for array in arrays))


def label_weights(labels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Weight of each label's positives, float32 [K]: the root of how rare they are, at most `MOST_WEIGHT`."""
    known = ~np.isnan(labels)
    positive = np.nansum(labels, axis=0)
    negative = known.sum(axis=0) - positive
    weights: NDArray[np.float32] = np.sqrt(np.clip(negative / np.maximum(positive, 1.0), 1.0, MOST_WEIGHT**2))
    return weights.astype(np.float32)


def label_loss(
    logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor, rare: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Sum of the weighted cross entropies over known labels, and the sum of the weights."""
    known = ~torch.isnan(labels)
    target = torch.where(known, labels, torch.zeros_like(labels))
    each = nn.functional.binary_cross_entropy_with_logits(logits.float(), target, pos_weight=rare, reduction="none")
    share = known * weights[..., None]
    return (each * share).sum(), share.sum()


def foresight_loss(
    ahead: torch.Tensor, tokens: torch.Tensor, exists: torch.Tensor, foreseen: list[list[int]]
) -> torch.Tensor:
    """Sum over events and foreseen fields of the cross entropy of what came."""
    total = ahead.new_zeros((), dtype=torch.float32)
    for place, first, size in foreseen:
        guess = ahead[..., first : first + size].float()
        each = nn.functional.cross_entropy(guess.reshape(-1, size), tokens[..., place].reshape(-1), reduction="none")
        total = total + (each * exists.reshape(-1)).sum()
    return total


def train_lstm(
    sequences: Sequences,
    labels: NDArray[np.float32],
    weights: NDArray[np.float32],
    plan: LstmPlan,
    *,
    name: str,
    validate: Callable[[LstmWeights], float] | None,
    group: Group,
    fingerprint: str,
    teacher: NDArray[np.float32] | None = None,
    distil: float = 0.0,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> LstmWeights:
    """Train on labels of each event, float32 [events, K] with NaN for unknown, and on the events themselves.

    Parameters
    ----------
    weights : float32 [events], how much each event's labels count.
    validate : the figure for early stopping, of exported weights; lower is better.
    teacher : float32 [events, K], logits that the LSTM should imitate (distillation; Hinton, Vinyals, Dean 2015).
    distil : weight of the imitation.
    fingerprint : of what validation reads and of settings; what is learned from is added to it here.
    """
    fingerprint = f"{fingerprint} {_digest(sequences, labels, weights, teacher)} {distil if teacher is not None else 0}"
    with torch.random.fork_rng():
        torch.manual_seed(plan.loop.seed)
        model = LstmModel(sequences.fields, labels.shape[1], plan).to(group.device)
    rare = torch.from_numpy(label_weights(labels)).to(group.device)
    foreseen = foreseen_of(sequences.fields).tolist()
    starts, lengths = sequences.starts[:-1], sequences.lengths

    def batches(rng: np.random.Generator) -> list[NDArray[np.int64]]:
        return make_batches(lengths, events=plan.batch_events, chunk=plan.chunk, rng=rng)

    def losses(parallel: nn.Module, batch: NDArray[np.int64]) -> Iterator[torch.Tensor]:
        of, own = starts[batch], lengths[batch]
        longest, size = int(own.max()), float(own.sum())
        state = tuple(torch.zeros(1, len(batch), plan.hidden, device=group.device) for _ in range(2))
        for first in range(0, longest, plan.chunk):
            rows, exists = lay_block(of, own, first, min(plan.chunk, longest - first))
            tokens = torch.from_numpy(sequences.tokens[rows.T]).long().to(group.device)
            there = torch.from_numpy(exists.T).to(group.device)
            logits, ahead, _, last = parallel(tokens, state)
            state = tuple(each.detach() for each in last)
            counted = torch.from_numpy(weights[rows.T]).to(group.device) * there
            wanted = torch.from_numpy(labels[rows.T]).to(group.device)
            loss = label_loss(logits, wanted, counted, rare)[0] / size
            if plan.foresee:
                loss = loss + plan.foresee * foresight_loss(ahead, tokens, there, foreseen) / size
            if teacher is not None and distil:
                soft = torch.sigmoid(torch.from_numpy(teacher[rows.T]).to(group.device))
                each = nn.functional.binary_cross_entropy_with_logits(
                    logits.float(), soft, pos_weight=rare, reduction="none"
                )
                loss = loss + distil * (each * counted[..., None]).sum() / size
            yield loss

    with one_thread(group):
        fit_model(
            model, name=name, batches=batches, losses=losses,
            validate=None if validate is None else lambda: validate(model.export(rare)),
            loop=plan.loop, group=group, fingerprint=fingerprint, checkpoint=checkpoint, progress=progress,
        )  # fmt: skip
    return model.export(rare)


def _digest(sequences: Sequences, *arrays: NDArray[np.float32] | None) -> str:
    """Of everything that is learned from, so that a checkpoint of something else is not taken for this one's."""
    digest = hashlib.sha256(repr(sequences.fields).encode())
    for array in (sequences.tokens, sequences.starts, *arrays):
        # The header tells where one array ends, and whether it is there.
        digest.update(b"none" if array is None else f"{array.dtype} {array.shape} ".encode() + array.tobytes())
    return digest.hexdigest()
