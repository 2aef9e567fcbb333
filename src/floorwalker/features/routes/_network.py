"""The BiLSTM that decides which parts of a URL are fixed, and the step that refines its answers on the log itself."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from floorwalker.features.routes._grouping import group, mix
from floorwalker.features.routes._kinds import find_kinds
from floorwalker.features.routes._levels import Level
from floorwalker.features.routes._queries import QueryLevel
from floorwalker.features.routes._split import DOT, EMPTY, FOREIGN, LOWER, MIXED, OTHER, UPPER, SplitTargets
from floorwalker.features.routes._words import CLASSES, VERB
from floorwalker.models.artefacts import DEFAULT, load_artefact
from floorwalker.models.onnx import OnnxModel

NAME, VERSION = "routes", 1
FILE = "routes.onnx"
BATCH = 512

GUARDED_WORDS = (VERB, *(CLASSES.index(name) for name in ("login", "basket", "checkout")))
"""Classes of words that are never merged with their siblings."""

FEW, DOUBT = 24, 2.0
"""Among so few leaves of letters, the network must be surer by so much before it merges: two pages taken for one hide
what a visitor did, one page taken for two hides nothing."""

FILE_WORDS = tuple(CLASSES.index(name) for name in ("picture", "script"))
FILES = 3
"""So many files with one ending in one folder are one route."""

DATA_ENDINGS = frozenset({"json", "map"})
"""Endings of answers rather than of files: `/api/price.json` is a page of its own."""

SURE, OWN, KEEP = 4.0, 0.3, 4.0
"""Kin are averaged over logits cut at `SURE`, beside `OWN` times one's own; a logit above `KEEP` is left as it is.
Chosen on
held-out training families."""

PLACED, MOVING = 0.7, 5
"""A text that stands in so many siblings is of the grammar only where so large a share of them has it at one place."""

GUARDED_VALUES = 40
"""A key with more values than these is no list of acts."""


class RouteNetwork:
    """Logits for sequences of tokens: above 0 means fixed (or, for a query key, part of the route).

    Parameters
    ----------
    model : its graph takes `tokens` int32 [n, t, WIDTH] and `lengths` int32 [n] and gives float32 [n, t].
    """

    def __init__(self, model: OnnxModel) -> None:
        self._model = model

    def logits(self, tokens: NDArray[np.int16], lengths: NDArray[np.int64]) -> NDArray[np.float32]:
        """float32 [n, t]; equal sequences are inferred once, and batches hold sequences of like length."""
        count, width, _ = tokens.shape
        if count == 0:
            return np.zeros((0, width), np.float32)
        flat = np.ascontiguousarray(tokens.reshape(count, -1))
        _, first, of = np.unique(
            flat.view(np.dtype((np.void, flat.dtype.itemsize * flat.shape[1]))).ravel(),
            return_index=True, return_inverse=True,
        )  # fmt: skip
        order = np.argsort(lengths[first], kind="stable")
        answers = np.zeros((len(first), width), np.float32)
        for begin in range(0, len(order), BATCH):
            rows = order[begin : begin + BATCH]
            chosen = first[rows]
            longest = int(lengths[chosen].max())
            answers[rows, :longest] = self._model.run(
                {
                    "tokens": tokens[chosen, :longest].astype(np.int32),
                    "lengths": lengths[chosen].astype(np.int32),
                }
            )
        return np.asarray(answers[of.reshape(-1)], np.float32)


@cache
def load_network(folder: Path | None = None) -> RouteNetwork:
    """The network of an artefact's folder, or the one that comes with the package."""
    artefact = load_artefact(folder or DEFAULT / "routes", name=NAME, version=VERSION)
    return RouteNetwork(OnnxModel(artefact.files[FILE]))


class NetworkJudge:
    """Decides by the network, then makes siblings agree, then applies the guard.

    Siblings agree in two ways. A text that stands in several siblings (`p` in `red-shoe-p-12`) is fixed in all of
    them or in
    none, by the mean of its logits. Folders with the same kinds of path below (`/small/{}.jpg`, `/large/{}.jpg`)
    decide by
    the mean of theirs: what the network says of one category is noise, what it says of ten is the site's grammar.

    The guard keeps endpoints that change state apart: words that name an act (`add`, `entfernen`, `quitar`) are never
    merged with their siblings, nor are words of letters in requests that are sent by POST.
    """

    def __init__(self, cut: SplitTargets, network: RouteNetwork) -> None:
        self._cut = cut
        self._network = network

    def judge_level(self, level: Level) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """See `Judge`."""
        logits = self._network.logits(level.tokens, level.lengths)
        units = len(level.unit_state)
        place = np.full(units, -1)
        place[level.sampled] = np.arange(len(level.sampled))
        seen = place >= 0
        each = np.zeros(len(level.parts))
        asked = seen[level.part_unit]
        each[asked] = logits[place[level.part_unit[asked]], level.part_slot[asked]]
        number = np.bincount(level.part_unit, minlength=units)
        begins = np.cumsum(number) - number
        whole = np.full(units, -9.0)
        whole[seen] = logits[place[seen], level.segment_slot[seen]]
        # Whether all of a segment is fixed was asked twice: of the segment, and of its least certain part.
        least = np.minimum.reduceat(each, begins)
        whole[seen] = (whole + least)[seen] / 2
        literal = self._agree(level, whole, seen) > 0
        shown = asked & ~literal[level.part_unit]
        votes = level.part_key.total(shown)
        mean = level.part_key.total(np.where(shown, each, 0)) / np.maximum(votes, 1)
        fixed = ((mean > 0) & (votes > 0))[level.part_key.of]
        fixed = self._settle_empty(level, self._settle_moving(level, fixed, begins))
        # What varies as a whole cannot have every part fixed.
        everything = np.bincount(level.part_unit, weights=~fixed, minlength=units) == 0
        fixed &= ~(everything & ~literal)[level.part_unit]
        literal, fixed = self._merge_files(level, literal, fixed)
        literal |= find_kinds(self._cut, level)
        return self._guard(level, literal, fixed)

    def _settle_moving(self, level: Level, fixed: NDArray[np.bool_], begins: NDArray[np.int64]) -> NDArray[np.bool_]:
        """A text of the grammar stands at one place in most siblings, from the begin or from the end; others vary."""
        key = level.part_key
        rows = np.flatnonzero(fixed & (key.size >= MOVING)[key.of])
        if len(rows) == 0:
            return fixed
        unit = level.part_unit[rows]
        order = rows - begins[unit]
        largest = np.zeros(len(key))
        for place in (order, np.append(begins, len(level.parts))[unit + 1] - rows):
            at = group(mix(key.of[rows], place, 27))
            np.maximum.at(largest, key.of[rows[at.first]], at.size)
        settled = fixed.copy()
        settled[rows] = (largest >= PLACED * key.size)[key.of[rows]]
        return settled

    def _settle_empty(self, level: Level, fixed: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Nothing between two delimiters, as in `lamp-(red)`, is fixed only where what stands before it mostly is."""
        empty: NDArray[np.bool_] = self._cut.part_shape[level.parts] == EMPTY
        if not empty.any():
            return fixed
        before = np.concatenate([[False], fixed[:-1]])
        before[np.flatnonzero(np.diff(level.part_unit, prepend=-1))] = True
        follows: NDArray[np.bool_] = level.part_key.mean(before)[level.part_key.of] > 0.5
        return fixed & (follows | ~empty)

    def _merge_files(
        self, level: Level, literal: NDArray[np.bool_], fixed: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Pictures, scripts and fonts that lie beside one another in one folder are files of one type."""
        number = np.bincount(level.part_unit, minlength=len(literal))
        last = np.cumsum(number) - 1
        ending = self._cut.part_word[level.parts[last]]
        named = (self._cut.part_delimiter[level.parts[last]] == DOT) & np.isin(ending, FILE_WORDS)
        files = level.leaf & named & (number > 1)
        kinds = group(mix(level.unit_state, self._cut.part_hash[level.parts[last]], 16))
        many = kinds.total(files) >= FILES
        for kind in np.flatnonzero(many).tolist():
            unit = int(kinds.first[kind])
            part = int(level.parts[last[unit]])
            text = self._cut.slice_text(
                int(level.unit_target[unit]), int(self._cut.part_start[part]), int(self._cut.part_end[part])
            )
            many[kind] = text.lower() not in DATA_ENDINGS
        together = files & many[kinds.of]
        opened = together[level.part_unit]
        opened[last] = False
        return literal & ~together, fixed & ~opened

    def _agree(self, level: Level, whole: NDArray[np.float64], seen: NDArray[np.bool_]) -> NDArray[np.float64]:
        letters = np.isin(self._cut.part_shape[level.parts], (LOWER, MIXED, UPPER))
        plain = np.bincount(level.part_unit, weights=~letters, minlength=len(whole)) == 0
        doubtful = level.leaf & plain & (level.state.size <= FEW)[level.state.of]
        clipped = np.where(seen, np.clip(whole, -SURE, SURE), 0)
        refined = whole + DOUBT * doubtful
        # Folders with the same kinds of path below decide together; a page of its own name decides for itself.
        votes = level.kin.total(seen)
        mean = level.kin.total(clipped) / np.maximum(votes, 1)
        together = (~level.leaf | ~plain) & (votes >= 2)[level.kin.of]
        unsure = together & (np.abs(whole) <= KEEP)
        refined = np.where(unsure, mean[level.kin.of] + OWN * np.clip(whole, -SURE, SURE), refined)
        return np.where(seen, refined, -9.0)

    def _guard(
        self, level: Level, literal: NDArray[np.bool_], fixed: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        cut = self._cut
        shape = cut.part_shape[level.parts]
        letters = np.isin(shape, (LOWER, MIXED, UPPER))
        number = np.bincount(level.part_unit, minlength=len(literal))
        act = np.isin(cut.part_word[level.parts], GUARDED_WORDS) & letters & (number[level.part_unit] <= 3)
        posted = letters & (level.unit_post[level.part_unit] >= 0.5)
        # Letters in a token or a user's name come in hundreds; a shop's own acts are few.
        few = np.bincount(
            level.state.of[level.part_unit[posted]], minlength=len(level.state)
        )[level.state.of[level.part_unit]] <= 64  # fmt: skip
        guarded = act | (posted & few & (number[level.part_unit] <= 6))
        fixed = fixed | guarded
        clean = (
            np.bincount(
                level.part_unit, weights=~(letters | (shape == OTHER) | (shape == FOREIGN)), minlength=len(literal)
            )
            == 0
        )
        held = np.bincount(level.part_unit, weights=act, minlength=len(literal)) > 0
        return literal | (held & clean), fixed

    def judge_queries(self, level: QueryLevel) -> NDArray[np.bool_]:
        """See `Judge`."""
        logits = self._network.logits(level.tokens, level.lengths)
        shown = level.sequence >= 0
        chosen = np.zeros(len(level.unit_state), np.bool_)
        each = logits[level.sequence[shown], level.slot[shown]]
        if not level.dispatched:
            alone = (level.named >= 0.5) & (level.distinct <= FEW) & (level.letters > 0.9) & (level.numbered < 0.1)
            each = each + DOUBT * alone[shown]
        chosen[shown] = each > 0
        if not level.dispatched:
            # The guard again: `?act=add` and `?act=remove`, in any language where methods are known.
            few = level.distinct <= GUARDED_VALUES
            chosen |= few & (level.letters > 0.7) & ((level.acts >= 0.2) | (level.posted >= 0.1))
        return chosen
