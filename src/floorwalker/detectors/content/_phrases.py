"""How likely each class is to write a text word by word: a language model a class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.content._characters import as_codes
from floorwalker.detectors.content._gram_kernels import hash_phrases
from floorwalker.detectors.content._inputs import Inputs
from floorwalker.detectors.content.grams import CHUNK

ORDER = 2
"""Tokens before each that its likelihood is conditioned on. With one, the loss of the whole stack on out-of-fold
answers in nine learning parts of Ott's reviews was .228, with two and three .227."""

LEAST_SHARE = 1 / 20_000
"""The likelihood of a token of which nothing at all is known."""


@dataclass
class PhraseView:
    """Log-likelihood per token of a text under one language model a class: three tokens at a time, interpolated.

    `p(w | h) = (c(h w) + T(h) p(w | h')) / (n(h) + T(h))`, where `h` are the two tokens before, `h'` the nearer of
    them, `c` counts, `n(h) = sum c(h w)` and `T(h)` is the number of different tokens that followed `h`. Tokens are
    words, numbers and single symbols, without capitals; the beginning and the end of a text count as tokens.

    It works against abuse because turns of phrase come back: a gram that occurs once decides little for a support
    vector machine, while here what follows what is weighed all through the text. Kneser-Ney smoothing told as much on
    out-of-fold answers (loss of the stack .2266 against .2267).

    Two classes have one head, the second's log-likelihood less the first's; of more, each class has its own less the
    mean of the others. Classes are weighed alike, however many texts each has, so `balanced` changes nothing.

    Source: I. Witten, T. Bell, *The zero-frequency problem*, IEEE Transactions on Information Theory, 1991, method C.
    """

    name: str = "phrases"
    _levels: list[_Level] = field(default_factory=list, repr=False)

    def fit(self, inputs: Inputs, labels: NDArray[np.int64], classes: int, *, balanced: bool) -> None:
        """Count what follows what in each class."""
        owners, contexts, grams = _read(inputs.texts)
        own = labels[owners]
        self._levels = [_Level.count(contexts[length], grams[length], own, classes) for length in range(ORDER + 1)]

    def decide(self, inputs: Inputs) -> NDArray[np.float32]:
        """float32 [n, heads]."""
        texts = inputs.texts
        parts = [self._likelihoods(texts[start : start + CHUNK]) for start in range(0, max(len(texts), 1), CHUNK)]
        likelihoods = np.concatenate(parts)
        classes = likelihoods.shape[1]
        if classes == 2:
            answer: NDArray[np.float32] = (likelihoods[:, 1:] - likelihoods[:, :1]).astype(np.float32)
        else:
            others = (likelihoods.sum(1, keepdims=True) - likelihoods) / (classes - 1)
            answer = (likelihoods - others).astype(np.float32)
        return answer

    def state(self) -> dict[str, NDArray[Any]]:
        """Hashes, and shares in half precision."""
        return {
            f"{length}.{key}": value
            for length, level in enumerate(self._levels)
            for key, value in level.state().items()
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take over what `state` gave."""
        self._levels = [
            _Level.restore({key[2:]: one for key, one in arrays.items() if key.startswith(f"{length}.")})
            for length in range(ORDER + 1)
        ]

    def _likelihoods(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """The mean logarithm over the tokens of each text: float64 [texts, classes]."""
        owners, contexts, grams = _read(texts)
        classes = self._levels[0].shares.shape[1]
        chances = np.full((len(owners), classes), LEAST_SHARE)
        for level, context, gram in zip(self._levels, contexts, grams, strict=True):
            chances = level.refine(chances, context, gram)
        logarithms = np.log(chances)
        totals = [np.bincount(owners, logarithms[:, one], minlength=len(texts)) for one in range(classes)]
        tokens = np.bincount(owners, minlength=len(texts))
        answer: NDArray[np.float64] = np.column_stack(totals) / tokens[:, None]
        return answer


@dataclass(frozen=True, eq=False)
class _Level:
    """What followed contexts of one length, by class.

    Parameters
    ----------
    grams : uint32 [grams], rising hashes of contexts with the token after them.
    shares : float32 [grams, classes], `c(h w) / (n(h) + T(h))`.
    contexts : uint32 [contexts], rising hashes.
    rest : float32 [contexts, classes], `T(h) / (n(h) + T(h))`: what is left to shorter contexts; 1 where the class
        never had this one.
    """

    grams: NDArray[np.uint32]
    shares: NDArray[np.float32]
    contexts: NDArray[np.uint32]
    rest: NDArray[np.float32]

    @classmethod
    def count(
        cls, contexts: NDArray[np.uint32], grams: NDArray[np.uint32], labels: NDArray[np.int64], classes: int
    ) -> _Level:
        """From the hashes at each token and the class of its text."""
        known, first, gram = np.unique(grams, return_index=True, return_inverse=True)
        behind, context = np.unique(contexts, return_inverse=True)
        context_of = context[first]
        shares = np.zeros((len(known), classes), np.float32)
        rest = np.ones((len(behind), classes), np.float32)
        for one in range(classes):
            counts = np.bincount(gram[labels == one], minlength=len(known))
            tokens = np.bincount(context_of, counts, minlength=len(behind))
            kinds = np.bincount(context_of, counts > 0, minlength=len(behind))
            both = np.maximum(tokens + kinds, 1)
            shares[:, one] = counts / both[context_of]
            rest[:, one] = np.where(tokens > 0, kinds / both, 1)
        return cls(known, shares, behind, rest)

    def refine(
        self, chances: NDArray[np.float64], contexts: NDArray[np.uint32], grams: NDArray[np.uint32]
    ) -> NDArray[np.float64]:
        """What shorter contexts say, float64 [tokens, classes], put right by this one."""
        place, found = _find(self.contexts, contexts)
        answer: NDArray[np.float64] = np.where(found[:, None], self.rest[place], np.float32(1)) * chances
        place, found = _find(self.grams, grams)
        answer += np.where(found[:, None], self.shares[place], np.float32(0))
        return answer

    def state(self) -> dict[str, NDArray[Any]]:
        """All of it; shares by their roots, for the least are too small for half precision."""
        return {
            "grams": self.grams,
            "shares": np.sqrt(self.shares).astype(np.float16),
            "contexts": self.contexts,
            "rest": self.rest.astype(np.float16),
        }

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]]) -> _Level:
        """What `state` gave."""
        shares = np.square(arrays["shares"].astype(np.float32))
        return cls(arrays["grams"], shares, arrays["contexts"], arrays["rest"].astype(np.float32))


def _read(texts: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.uint32], NDArray[np.uint32]]:
    """Of each token: its text, and the hashes of contexts without it and with it, uint32 [lengths, tokens]."""
    codes = as_codes([text.lower() for text in texts])
    room = len(codes.values) + len(codes)
    owners = np.empty(room, np.int32)
    contexts, grams = np.empty((ORDER + 1, room), np.uint32), np.empty((ORDER + 1, room), np.uint32)
    many = hash_phrases(codes.values, codes.kinds, codes.stops, owners, contexts, grams)
    return owners[:many], contexts[:, :many], grams[:, :many]


def _find(known: NDArray[np.uint32], asked: NDArray[np.uint32]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Where each is among the rising `known`, and whether it is there at all."""
    place = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    return place, known[place] == asked
