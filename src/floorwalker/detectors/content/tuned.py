"""MiniLM trained further on labelled texts, a view of the classifier: fitted with PyTorch, served by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.content._inputs import Inputs
from floorwalker.detectors.content.encoder import MiniLM, MiniLMFiles, encodable, read_minilm
from floorwalker.errors import ArtefactError, InputError, MissingExtraError, UsageError
from floorwalker.models.devices import check_device

TUNED = "tuned"


@dataclass(frozen=True)
class Tuning:
    """How MiniLM is trained further on a shop's own texts.

    Parameters
    ----------
    epochs, rate, batch : of AdamW, the rate rising for a tenth of the steps and falling then.
    rank : of the adapters beside each matrix (Hu et al. 2021).
    upper : of MiniLM's six layers, so many from the top are trained.
    members : encoders, each trained without another part of the texts; what they say of that part trains the stack,
        and of new texts the mean counts. Scoring costs so many encoders a text.
    most_tokens : of a text that are read.
    device : `cpu`, `cuda`, `cuda:N` or `mps`; mixed precision where the device is made for it.
    """

    epochs: int = 4
    rate: float = 5e-4
    batch: int = 16
    rank: int = 8
    upper: int = 6
    members: int = 3
    dropout: float = 0.1
    most_tokens: int = 256
    device: str = "cpu"

    def __post_init__(self) -> None:
        faulty = [
            name
            for name, most in (("epochs", 100), ("batch", 4096), ("rank", 384), ("upper", 6), ("members", 20))
            if not 1 <= getattr(self, name) <= most
        ]
        if faulty or self.members < 2 or not 0 < self.rate < 1 or not 0 <= self.dropout < 1:
            raise UsageError(
                f"{self}",
                allowed="epochs, batch and rank of 1 and up, upper of 1 to 6, members of 2 to 20, rate and dropout "
                "below 1",
            )
        if not 8 <= self.most_tokens <= 512:
            raise UsageError(f"most_tokens={self.most_tokens}", allowed="8 to 512")
        check_device(self.device)


@dataclass
class TunedView:
    """Adapters in MiniLM's layers and a head, learned with the labels; its answer is the mean of several members.

    It works against abuse where a kind of writing, rather than a subject, gives a writer away and hundreds of labelled
    texts are there to show it: the frozen encoder was trained to tell subjects apart.

    Source: E. Hu et al., *LoRA*, 2021; L. Breiman, *Bagging predictors*, 1996.
    """

    settings: Tuning = field(default_factory=Tuning)
    seed: int = 0
    name: str = TUNED
    _learned: list[dict[str, NDArray[np.float32]]] = field(default_factory=list, repr=False)
    _encoders: list[MiniLM] = field(default_factory=list, repr=False)

    def fit(self, inputs: Inputs, labels: NDArray[np.int64], classes: int, *, balanced: bool) -> None:
        """Learned already: `cross_fit` trains the members, each on all texts but one part."""

    def cross_fit(
        self, inputs: Inputs, labels: NDArray[np.int64], classes: int, part: NDArray[np.int64], *, balanced: bool
    ) -> NDArray[np.float32]:
        """Train a member for each part of the texts, on all others.

        Parameters
        ----------
        part : int64 [n], which part a text is in.

        Returns what each member says of the texts of its part: float32 [n, heads].
        """
        # Before any of them is trained: that takes minutes.
        if any(not np.bincount(labels[part != member], minlength=classes).all() for member in np.unique(part)):
            raise InputError("a class whose texts are all in one part", fix="give more texts or fewer members")
        try:
            from floorwalker.detectors.content._tuning import Plan, train_adapters
        except ModuleNotFoundError as missing:
            raise MissingExtraError(missing.name or "torch", "train") from missing
        files = read_minilm()
        files.tokenizer.enable_truncation(self.settings.most_tokens)
        tokens = [one.ids for one in files.tokenizer.encode_batch([encodable(text) for text in inputs.texts])]
        given = self.settings
        held = np.zeros((len(labels), 1 if classes == 2 else classes), np.float32)
        self._learned, self._encoders = [], []
        for member in np.unique(part).tolist():
            plan = Plan(
                layers=files.layers, heads=files.heads, epsilon=files.epsilon, upper=given.upper, rank=given.rank,
                epochs=given.epochs, rate=given.rate, batch=given.batch, dropout=given.dropout, device=given.device,
                seed=self.seed * 101 + member,
            )  # fmt: skip
            rows, asked = np.flatnonzero(part != member), np.flatnonzero(part == member)
            counts = np.bincount(labels[rows], minlength=classes)
            weights = (len(rows) / (classes * counts)).astype(np.float32) if balanced else None
            learned = train_adapters(
                files.tensors, [tokens[row] for row in rows.tolist()], labels[rows], classes, plan, weights=weights
            )
            self._take(learned, files)
            held[asked] = self._say(len(self._encoders) - 1, inputs.take(asked).texts)
        return held

    def decide(self, inputs: Inputs) -> NDArray[np.float32]:
        """float32 [n, heads], the members' mean."""
        said = [self._say(member, inputs.texts) for member in range(len(self._encoders))]
        answer: NDArray[np.float32] = np.mean(said, axis=0, dtype=np.float32)
        return answer

    def state(self) -> dict[str, NDArray[Any]]:
        """Adapters and heads of all members, in half precision."""
        return {
            f"{member}.{name}": values.astype(np.float16)
            for member, learned in enumerate(self._learned)
            for name, values in learned.items()
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take over what `state` gave; `MissingExtraError` where MiniLM's wheel is missing."""
        files = read_minilm()
        self._learned, self._encoders = [], []
        members = sorted({int(name.split(".", 1)[0]) for name in arrays})
        if not members:
            raise ArtefactError("no adapters of the tuned encoder", fix="train the model again")
        for member in members:
            prefix = f"{member}."
            learned = {
                name[len(prefix) :]: one.astype(np.float32) for name, one in arrays.items() if name.startswith(prefix)
            }
            try:
                self._take(learned, files)
            except (KeyError, ValueError) as broken:
                raise ArtefactError(f"adapters do not fit MiniLM: {broken}", fix="train the model again") from broken

    def _take(self, learned: dict[str, NDArray[np.float32]], files: MiniLMFiles) -> None:
        self._encoders.append(
            MiniLM(most_tokens=self.settings.most_tokens, content=files.graph(merge_adapters(files.tensors, learned)))
        )
        self._learned.append(learned)

    def _say(self, member: int, texts: list[str]) -> NDArray[np.float32]:
        learned = self._learned[member]
        answer: NDArray[np.float32] = (
            self._encoders[member].embed(texts) @ learned["head.weight"].T + learned["head.bias"]
        ).astype(np.float32)
        return answer


def merge_adapters(
    tensors: Mapping[str, NDArray[Any]], learned: Mapping[str, NDArray[np.float32]]
) -> dict[str, NDArray[Any]]:
    """The encoder's tensors with each adapter added to its matrix, and the learned offsets and norms in their places.

    >>> merged = merge_adapters({"a.weight": np.eye(2)}, {"a.inner": np.ones((1, 2)), "a.outer": np.array([[1], [0]])})
    >>> merged["a.weight"].tolist()
    [[2.0, 1.0], [0.0, 1.0]]
    """
    merged = dict(tensors)
    for name, values in learned.items():
        stem, kind = name.rsplit(".", 1)
        if stem == "head" or kind == "outer":
            continue
        if kind == "inner":
            merged[stem + ".weight"] = tensors[stem + ".weight"] + learned[stem + ".outer"] @ values
        else:
            merged[name] = values.reshape(tensors[name].shape)
    return merged
