"""How far off recorded risks are, by labels: the live check that makes risks probabilities, or says that they are none.

>>> risks = np.tile([0.1, 0.5, 0.9], 400)
>>> drawn = np.random.default_rng(0).random(1200) < risks
>>> found = check_risks(risks, drawn)
>>> found.is_sound, round(found.predicted, 2), abs(found.observed - 0.5) < 0.05
(True, 0.5, True)
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import ArrayLike

from floorwalker.fusion.calibration import calibration_error

BINS = 10
LEAST_LABELS, LEAST_OF_A_KIND = 500, 50
"""Decisions with mature labels, and how many of these at least were abuse and were honest, before anything is said."""
MOST_ERROR, LOST_ERROR = 0.05, 0.08
"""Calibration error up to which risks become probabilities, and above which they are no longer: apart, so that one
label more or less does not change it to and fro."""
MOST_KEPT = 50_000
"""Labels that count: the newest."""


class Bin(msgspec.Struct, frozen=True):
    """Decisions of like risk: how many, the mean risk that was told, and the share that was abuse."""

    decisions: int
    predicted: float
    observed: float


class LabelCheck(msgspec.Struct, frozen=True, kw_only=True):
    """Recorded risks of one abuse type beside what became known.

    Parameters
    ----------
    decisions : with mature labels.
    abusive : how much abuse among them, in decisions.
    predicted, observed : mean risk, and share of abuse; None without a decision.
    error : expected calibration error; None without a decision.
    bins : of rising risk, equally many decisions each.
    """

    decisions: int = 0
    abusive: float = 0.0
    predicted: float | None = None
    observed: float | None = None
    error: float | None = None
    bins: tuple[Bin, ...] = ()

    @property
    def is_enough(self) -> bool:
        """Whether there are labels enough, of both kinds, to say anything."""
        honest = self.decisions - self.abusive
        return self.decisions >= LEAST_LABELS and min(self.abusive, honest) >= LEAST_OF_A_KIND

    @property
    def is_sound(self) -> bool:
        """Whether the risks are probabilities by these labels."""
        return self.is_enough and self.error is not None and self.error <= MOST_ERROR

    @property
    def is_still_sound(self) -> bool:
        """As `is_sound`, where they were before."""
        return self.is_enough and self.error is not None and self.error <= LOST_ERROR


def check_risks(risks: ArrayLike, values: ArrayLike) -> LabelCheck:
    """Compare risks [n] in [0, 1] with what was true [n], 0 honest to 1 abuse."""
    told, true = np.asarray(risks, np.float64), np.asarray(values, np.float64)
    if not len(told):
        return LabelCheck()
    parts = np.array_split(np.argsort(told, kind="stable"), min(BINS, len(told)))
    return LabelCheck(
        decisions=len(told),
        abusive=round(float(true.sum()), 3),
        predicted=round(float(told.mean()), 4),
        observed=round(float(true.mean()), 4),
        error=round(calibration_error(told, true, bins=BINS), 4),
        bins=tuple(
            Bin(len(part), round(float(told[part].mean()), 4), round(float(true[part].mean()), 4)) for part in parts
        ),
    )


class LabelledRisk(msgspec.Struct, frozen=True, kw_only=True):
    """One label beside the risk that the decision it speaks of had told.

    Parameters
    ----------
    label_id, decision_id : which.
    shop, abuse_type : of the label.
    risk : of this abuse type in the decision, 0 to 1.
    value, weight : of the label.
    matures_at : µs UTC, from when it counts.
    """

    label_id: str
    decision_id: str
    shop: str
    abuse_type: str
    risk: float
    value: float
    weight: float
    matures_at: int


@dataclass
class LabelBook:
    """Labels beside recorded risks, of the newest labels; immature ones wait, those taken back go.

    Several labels of one decision and abuse type count once, as their weighted mean.
    """

    most: int = MOST_KEPT
    _kept: OrderedDict[str, LabelledRisk] = field(default_factory=OrderedDict, init=False, repr=False)

    def add(self, each: LabelledRisk) -> None:
        """Take a label; one of the same id is replaced, and is as new as any."""
        self._kept[each.label_id] = each
        self._kept.move_to_end(each.label_id)
        if len(self._kept) > self.most:
            self._kept.popitem(last=False)

    def withdraw(self, label_id: str) -> bool:
        """Forget a label; whether it was there."""
        return self._kept.pop(label_id, None) is not None

    def immature(self, now: int, shop: str = "") -> int:
        """How many labels of a shop ("": of all) do not count yet."""
        return sum(1 for each in tuple(self._kept.values()) if each.matures_at > now and shop in ("", each.shop))

    def next_maturity(self, now: int) -> int | None:
        """When the next label begins to count, µs UTC."""
        return min((each.matures_at for each in tuple(self._kept.values()) if each.matures_at > now), default=None)

    def __len__(self) -> int:
        return len(self._kept)

    def checks(self, now: int) -> Mapping[tuple[str, str], LabelCheck]:
        """By shop and abuse type, how far off the risks were; under the shop "" those of all shops together."""
        sums: dict[tuple[str, str, str], tuple[float, float, float]] = {}
        for each in tuple(self._kept.values()):
            if each.matures_at <= now and each.weight > 0:
                place = each.shop, each.abuse_type, each.decision_id
                _, weight, value = sums.get(place, (0.0, 0.0, 0.0))
                sums[place] = each.risk, weight + each.weight, value + each.weight * each.value
        grouped: dict[tuple[str, str], list[tuple[float, float]]] = {}
        for (shop, abuse_type, _), (risk, weight, value) in sums.items():
            for group in (shop, ""):
                grouped.setdefault((group, abuse_type), []).append((risk, value / weight))
        return {place: check_risks(*np.array(rows).T) for place, rows in grouped.items()}
