"""Texts that were there before, in nearly the same words: found at once among a shop's recent texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.content import _similar_kernels as kernels
from floorwalker.detectors.content._characters import Codes, as_codes
from floorwalker.errors import ArtefactError, UsageError
from floorwalker.store.pages import Pages

DAY = 86_400_000_000
_INNER_CAPITAL = re.compile(r"(?<![.!?。！？:\s])(?<=\S)[^\W\d_]|(?<=[^.!?。！？:\s]\s)[^\W\d_]")
"""A letter behind something that ends no sentence."""
LEAST_TOKENS = 6
"""Shorter texts are alike by nature: `good product, thanks` is no copy."""
PAGED = ("signatures", "facts", "newest", "before")

State = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Likeness:
    """What recent texts say of one.

    Parameters
    ----------
    tokens : words, ideographs and symbols of the text.
    closest : estimated Jaccard similarity to the closest text of another account, [0, 1].
    accounts : other accounts with nearly this text.
    own : texts of the same account that are nearly this one.
    burst : other accounts with nearly this text for the same item or seller, within a day.
    template_closest, template_accounts : the same with names and numbers masked.
    """

    tokens: int
    closest: float = 0.0
    accounts: int = 0
    own: int = 0
    burst: int = 0
    template_closest: float = 0.0
    template_accounts: int = 0


class NearDuplicates:
    """The recent texts of a shop by MinHash, in a fixed amount of memory (800 bytes a text).

    Each text's shingles of three tokens are reduced to 32 minima of hashes; texts that agree in one of 8 bands of 4
    are compared. Similarities of .6 are found in two of three cases, of .8 in 98 of 100. A second signature with names
    and numbers masked finds templates.

    It works against abuse because reviews for hire come from few hands: texts are reused, lightly changed, over many
    accounts, within days.

    Source: A. Broder, *On the resemblance and containment of documents*, 1997; P. Indyk, R. Motwani, *Approximate
    nearest neighbors*, STOC 1998, for the bands.

    Parameters
    ----------
    capacity : texts that are kept; the oldest gives way. A power of two.
    days : older texts are not looked at.
    seed : of the hashes, kept in the state: who knows it can write texts that collide.

    >>> recent = NearDuplicates(capacity=256)
    >>> text = "Great blender, crushes ice in seconds and is easy to clean."
    >>> recent.look(text, at=0, account=1).closest
    0.0
    >>> recent.add(text, at=0, account=1, item=9)
    >>> recent.look(text + " Love it!", at=DAY, account=2, item=9).accounts
    1
    """

    def __init__(self, *, capacity: int = 32_768, days: float = 60, seed: int = 0) -> None:
        if capacity < 64 or capacity & (capacity - 1) or not days > 0:
            raise UsageError(f"capacity={capacity}, days={days}", allowed="a power of two of 64 and up, days > 0")
        self._horizon = int(days * DAY)
        slots = 1 << kernels.SLOT_BITS
        random = np.random.default_rng(seed)
        self._state: State = {
            "seeds": random.integers(0, 1 << 32, kernels.HASHES),
            "count": np.zeros(1, np.int64),
            "signatures": np.zeros((capacity, 2, kernels.HASHES), np.uint32),
            "facts": np.zeros((capacity, 4), np.int64),
            "newest": np.zeros((2, kernels.BANDS, slots), np.int64),
            "before": np.zeros((2, kernels.BANDS, capacity), np.int64),
        }
        self._pages = {name: Pages(self._state[name]) for name in PAGED}

    def look(self, text: str, *, at: int, account: int = 0, item: int = 0, seller: int = 0) -> Likeness:
        """How like recent texts this one is; keeps nothing.

        Parameters
        ----------
        at : µs UTC of the text.
        account, item, seller : keys of 64 bits; 0 where missing.
        """
        return self._look(text, at, account, item, seller)[0]

    def add(self, text: str, *, at: int, account: int = 0, item: int = 0, seller: int = 0) -> None:
        """Keep a text."""
        self.take(text, at=at, account=account, item=item, seller=seller)

    def take(self, text: str, *, at: int, account: int = 0, item: int = 0, seller: int = 0) -> Likeness:
        """`look`, then `add`."""
        likeness, signature = self._look(text, at, account, item, seller)
        if likeness.tokens >= LEAST_TOKENS:
            keys = (_signed(account), _signed(item), _signed(seller))
            state = self._state
            kernels.remember(
                signature, at, *keys, state["count"], len(state["facts"]),
                *(self._pages[name].arguments for name in PAGED),
            )  # fmt: skip
        return likeness

    def state(self) -> State:
        """The arrays themselves, not copies: what `restore` takes."""
        return self._state

    def pages(self) -> dict[str, tuple[Pages, int]]:
        """The pages of the large arrays of `state`."""
        return {name: (pages, 0) for name, pages in self._pages.items()}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Continue from a state of the same shape; another raises `ArtefactError`."""
        if {*state} != {*self._state} or any(state[name].shape != own.shape for name, own in self._state.items()):
            raise ArtefactError("the stored texts are of another shape", fix="replay the journal")
        for name, own in self._state.items():
            own[...] = state[name]
        for pages in self._pages.values():
            pages.touch_all()

    def _look(self, text: str, at: int, account: int, item: int, seller: int) -> tuple[Likeness, NDArray[np.uint32]]:
        state = self._state
        codes = as_codes([text.lower()])
        signature = np.zeros((2, kernels.HASHES), np.uint32)
        tokens = kernels.sign_text(codes.values, codes.kinds, find_capitals(text, codes), state["seeds"], signature)
        if tokens < LEAST_TOKENS:
            return Likeness(tokens), signature
        found = np.zeros(kernels.FOUND, np.float64)
        keys = (_signed(account), _signed(item), _signed(seller))
        kernels.look_up(
            signature, at, *keys, self._horizon, state["count"], state["signatures"], state["facts"],
            state["newest"], state["before"], found,
        )  # fmt: skip
        return (
            Likeness(
                tokens=tokens,
                closest=float(found[kernels.CLOSEST]),
                accounts=int(found[kernels.OTHERS]),
                own=int(found[kernels.OWN]),
                burst=int(found[kernels.BURST]),
                template_closest=float(found[kernels.TEMPLATE_CLOSEST]),
                template_accounts=int(found[kernels.TEMPLATE_OTHERS]),
            ),
            signature,
        )


def find_capitals(text: str, codes: Codes) -> NDArray[np.bool_]:
    """bool [characters of the text in small letters]: a capital that does not begin a sentence, so likely of a name."""
    answer = np.zeros(len(codes.values), np.bool_)
    if len(text) != len(codes.values) or text.islower():
        # A few capitals become two small letters (İ): then no name is told.
        return answer
    for match in _INNER_CAPITAL.finditer(text):
        answer[match.end() - 1] = match.group().isupper()
    return answer


def _signed(key: int) -> int:
    return key - (1 << 64) if key >= 1 << 63 else key
