"""Train the BiLSTM that merges URLs of one type, without a label made by hand.

The labels come from generated sites: their templates say which characters vary (distant supervision). The network
never sees
a word, only quantised figures of each part and of its siblings, plus a class of words that is blanked in half of
the examples, so
that what it learns carries over to shops in languages that it was not trained on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import MissingExtraError
from floorwalker.features.routes._learning_walk import build_routes
from floorwalker.features.routes._split import SplitTargets, split_targets
from floorwalker.features.routes._tokens import SLOTS, VOCABULARY
from floorwalker.learning._route_augment import augment, splice
from floorwalker.learning._route_export import export_onnx
from floorwalker.learning._route_teacher import Examples, SiteSample, Teacher

if TYPE_CHECKING:
    import torch

__all__ = ["SiteSample", "TrainedRoutes", "TrainingPlan", "collect_examples", "cut_sample", "train_network"]

Progress = Callable[[str], None]

SPLICED = 0.35
"""Share of the training samples that are joined from two sites."""


@dataclass(frozen=True)
class TrainingPlan:
    """How the network is trained.

    Parameters
    ----------
    members : networks whose logits are averaged: alike but for their seeds, they err on different sites.
    embedding, hidden : sizes of a token's vector and of the LSTM in each direction.
    epochs : at most so many passes; training stops after `patience` of them without a better validation loss.
    batch : sequences in a step.
    rate : of AdamW, falling along a cosine.
    averaging : of the weights over steps; the mean is what is kept, since it varies less from run to run.
    dropout : of the tokens' vectors and of what the head reads.
    blank : chance that a slot of a token is emptied; `blank_words` is that of the words' class, for a whole sequence.
    """

    members: int = 3
    embedding: int = 32
    hidden: int = 32
    epochs: int = 9
    patience: int = 3
    batch: int = 256
    rate: float = 4e-3
    averaging: float = 0.997
    dropout: float = 0.1
    blank: float = 0.08
    blank_words: float = 0.5


@dataclass(frozen=True)
class TrainedRoutes:
    """A trained network.

    Parameters
    ----------
    onnx : the graph's bytes.
    fingerprint : SHA-256 of the training sequences and labels.
    validation_loss, validation_accuracy : of the epoch that was kept.
    epochs : passes made; examples : sequences trained on.
    """

    onnx: bytes
    fingerprint: str
    validation_loss: float
    validation_accuracy: float
    epochs: int
    examples: int


def cut_sample(sample: SiteSample, *, words: bool = True) -> SplitTargets:
    """A sample's targets, cut."""
    parts = [target.encode() for target in sample.targets]
    ends = np.cumsum([0, *[len(part) for part in parts]])
    return split_targets(np.frombuffer(b"".join(parts), np.uint8), ends, words=words)


def collect_examples(
    samples: Iterable[SiteSample],
    *,
    sampled: int = 150,
    without_posts: float = 0.5,
    rng: np.random.Generator | None = None,
) -> Examples:
    """Walk through each site with the truth as judge, and keep what the network would have been asked.

    Parameters
    ----------
    sampled : siblings kept below one state, so that large sites do not drown small ones.
    without_posts : share of the samples whose methods are hidden, as they are where only URLs are known.
    rng : changes each sample's grammar (`augment`); None leaves the samples as they are.
    """
    gathered = Examples()
    recent: list[SiteSample] = []
    for number, given in enumerate(samples):
        sample = given
        if rng is not None:
            alike = [other for other in recent if 0.25 < len(other.targets) / len(given.targets) < 4]
            recent = [*recent[-30:], given]
            if alike and rng.random() < SPLICED:
                sample = splice(given, alike[int(rng.integers(0, len(alike)))], rng)
            sample = augment(sample, rng)
        cut = cut_sample(sample)
        teacher = Teacher(cut, sample.templates)
        posts = None if (number * 0.618034) % 1.0 < without_posts else sample.posts
        build_routes(cut, sample.counts, posts, teacher, sampled=sampled)
        gathered.tokens += teacher.examples.tokens
        gathered.lengths += teacher.examples.lengths
        gathered.labels += teacher.examples.labels
    return gathered


Prepared = tuple[NDArray[np.int16], NDArray[np.int64], NDArray[np.int8], NDArray[np.float32]]


def _distinct(examples: Examples) -> tuple[NDArray[np.int16], NDArray[np.int64], NDArray[np.int8], NDArray[np.float32]]:
    """Equal questions with equal answers once, weighted by the root of how often they came."""
    tokens, lengths, labels = examples.stack()
    whole = np.concatenate([tokens.reshape(len(tokens), -1), labels.astype(np.int16)], axis=1)
    whole = np.ascontiguousarray(whole)
    _, first, times = np.unique(
        whole.view(np.dtype((np.void, whole.dtype.itemsize * whole.shape[1]))).ravel(),
        return_index=True, return_counts=True,
    )  # fmt: skip
    return tokens[first], lengths[first], labels[first], np.sqrt(times).astype(np.float32)


def _word_slots() -> NDArray[np.bool_]:
    """bool [VOCABULARY]: the embedding rows that name a class of words."""
    rows = np.zeros(VOCABULARY, np.bool_)
    begin = 1
    for kind, sizes in SLOTS.items():
        for slot, size in enumerate(sizes):
            if (kind, slot) in {("prior", 4), ("part", 10), ("future", 5), ("key", 10)}:
                rows[begin + 1 : begin + size] = True
            begin += size
    return rows


def train_network(
    training: Examples,
    validation: Examples,
    *,
    seed: int,
    plan: TrainingPlan | None = None,
    progress: Progress | None = None,
) -> TrainedRoutes:
    """Train on one set of families, stop early on another.

    Source: bidirectional LSTM after Schuster and Paliwal (1997) and Graves and Schmidhuber (2005); its use on URLs
    after paper B.

    Parameters
    ----------
    training : what the members are fitted to.
    validation : decides when each of them stops.
    seed : of weights, order and blanking.
    progress : called with a line for each epoch.

    Errors
    ------
    MissingExtraError : PyTorch or onnx is not installed.
    """
    try:
        import onnx  # noqa: F401
        import torch  # noqa: F401
    except ImportError as missing:
        raise MissingExtraError(missing.name or "torch", "train") from missing
    plan = plan or TrainingPlan()
    prepared, held = _distinct(training), _distinct(validation)
    members = [
        _train_member(prepared, held, seed=seed + 1000 * number, plan=plan, progress=progress)
        for number in range(plan.members)
    ]
    return TrainedRoutes(
        export_onnx([member.weights for member in members]),
        hashlib.sha256(prepared[0].tobytes() + prepared[2].tobytes()).hexdigest(),
        float(np.mean([member.loss for member in members])),
        float(np.mean([member.accuracy for member in members])),
        max(member.epochs for member in members),
        len(prepared[0]),
    )


@dataclass(frozen=True)
class _Member:
    weights: dict[str, NDArray[np.float32]]
    loss: float
    accuracy: float
    epochs: int


def _train_member(
    training: Prepared, held: Prepared, *, seed: int, plan: TrainingPlan, progress: Progress | None
) -> _Member:
    import torch

    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    tokens, lengths, labels, weights = training
    words = _word_slots()
    network, averaged = _make_network(plan), _make_network(plan)
    averaged.load_state_dict(network.state_dict())
    steps = plan.epochs * (len(tokens) // plan.batch + 1)
    optimiser = torch.optim.AdamW(network.parameters(), lr=plan.rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=plan.rate, total_steps=steps, pct_start=0.1)
    best_loss, best_accuracy, best, since, epochs = np.inf, 0.0, averaged.state_dict(), 0, 0
    for epoch in range(plan.epochs):
        epochs = epoch + 1
        network.train()
        for rows in _batches(lengths, plan.batch, rng):
            longest = int(lengths[rows].max())
            shown = tokens[rows, :longest].astype(np.int64)
            shown[words[shown] & (rng.random(len(rows)) < plan.blank_words)[:, None, None]] = 0
            emptied = rng.random(shown.shape, dtype=np.float32) < plan.blank
            emptied[:, :, 0] = False
            shown[emptied] = 0
            loss = _loss(network, shown, lengths[rows], labels[rows, :longest], weights[rows])[0]
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            with torch.no_grad():
                for mean, now in zip(averaged.parameters(), network.parameters(), strict=True):
                    mean.lerp_(now, 1 - plan.averaging)
        held_loss, accuracy = _validate(averaged, *held)
        if progress is not None:
            progress(f"epoch {epochs}: validation loss {held_loss:.4f}, accuracy {accuracy:.4f}")
        since += 1
        if held_loss < best_loss:
            best_loss, best_accuracy, since = held_loss, accuracy, 0
            best = {name: value.clone() for name, value in averaged.state_dict().items()}
        if since >= plan.patience:
            break
    return _Member({name: value.numpy() for name, value in best.items()}, best_loss, best_accuracy, epochs)


def _batches(lengths: NDArray[np.int64], size: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """Shuffled batches of sequences of like length, so that little is padding."""
    order = np.argsort(lengths + rng.random(len(lengths)) * 3, kind="stable")
    starts = rng.permutation(np.arange(0, len(order), size))
    return [order[start : start + size] for start in starts.tolist()]


def _make_network(plan: TrainingPlan) -> torch.nn.Module:
    import torch

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = torch.nn.Embedding(VOCABULARY, plan.embedding, padding_idx=0)
            torch.nn.init.normal_(self.embedding.weight, std=0.25)
            with torch.no_grad():
                self.embedding.weight[0] = 0
            self.lstm = torch.nn.LSTM(plan.embedding, plan.hidden, batch_first=True, bidirectional=True)
            self.dropout = torch.nn.Dropout(plan.dropout)
            self.skip = torch.nn.Linear(plan.embedding, 2 * plan.hidden)
            self.head = torch.nn.Linear(2 * plan.hidden, 1)

        def forward(self, tokens: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
            vectors = self.dropout(self.embedding(tokens).sum(dim=2))
            packed = torch.nn.utils.rnn.pack_padded_sequence(vectors, lengths, batch_first=True, enforce_sorted=False)
            answer, _ = torch.nn.utils.rnn.pad_packed_sequence(
                self.lstm(packed)[0], batch_first=True, total_length=tokens.shape[1]
            )
            logits: torch.Tensor = self.head(self.dropout(torch.relu(answer + self.skip(vectors)))).squeeze(-1)
            return logits

    return Network()


def _loss(
    network: torch.nn.Module,
    tokens: NDArray[np.int64],
    lengths: NDArray[np.int64],
    labels: NDArray[np.int8],
    weights: NDArray[np.float32],
) -> tuple[Any, float, float]:
    import torch

    logits = network(torch.from_numpy(tokens), torch.from_numpy(lengths))
    asked = torch.from_numpy((labels >= 0).astype(np.float32) * weights[:, None])
    truth = torch.from_numpy((labels == 1).astype(np.float32))
    each = torch.nn.functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    right = float((((logits > 0) == (truth > 0.5)).float() * asked).sum())
    total = float(asked.sum())
    return (each * asked).sum() / max(total, 1e-9), right, total


def _validate(
    network: torch.nn.Module,
    tokens: NDArray[np.int16],
    lengths: NDArray[np.int64],
    labels: NDArray[np.int8],
    weights: NDArray[np.float32],
) -> tuple[float, float]:
    import torch

    network.eval()
    loss, right, total = 0.0, 0.0, 0.0
    with torch.no_grad():
        for rows in np.array_split(np.argsort(lengths, kind="stable"), max(1, len(lengths) // 1024)):
            longest = int(lengths[rows].max())
            part, hits, asked = _loss(
                network, tokens[rows, :longest].astype(np.int64), lengths[rows], labels[rows, :longest], weights[rows]
            )
            loss, right, total = loss + float(part) * asked, right + hits, total + asked
    return loss / max(total, 1e-9), right / max(total, 1e-9)
