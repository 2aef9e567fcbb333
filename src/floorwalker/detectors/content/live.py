"""Texts in the request path: how a review, listing or message behaves, and what it holds, without any encoder."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.content.contacts import Contacts, find_contacts
from floorwalker.detectors.content.disguise import Disguise, find_disguise
from floorwalker.detectors.content.near_duplicates import Likeness, NearDuplicates
from floorwalker.detectors.content.rating_words import RatingWords
from floorwalker.detectors.content.read_types import READ_TYPES
from floorwalker.detectors.signal import Reason
from floorwalker.errors import ArtefactError
from floorwalker.events.batch import EventBatch
from floorwalker.events.types import TYPE_CODES
from floorwalker.features.live import FeatureBatch
from floorwalker.models.artefacts import load_artefact, save_artefact
from floorwalker.store.pages import Pages

DETECTOR = "content.behaviour"
ARTEFACT, SETTINGS = "content.live", "content.json"
OUTPUTS = (
    "content.near_duplicate",
    "content.copied_by_accounts",
    "content.template_accounts",
    "content.repeats_itself",
    "content.similar_burst",
    "content.rating_disagreement",
    "content.disguised",
    "content.way_out",
    "content.price_bait",
)
LONGEST = 8_000
"""Characters of a text that are read."""

State = dict[str, NDArray[Any]]
# The last place answers for code -1, a type of a newer version.
_READ = np.array([name in READ_TYPES for name in TYPE_CODES] + [False])
_LISTING = TYPE_CODES["listing"]
_REVIEW = TYPE_CODES["review"]


@dataclass(frozen=True)
class _Findings:
    likeness: Likeness
    disguise: Disguise
    contacts: Contacts
    disagreement: float
    rating: float


class LiveContent:
    """Judges texts as they are written, by what is in them and by the shop's recent texts.

    Each output is a rank in [0, 1], higher is worse; NaN where the event has no text (or, of the rating, no stars or
    too few reviews yet). It needs no labels and no training. State is bounded: 32,768 texts, 32 MB.

    It works against abuse because the wording of a paid review can be anything, but it is reused, comes in bursts,
    contradicts its stars, leads out of the shop, or is written to be missed by filters.

    Parameters
    ----------
    capacity : recent texts that are kept, a power of two.
    days : older texts are not looked at.
    seed : of the hashes.
    """

    detector: str = DETECTOR
    version: str = "2"
    outputs: tuple[str, ...] = OUTPUTS

    def __init__(self, *, capacity: int = 32_768, days: float = 60, seed: int = 0) -> None:
        self._settings = {"capacity": capacity, "days": days, "seed": seed}
        self._recent = NearDuplicates(capacity=capacity, days=days, seed=seed)
        self._words = RatingWords()
        self._last: dict[int, _Findings] = {}
        self._last_scores: NDArray[np.float32] = np.zeros((0, len(OUTPUTS)), np.float32)

    @classmethod
    def load(cls, folder: Path) -> LiveContent:
        """Without any text, of the settings that `save` wrote; `ArtefactError` where the folder is damaged."""
        artefact = load_artefact(folder, name=ARTEFACT, version=1)
        try:
            told = json.loads(artefact.files[SETTINGS])
            return cls(capacity=int(told["capacity"]), days=float(told["days"]), seed=int(told["seed"]))
        except (KeyError, TypeError, ValueError) as broken:
            raise ArtefactError(f"{folder} describes no memory of texts: {broken!r}", fix="train again") from broken

    def save(self, folder: Path, *, facts: Mapping[str, Any] | None = None) -> None:
        """Write the settings; not the texts."""
        files = {SETTINGS: (json.dumps(self._settings) + "\n").encode()}
        save_artefact(folder, name=ARTEFACT, version=1, files=files, facts=facts or {})

    def score(self, batch: EventBatch, features: FeatureBatch | None = None) -> NDArray[np.float32]:
        """float32 [n, outputs], each event as if it came next alone; nothing is kept."""
        return self._judge(batch, moves=False)

    def advance(self, batch: EventBatch, features: FeatureBatch | None = None) -> NDArray[np.float32]:
        """float32 [n, outputs], each event as of just before it, in order; then its text is kept."""
        return self._judge(batch, moves=True)

    def reasons(self, rows: Sequence[int]) -> list[list[Reason]]:
        """Of these rows of the last call, what was found, worst first."""
        return [self._reasons(row) for row in rows]

    def state(self) -> State:
        """The arrays themselves, not copies: what `restore` takes."""
        parts = (("recent", self._recent), ("words", self._words))
        return {f"{name}.{key}": value for name, part in parts for key, value in part.state().items()}

    def pages(self) -> dict[str, tuple[Pages, int]]:
        """The pages of the large arrays of `state`, for snapshots that take only what changed."""
        return {f"recent.{name}": where for name, where in self._recent.pages().items()}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Continue from a state of the same shape; another raises `ArtefactError`."""
        if {*state} != {*self.state()}:
            raise ArtefactError("the stored state of texts is another version's", fix="replay the journal")
        for name, part in (("recent.", self._recent), ("words.", self._words)):
            part.restore({key.removeprefix(name): one for key, one in state.items() if key.startswith(name)})

    def _judge(self, batch: EventBatch, *, moves: bool) -> NDArray[np.float32]:
        answer = np.full((len(batch), len(OUTPUTS)), np.nan, np.float32)
        self._last, self._last_scores = {}, answer
        written = batch.texts.get("written")
        if written is None:
            return answer
        for row in np.flatnonzero(_READ[batch.type]).tolist():
            text = written[row]
            if text and not text.isspace():
                self._judge_text(batch, row, text[:LONGEST], answer[row], moves=moves)
        return answer

    def _judge_text(self, batch: EventBatch, row: int, text: str, answer: NDArray[np.float32], *, moves: bool) -> None:
        kind = int(batch.type[row])
        keys = {name: int(batch.keys[name][row]) for name in ("account", "item", "seller")}
        if kind == _LISTING:
            # A seller's listings are alike; what counts is another seller with the same text.
            keys = {"account": keys["seller"], "item": keys["item"], "seller": 0}
        likeness = (self._recent.take if moves else self._recent.look)(text, at=int(batch.at[row]), **keys)
        # An event's rating is a share of the scale; words are learned by stars of five.
        rating = 1 + 4 * float(batch.numbers["rating"][row]) if kind == _REVIEW else float("nan")
        found = _Findings(
            likeness,
            find_disguise(text),
            find_contacts(text, list_price=self._list_price(batch, row) if kind == _LISTING else None),
            self._words.disagreement(text, rating),
            rating,
        )
        if moves and likeness.accounts == 0:
            # Copies would teach words to stand beside the stars that are bought with them.
            self._words.add(text, rating)
        bait = found.contacts
        answer[:] = (
            likeness.closest,
            _many(likeness.accounts),
            _many(likeness.template_accounts),
            0.0 if kind == _LISTING else _many(likeness.own),
            _many(likeness.burst),
            found.disagreement,
            found.disguise.score,
            bait.score,
            1 - 0.5 ** (bool(bait.bait) + 2 * bool(bait.price)),
        )
        self._last[row] = found

    def _list_price(self, batch: EventBatch, row: int) -> float | None:
        minor = float(batch.numbers["list_price_minor"][row])
        # Currencies without a minor unit are off by a hundred, which `FAR_BELOW` would take for bait.
        currency = (batch.texts.get("currency") or [None] * len(batch))[row]
        if minor != minor or currency in (None, "JPY", "KRW", "VND", "CLP", "ISK", "HUF", "IDR", "KWD", "BHD"):
            return None
        return minor / 100

    def _reasons(self, row: int) -> list[Reason]:
        found = self._last.get(row)
        if found is None:
            return []
        like, scores = found.likeness, dict(zip(OUTPUTS, self._last_scores[row].tolist(), strict=True))
        sentences = {
            "content.near_duplicate": f"the text is {like.closest:.0%} the same as another account's",
            "content.copied_by_accounts": f"{like.accounts} other accounts wrote nearly the same text",
            "content.template_accounts": f"{like.template_accounts} other accounts used this text with other names or "
            "numbers",
            "content.repeats_itself": f"the account wrote nearly the same text {like.own} times before",
            "content.similar_burst": f"{like.burst} nearly equal texts for this item or seller within a day",
            "content.rating_disagreement": f"{found.rating:g} stars beside words of the other end of the scale",
            "content.disguised": found.disguise.sentence,
            "content.way_out": found.contacts.sentence,
            "content.price_bait": "a price or promise in the text that is far from the offer",
        }
        least = {"content.near_duplicate": 0.6}
        reasons = [
            Reason(name, sentences[name], score) for name, score in scores.items() if score > least.get(name, 0.3)
        ]
        return sorted(reasons, key=lambda reason: -reason.severity)


def _many(count: int) -> float:
    return 1 - 0.7**count


def tell_column(column: str, said: Mapping[str, float]) -> str | None:
    """A sentence for one of the columns; None for another, and for a missing value.

    >>> tell_column("content.copied_by_accounts", {"content.copied_by_accounts": 0.657})
    '3 other accounts wrote nearly the same text'
    """
    value = said.get(column, math.nan)
    if column not in OUTPUTS or math.isnan(value):
        return None
    # As `_many` told it.
    count = round(math.log(max(1 - value, 1e-9)) / math.log(0.7))
    return {
        "content.near_duplicate": f"the text is {value:.0%} the same as another account's",
        "content.copied_by_accounts": f"{count} other accounts wrote nearly the same text",
        "content.template_accounts": f"{count} other accounts used this text with other names or numbers",
        "content.repeats_itself": f"the account wrote nearly the same text {count} times before",
        "content.similar_burst": f"{count} nearly equal texts for this item or seller within a day",
        "content.rating_disagreement": "the stars stand beside words of the other end of the scale",
        "content.disguised": "the text is written to be missed by filters",
        "content.way_out": "the text leads out of the shop",
        "content.price_bait": "a price or promise in the text that is far from the offer",
    }[column]
