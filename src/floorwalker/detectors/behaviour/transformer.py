"""The large model of behaviour: a causal Transformer that learns a shop's language of events without labels."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.behaviour._labels import check_labels, sequence_weights, soft_loss, to_events
from floorwalker.detectors.behaviour._torch import import_torch, training_group
from floorwalker.detectors.behaviour.lstm import FEWEST, RANKS, share_foreseen_better
from floorwalker.detectors.behaviour.sequences import Field, Sequences
from floorwalker.detectors.behaviour.sizes import Size, size_of
from floorwalker.detectors.behaviour.weights import foreseen_of, pack_arrays, unpack_arrays
from floorwalker.errors import ArtefactError, InputError, NotReadyError, UsageError
from floorwalker.models.artefacts import load_artefact, save_artefact
from floorwalker.models.devices import check_device, find_device

if TYPE_CHECKING:
    from floorwalker.detectors.behaviour._training import Progress
    from floorwalker.detectors.behaviour._transformer_training import Run
    from floorwalker.detectors.behaviour.following import Following

ARTEFACT = "behaviour.transformer"
FORMAT = 1


@dataclass
class CausalTransformer:
    """Foresee events, and recognise abuse with what was learned so.

    Pre-training needs no labels: the next event's type, route, gap and amount are foreseen from all before it. What is
    known of honest behaviour then helps wherever labels are few; and what nobody could foresee is a surprise. It runs
    in the background: for the request path it is distilled into an LSTM (`SequenceLSTM.fit(teacher=…)`).

    Parameters
    ----------
    size : a name in `SIZES`, from 0.1 to 200 million weights, or a `Size`.
    context : events that are looked at, at most; even. Longer sequences are taken in windows that overlap by half.
    rotary : positions as rotations (RoFormer); learned positions otherwise.
    dropout : while learning.
    epochs, rate, patience, batch_events : passes over the data at most, rate of learning, passes without progress
        before it ends, and events of one step.
    accumulate : parts that a step is divided into, where memory is short.
    frozen : whether labels only teach their head; otherwise everything learns, at a fifth of the rate.
    validation_share : of the sequences, the last ones given, which decide when it ends.
    seed : the only source of chance.
    device : ``cpu``, ``cuda``, ``cuda:N`` or ``mps``; on a card in mixed precision, under ``torchrun`` on several.
    checkpoint : folder; a training that was broken off goes on from there.
    progress : told of the stage, the epochs done, of how many, and the validation's loss.

    Source: A. Vaswani and others, *Attention is all you need*, 2017; A. Radford and others, *Improving language
    understanding by generative pre-training*, 2018.
    """

    size: str | Size = "small"
    context: int = 128
    rotary: bool = True
    dropout: float = 0.1
    epochs: int = 10
    rate: float = 1e-3
    patience: int = 2
    batch_events: int = 8192
    accumulate: int = 1
    frozen: bool = False
    validation_share: float = 0.15
    seed: int = 0
    device: str = "cpu"
    checkpoint: Path | None = None
    progress: Progress | None = None
    fields: tuple[Field, ...] = field(default=(), init=False)
    labels: int = field(default=0, init=False)
    ranks: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32), init=False, repr=False)
    model: Any = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        self.size = size_of(self.size)
        for name, least, most in (
            ("context", 2, 1 << 16), ("dropout", 0, 0.9), ("epochs", 1, 10_000), ("rate", 1e-7, 1),
            ("patience", 0, 10_000), ("batch_events", 1, 1 << 24), ("accumulate", 1, 4096),
            ("validation_share", 0, 0.5), ("seed", 0, 2**31),
        ):  # fmt: skip
            if not least <= getattr(self, name) <= most:
                raise UsageError(f"{name} is {getattr(self, name)}", allowed=f"{least} to {most}")
        if self.context % 2:
            raise UsageError(f"context is {self.context}", allowed="an even number")
        check_device(self.device)

    def pretrain(self, sequences: Sequences) -> CausalTransformer:
        """Learn to foresee events; `InputError` where there are none, `MissingExtraError` without PyTorch."""
        import_torch()
        if not len(sequences.tokens):
            raise InputError("there are no events to learn from", allowed="at least one sequence with an event")
        self.fields, self.labels = sequences.fields, 0
        self.model = self._make(1)
        self._learn(sequences, None, "foresee")
        means = self.mean_surprise(self._late(sequences))
        self.ranks = np.quantile(means[~np.isnan(means)], np.linspace(0, 1, RANKS)).astype(np.float32)
        return self

    def fit(self, sequences: Sequences, labels: NDArray[Any] | Sequence[Any] | None = None) -> CausalTransformer:
        """Learn labels, after pre-training on the same sequences where that was not done before.

        Parameters and errors as for `SequenceLSTM.fit`.
        """
        import torch

        given = check_labels(labels, sequences)
        if self.model is None:
            self.pretrain(sequences)
        self._check(sequences)
        if given is None:
            return self
        self.labels = given.shape[1]
        with torch.random.fork_rng():
            torch.manual_seed(self.seed)
            self.model.head = torch.nn.Linear(self.model.size.width, self.labels).to(self.device)
        rare = self._learn(sequences, given, "recognise")
        with torch.no_grad():
            # Positives that count more multiply the odds: here it is taken back.
            self.model.head.bias -= torch.from_numpy(np.log(rare)).to(self.device)
        return self

    def score(self, sequences: Sequences) -> NDArray[np.float32]:
        """Of each sequence, as of its last event, as `SequenceLSTM.score`: float32 [n] or [n, K]."""
        if not self.labels:
            return share_foreseen_better(self.ranks, self.mean_surprise(sequences))
        events = self.score_events(sequences).reshape(len(sequences.tokens), self.labels)
        filled = sequences.lengths > 0
        scores = np.full((len(sequences), events.shape[1]), np.nan, np.float32)
        scores[filled] = events[sequences.starts[1:][filled] - 1]
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def score_events(self, sequences: Sequences) -> NDArray[np.float32]:
        """Of each event, as of then: float32 [events] for one label, [events, K] for K. Needs labels in `fit`."""
        wide = self.logits(sequences).astype(np.float64)
        scores = (1.0 / (1.0 + np.exp(-wide))).astype(np.float32)
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def logits(self, sequences: Sequences) -> NDArray[np.float32]:
        """As `score_events` before the logistic function, float32 [events, K]: what a distilled LSTM imitates."""
        if not self.labels:
            raise NotReadyError("the Transformer has learned no labels", fix="fit it with labels, or use `surprise`")
        return self._run(sequences).logits

    def surprise(self, sequences: Sequences) -> NDArray[np.float32]:
        """Nats by which each event was not foreseen by those before it: float32 [events]."""
        return self._run(sequences).surprise

    def mean_surprise(self, sequences: Sequences) -> NDArray[np.float32]:
        """Mean of `surprise` over each sequence: float32 [n]; NaN for an empty one."""
        sums = np.bincount(sequences.owners, weights=self.surprise(sequences), minlength=len(sequences))
        return np.where(sequences.lengths > 0, sums / np.maximum(sequences.lengths, 1), np.nan).astype(np.float32)

    def embed(self, sequences: Sequences) -> NDArray[np.float32]:
        """The representation of each sequence's last event: float32 [n, width]; NaN for an empty sequence. Trees,
        forests and vector machines on top of it are paper C's second step."""
        hidden = self._run(sequences, hidden=True).hidden
        found = np.full((len(sequences), hidden.shape[1]), np.nan, np.float32)
        filled = sequences.lengths > 0
        found[filled] = hidden[sequences.starts[1:][filled] - 1]
        return found

    def predict_next(self, sequences: Sequences, *, of: str, most: int = 5) -> tuple[NDArray[Any], NDArray[Any]]:
        """What comes next: codes int64 [n, most], most likely first, and their probabilities float32.

        Parameters
        ----------
        of : the foreseen field that is asked for; another raises `UsageError`.
        most : candidates of each sequence; cut to the field's size.
        """
        for place, first, size in foreseen_of(self.fields).tolist():
            if self.fields[place].name == of:
                hidden = np.nan_to_num(self.embed(sequences)).astype(np.float64)
                weight, bias = (each.detach().cpu().double().numpy() for each in self.model.ahead.parameters())
                logits = hidden @ weight[first : first + size].T + bias[first : first + size]
                chances = np.exp(logits - logits.max(axis=1, keepdims=True))
                chances /= chances.sum(axis=1, keepdims=True)
                codes = np.argsort(-chances, axis=1, kind="stable")[:, :most]
                return codes, np.take_along_axis(chances, codes, axis=1).astype(np.float32)
        allowed = ", ".join(each.name for each in self.fields if each.predicted)
        raise UsageError(f"the field {of!r} is not foreseen", allowed=allowed or "none: no field is predicted")

    def follow(self) -> Following:
        """Follow one sequence event by event, at the cost of one event each: keys and values are kept."""
        from floorwalker.detectors.behaviour.following import Following

        if self.model is None:
            raise NotReadyError("the Transformer has learned nothing yet", fix="pretrain or fit it first")
        return Following(self.model, self.fields, self.device)

    def save(self, folder: Path) -> None:
        """Write weights (safetensors), fields and settings as an artefact."""
        from safetensors.torch import save as pack

        if self.model is None:
            raise NotReadyError("the Transformer has learned nothing yet", fix="pretrain or fit it first")
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in self.model.state_dict().items()}
        facts = {
            "fields": [asdict(each) for each in self.fields],
            "labels": self.labels,
            "settings": {
                "size": asdict(size_of(self.size)), "context": self.context, "rotary": self.rotary, "seed": self.seed,
            },
        }  # fmt: skip
        files = {"weights.safetensors": pack(tensors), "ranks.npz": pack_arrays({"ranks": self.ranks})}
        save_artefact(folder, name=ARTEFACT, version=FORMAT, files=files, facts={"model": facts})

    @classmethod
    def load(cls, folder: Path, *, device: str = "cpu") -> CausalTransformer:
        """What `save` wrote; damaged or foreign files raise `ArtefactError`."""
        find_device(device)
        from safetensors.torch import load as unpack

        artefact = load_artefact(folder, name=ARTEFACT, version=FORMAT)
        try:
            facts: Any = artefact.manifest["model"]
            settings = {**facts["settings"], "size": Size(**facts["settings"]["size"])}
            found = cls(**settings, device=device)
            found.fields = tuple(Field(**each) for each in facts["fields"])
            found.labels = int(facts["labels"])
            found.ranks = unpack_arrays(artefact.files["ranks.npz"])["ranks"]
            found.model = found._make(max(found.labels, 1))
            found.model.load_state_dict(unpack(artefact.files["weights.safetensors"]))
        except (KeyError, TypeError, ValueError, RuntimeError) as broken:
            raise ArtefactError(f"{folder} is incomplete: {json.dumps(str(broken))}", fix="train it again") from broken
        return found

    def export_onnx(self, file: Path) -> None:
        """Write an ONNX graph for serving in the background: tokens int64 [n, T, F] to float32 [n, T, K + 1], the
        logits of the labels and the surprise of each event; T is at most `context`."""
        from floorwalker.detectors.behaviour._transformer_export import export_onnx

        if self.model is None:
            raise NotReadyError("the Transformer has learned nothing yet", fix="pretrain or fit it first")
        file.write_bytes(export_onnx(self.model, self.fields))

    def _make(self, labels: int) -> Any:
        import torch

        from floorwalker.detectors.behaviour._transformer_model import TransformerModel

        device = find_device(self.device)
        with torch.random.fork_rng():
            torch.manual_seed(self.seed)
            made = TransformerModel(
                self.fields, labels, size_of(self.size), context=self.context, rotary=self.rotary, dropout=self.dropout
            )
        return made.to(device)

    def _split(self, sequences: Sequences) -> int:
        """How many sequences are learned from; the rest decide when it ends."""
        kept_back = int(len(sequences) * self.validation_share) if len(sequences) >= FEWEST else 0
        learned = len(sequences) - kept_back
        has_both = 0 < sequences.starts[learned] < len(sequences.tokens)
        return learned if has_both else len(sequences)

    def _late(self, sequences: Sequences) -> Sequences:
        learned = self._split(sequences)
        return sequences if learned == len(sequences) else sequences.take(np.arange(learned, len(sequences)))

    def _learn(self, sequences: Sequences, given: NDArray[np.float32] | None, name: str) -> NDArray[np.float32]:
        from floorwalker.detectors.behaviour._training import Loop
        from floorwalker.detectors.behaviour._transformer_training import Plan, run, train

        per_event = given is not None and len(given) == len(sequences.tokens) != len(sequences)
        wanted = to_events(given, sequences)
        weights = np.ones(len(sequences.tokens), np.float32) if per_event else sequence_weights(sequences)
        learned = self._split(sequences)
        border = int(sequences.starts[learned])
        past = sequences.take(np.arange(learned))
        coming = sequences.take(np.arange(learned, len(sequences)))

        def validate() -> float:
            ran = run(self.model, coming, self.device)
            if given is None:
                return float(ran.surprise.mean())
            return soft_loss(ran.logits, wanted[border:], weights[border:])

        slower = 1.0 if given is None or self.frozen else 0.2
        plan = Plan(
            foresee=1.0 if given is None else 0.05, recognise=0.0 if given is None else 1.0,
            batch_events=int(np.clip(border // 16, 256, self.batch_events)), accumulate=self.accumulate,
            frozen=self.frozen and given is not None,
            loop=Loop(self.epochs, self.rate * slower, self.patience, seed=self.seed),
        )  # fmt: skip
        seen = (sequences.tokens, sequences.starts, wanted, weights)
        digest = hashlib.sha256(b"".join(array.tobytes() for array in seen)).hexdigest()
        with training_group(self.device) as group:
            self.model.to(group.device)
            return train(
                self.model, past, wanted[:border], weights[:border], plan, name=name,
                validate=validate if len(coming.tokens) else None, group=group,
                fingerprint=f"{digest} {border} {plan} {self.size} {self.context} {self.rotary} {self.dropout}",
                checkpoint=self.checkpoint, progress=self.progress,
            )  # fmt: skip

    def _check(self, sequences: Sequences) -> None:
        if self.model is None:
            raise NotReadyError("the Transformer has learned nothing yet", fix="pretrain or fit it first")
        if sequences.fields != self.fields:
            raise InputError(
                f"sequences of the fields {', '.join(each.name for each in sequences.fields)}",
                allowed=", ".join(f"{each.name} ({each.size})" for each in self.fields),
                fix="encode them with the vocabulary that the Transformer was trained with",
            )

    def _run(self, sequences: Sequences, *, hidden: bool = False) -> Run:
        self._check(sequences)
        from floorwalker.detectors.behaviour._transformer_training import run

        return run(self.model, sequences, self.device, hidden=hidden)
