"""Views of a text: each turns texts into rows and has linear heads of its own; a classifier stacks what they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.content._inputs import GRAM_VIEWS, Inputs
from floorwalker.detectors.content._kernel_view import KernelView
from floorwalker.detectors.content._phrases import PhraseView
from floorwalker.detectors.content.grams import Grams, Rows

KINDS = ("", "+", "=")
"""What is made of n-grams: a support vector machine; the same with log-count ratios; the mean of those ratios alone."""

PHRASES = "phrases"
"""The view that is a language model a class."""

DENSE_VIEWS = ("style", "minilm", "minilm_layers", "e5", "meaning")
"""`meaning`: the embeddings of all encoders, style and what else the caller brought, in one head."""

KERNEL_VIEWS: Mapping[str, str] = {"layers_kernel": "minilm_layers"}
"""Views that a line is not enough for, and the encoder that each belongs to."""


class View(Protocol):
    """What the classifier asks of a view."""

    name: str

    def fit(self, inputs: Inputs, labels: NDArray[np.int64], classes: int, *, balanced: bool) -> None:
        """Learn heads, one for two classes, else one a class."""
        ...

    def decide(self, inputs: Inputs) -> NDArray[np.float32]:
        """float32 [n, heads]; higher speaks for the (second) class."""
        ...

    def state(self) -> dict[str, NDArray[Any]]:
        """All that was learned, as arrays."""
        ...

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take over what `state` gave."""
        ...


@dataclass
class GramView:
    """Linear support vector machines on TF-IDF n-grams; with `ratio`, each n-gram is first weighed by its log-count
    ratio between the classes, as in NB-SVM.

    Source: S. Wang, C. Manning, *Baselines and bigrams*, ACL 2012, equations 1 to 5.
    """

    name: str
    ratio: bool
    grams: Grams
    strength: float = 1.0
    _weights: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32), repr=False)
    _intercepts: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32), repr=False)

    def fit(self, inputs: Inputs, labels: NDArray[np.int64], classes: int, *, balanced: bool) -> None:
        """Learn the n-grams and the heads."""
        from floorwalker.detectors.content._training import fit_margin

        self.grams, rows = inputs.learn_grams(stem_of(self.name))
        weights, intercepts = [], []
        for one in range(classes) if classes > 2 else (1,):
            target = labels == one
            scale = _log_count_ratio(rows, target) if self.ratio else np.ones(rows.shape[1])
            scaled = rows.multiply(scale).tocsr() if self.ratio else rows
            found, intercept = fit_margin(scaled, target, strength=self.strength, balanced=balanced)
            weights.append(found * scale)
            intercepts.append(intercept)
        self._weights = np.array(weights, np.float32).reshape(len(intercepts), -1)
        self._intercepts = np.array(intercepts, np.float32)

    def decide(self, inputs: Inputs) -> NDArray[np.float32]:
        """float32 [n, heads]."""
        return inputs.rows_of(self.grams).times(self._weights, self._intercepts)

    def state(self) -> dict[str, NDArray[Any]]:
        """Buckets, rarity, weights in half precision."""
        buckets, rarity = self.grams.state()
        # Half precision holds three digits, far finer than the spread between two fits; saved and loaded heads agree.
        return {
            "buckets": buckets,
            "rarity": rarity.astype(np.float16),
            "weights": self._weights.astype(np.float16),
            "intercepts": self._intercepts,
            "common": np.array(self.grams.common, np.str_),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take over what `state` gave."""
        self.grams.restore(arrays["buckets"], arrays["rarity"].astype(np.float32), arrays["common"].tolist())
        self._weights, self._intercepts = arrays["weights"].astype(np.float32), arrays["intercepts"]


@dataclass
class RatioView:
    """The mean log-count ratio of the n-grams that a text holds: naive Bayes, each n-gram once, by length of the text.

    It asks how often a kind of writer writes so, not what tells two kinds apart: beside a support vector machine, whose
    errors on few texts are others, it makes the stack surer.

    Source: S. Wang, C. Manning, *Baselines and bigrams*, ACL 2012, equation 2.
    """

    name: str
    grams: Grams
    _weights: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32), repr=False)

    def fit(self, inputs: Inputs, labels: NDArray[np.int64], classes: int, *, balanced: bool) -> None:
        """Learn the n-grams and how much oftener each class has them."""
        self.grams, rows = inputs.learn_grams(stem_of(self.name))
        heads = range(classes) if classes > 2 else (1,)
        self._weights = np.array([_log_count_ratio(rows, labels == one, 0.5) for one in heads], np.float32)

    def decide(self, inputs: Inputs) -> NDArray[np.float32]:
        """float32 [n, heads]; 0 for a text without a known n-gram."""
        rows = inputs.rows_of(self.grams)
        counts = np.diff(rows.starts)
        once = Rows(
            rows.starts, rows.columns, np.repeat(1 / np.maximum(counts, 1), counts).astype(np.float32), rows.width
        )
        return once.times(self._weights, np.zeros(len(self._weights), np.float32))

    def state(self) -> dict[str, NDArray[Any]]:
        """Buckets, rarity, ratios in half precision."""
        buckets, rarity = self.grams.state()
        return {
            "buckets": buckets,
            "rarity": rarity.astype(np.float16),
            "weights": self._weights.astype(np.float16),
            "common": np.array(self.grams.common, np.str_),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take over what `state` gave."""
        self.grams.restore(arrays["buckets"], arrays["rarity"].astype(np.float32), arrays["common"].tolist())
        self._weights = arrays["weights"].astype(np.float32)


@dataclass
class DenseView:
    """Logistic regression on standardised dense rows: style, an encoder's embedding, or several together."""

    name: str
    parts: tuple[str, ...]
    strength: float
    _weights: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)), repr=False)
    _intercepts: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0), repr=False)

    def fit(self, inputs: Inputs, labels: NDArray[np.int64], classes: int, *, balanced: bool) -> None:
        """Learn scaling and heads."""
        from floorwalker.detectors.content._training import fit_logistic

        rows = self._rows(inputs)
        mean, deviation = rows.mean(0), rows.std(0)
        deviation[deviation < 1e-6] = 1
        weights, intercepts = fit_logistic((rows - mean) / deviation, labels, strength=self.strength, balanced=balanced)
        self._weights = weights / deviation
        self._intercepts = intercepts - self._weights @ mean

    def decide(self, inputs: Inputs) -> NDArray[np.float32]:
        """float32 [n, heads]."""
        return (self._rows(inputs) @ self._weights.T + self._intercepts).astype(np.float32)

    def state(self) -> dict[str, NDArray[Any]]:
        """Weights and intercepts."""
        return {"weights": self._weights, "intercepts": self._intercepts}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take over what `state` gave."""
        self._weights, self._intercepts = arrays["weights"], arrays["intercepts"]

    def _rows(self, inputs: Inputs) -> NDArray[np.float64]:
        rows = np.hstack([inputs.dense[part] for part in self.parts]).astype(np.float64)
        return np.nan_to_num(rows, nan=0.0, posinf=0.0, neginf=0.0)


def stem_of(name: str) -> str:
    """The n-grams that a view is of.

    >>> stem_of("words+")
    'words'
    """
    return name.rstrip("".join(KINDS))


def make_views(names: tuple[str, ...], dense: tuple[str, ...]) -> list[View]:
    """The views of these names; `words+` is `words` with log-count ratios, `words=` the ratios alone; `dense` are the
    dense parts at hand."""
    views: list[View] = []
    for name in names:
        stem = stem_of(name)
        if stem in GRAM_VIEWS and name.endswith("="):
            views.append(RatioView(name, Grams(**GRAM_VIEWS[stem])))
        elif stem in GRAM_VIEWS:
            ratio = name.endswith("+")
            views.append(GramView(name, ratio, Grams(**GRAM_VIEWS[stem]), 0.1 if ratio else 1.0))
        elif name == PHRASES:
            views.append(PhraseView(name))
        elif name in KERNEL_VIEWS:
            views.append(KernelView(name, KERNEL_VIEWS[name]))
        elif name == "meaning":
            views.append(DenseView(name, dense, 0.003))
        else:
            views.append(DenseView(name, (name,), 0.1 if name in ("style", "extra") else 0.003))
    return views


def share_grams(views: Sequence[View]) -> None:
    """Views of one fit that were read apart count their n-grams together again."""
    first: dict[str, Grams] = {}
    for view in views:
        if isinstance(view, GramView | RatioView):
            view.grams = first.setdefault(stem_of(view.name), view.grams)


def _log_count_ratio(rows: Any, target: NDArray[np.bool_], added: float = 1.0) -> NDArray[np.float64]:
    present = rows.copy()
    present.data = np.ones_like(present.data)
    inside = np.asarray(present[target].sum(0)).ravel() + added
    outside = np.asarray(present[~target].sum(0)).ravel() + added
    ratio: NDArray[np.float64] = np.log((inside / inside.sum()) / (outside / outside.sum()))
    return ratio
