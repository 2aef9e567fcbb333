"""Distant supervision: the generator of a site knows which characters of a URL its template fixes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import unquote_to_bytes

import numpy as np
from numpy.typing import NDArray

from floorwalker.features.routes._levels import Level
from floorwalker.features.routes._queries import QueryLevel
from floorwalker.features.routes._split import SplitTargets
from floorwalker.features.routes._tokens import LENGTH, QUERY_LENGTH

_PLACE = re.compile(rb"\{\w+\}")


@dataclass(frozen=True)
class SiteSample:
    """What a log of one generated site shows, with the template behind each target.

    Parameters
    ----------
    family : the site's family, for reports.
    targets : distinct request targets.
    counts, posts : float64 [n], requests and those of them by POST.
    templates : the template of each target, e.g. `/product/{slug}-{id}?tab={tab}`.
    """

    family: str
    targets: tuple[str, ...]
    counts: NDArray[np.float64]
    posts: NDArray[np.float64]
    templates: tuple[str, ...]


@dataclass
class Examples:
    """Sequences with labels: 1 fixed, 0 variable, -1 not asked."""

    tokens: list[NDArray[np.int16]] = field(default_factory=list)
    lengths: list[NDArray[np.int64]] = field(default_factory=list)
    labels: list[NDArray[np.int8]] = field(default_factory=list)

    def stack(self) -> tuple[NDArray[np.int16], NDArray[np.int64], NDArray[np.int8]]:
        """All of them as arrays."""
        return np.concatenate(self.tokens), np.concatenate(self.lengths), np.concatenate(self.labels)


@lru_cache(maxsize=10_000)
def _template(text: str) -> tuple[re.Pattern[bytes], dict[bytes, bool]]:
    """The path as an expression with the variable spans as groups; its query keys, true where the value is fixed."""
    path, _, query = text.partition("?")
    pieces = _PLACE.split(unquote_to_bytes(path))
    pattern = re.compile(b"(.*)".join(re.escape(piece) for piece in pieces), re.DOTALL)
    keys: dict[bytes, bool] = {}
    for pair in query.split("&") if query else []:
        name, _, value = pair.partition("=")
        keys[name.encode()] = "{" not in value
    return pattern, keys


class Teacher:
    """A judge that knows the truth and writes down every question with its answer."""

    def __init__(self, cut: SplitTargets, templates: tuple[str, ...]) -> None:
        self._cut = cut
        self._templates = templates
        self.examples = Examples()

    def _fixed(self, target: int) -> NDArray[np.bool_]:
        """bool [path bytes + 1]: which bytes the template fixes."""
        cut = self._cut
        base, stop = int(cut.offsets[target]), int(cut.offsets[target + 1])
        path = bytes(cut.text[base:stop]).split(b"?", 1)[0]
        mask = np.ones(len(path) + 1, np.bool_)
        match = _template(self._templates[target])[0].fullmatch(path)
        if match is not None:
            for group in range(1, (match.lastindex or 0) + 1):
                mask[match.start(group) : match.end(group)] = False
        return mask

    def judge_level(self, level: Level) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """See `Judge`."""
        cut = self._cut
        literal = np.zeros(len(level.unit_state), np.bool_)
        fixed = np.zeros(len(level.parts), np.bool_)
        at = 0
        for unit, (target, segment) in enumerate(
            zip(level.unit_target.tolist(), level.unit_segment.tolist(), strict=True)
        ):
            mask = self._fixed(target)
            literal[unit] = mask[cut.segment_start[segment] : cut.segment_end[segment]].all()
            for part in range(int(cut.part_of[segment]), int(cut.part_of[segment + 1])):
                begin, end = int(cut.part_start[part]), int(cut.part_end[part])
                fixed[at] = mask[begin : max(end, begin + 1)].all()
                at += 1
        labels = np.full((len(level.sampled), LENGTH), -1, np.int8)
        place = np.full(len(literal), -1)
        place[level.sampled] = np.arange(len(level.sampled))
        labels[np.arange(len(level.sampled)), level.segment_slot[level.sampled]] = literal[level.sampled]
        shown = place[level.part_unit] >= 0
        labels[place[level.part_unit[shown]], level.part_slot[shown]] = fixed[shown]
        self._keep(level.tokens, level.lengths, labels)
        return literal, fixed

    def judge_queries(self, level: QueryLevel) -> NDArray[np.bool_]:
        """See `Judge`."""
        cut = self._cut
        share = np.zeros(len(level.unit_state))
        for key, (target, unit) in enumerate(zip(level.key_target.tolist(), level.units.of.tolist(), strict=True)):
            base = int(cut.offsets[target])
            name = bytes(cut.text[base + int(cut.key_start[key]) : base + int(cut.key_end[key])])
            known = _template(self._templates[target])[1].get(name)
            share[unit] += known is not None if level.dispatched else known is True
        chosen = share * 2 > level.units.size
        labels = np.full((len(level.lengths), QUERY_LENGTH), -1, np.int8)
        shown = level.sequence >= 0
        labels[level.sequence[shown], level.slot[shown]] = chosen[shown]
        self._keep(level.tokens, level.lengths, labels)
        return np.asarray(chosen, np.bool_)

    def _keep(self, tokens: NDArray[np.int16], lengths: NDArray[np.int64], labels: NDArray[np.int8]) -> None:
        room = LENGTH - tokens.shape[1]
        self.examples.tokens.append(np.pad(tokens, ((0, 0), (0, room), (0, 0))))
        self.examples.lengths.append(lengths)
        self.examples.labels.append(np.pad(labels, ((0, 0), (0, room)), constant_values=-1))
