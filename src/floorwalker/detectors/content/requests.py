"""Contents of requests: injected code, tampered parameters, probing; learned from a shop's own normal requests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.content._arrays import pack_arrays, pack_facts, unpack_arrays, unpack_facts
from floorwalker.detectors.content._request_parsing import Request, as_requests, parse_request
from floorwalker.detectors.content._request_profile import (
    LEAST_SEEN,
    PROFILE_FEATURES,
    Profile,
    Shape,
    learn_profile,
)
from floorwalker.detectors.content._request_routes import Routes, learn_routes
from floorwalker.detectors.signal import Reason
from floorwalker.errors import InputError, NotReadyError, UsageError
from floorwalker.models.artefacts import load_artefact, save_artefact

__all__ = ["PROFILE_FEATURES", "Request", "RequestDetector"]

VERSION = 2
UNKNOWN = PROFILE_FEATURES.index("route_unknown")
REASON_SCORE = 0.99
"""Requests above this score, one in a hundred normal ones, are given a reason."""

_SENTENCES = {
    "route_unknown": "the route is none that normal requests asked for",
    "route_rarity": "the route is one that normal requests hardly ever ask for",
    "method_unknown": "the route is never asked with this method",
    "names_unknown": "parameters that this route never has: {0:.0f}",
    "names_missing": "parameters that this route always has are missing: {0:.0f}",
    "order_unknown": "parameters in an order that never occurs",
    "names_repeated": "the same parameter more than once",
    "value_surprise": "a new value where values hardly ever change: {1}",
    "exact_form_surprise": "a value of a new form where forms hardly ever change: {1}",
    "form_surprise": "a value of a new form where forms hardly ever change: {1}",
    "step_surprise_mean": "a value built unlike those of normal requests: {1}",
    "step_surprise_highest": "a value with characters where there are none: {1}",
    "step_surprise_sum": "several values with characters where there are none, most: {1}",
    "classes_new": "characters that this parameter never has ({0:.0f}): {1}",
    "length_high": "a value far longer than usual",
    "length_low": "a value far shorter than usual",
    "entropy": "a value of unusually many different characters",
}


@dataclass
class RequestDetector:
    """How unlike the normal requests of its route a request is, by path, parameters and their values.

    It works against abuse because an application's requests are written by its own pages: names, order and form of the
    parameters hardly vary, and whoever injects code, tampers with a price or probes for files must write something that
    no page writes. Headers, cookies and sessions are not looked at.

    Parameters
    ----------
    folds : training requests are measured against profiles that did not hold them, in this many parts; equal contents
        (whatever the method) stay in one part, unless there are `LEAST_SEEN` of them.
    strength : of the supervised head's fit, the inverse of its L2 penalty.
    seed : of the parts.

    Scores: without labels, a rank: the share of normal requests that are more ordinary, drawn out towards 1 beyond the
    oddest of them; with labels, the chance of an attack at the training's mix. `score` before `fit` raises
    `NotReadyError`.

    Source: C. Kruegel, G. Vigna, *Anomaly detection of web-based attacks*, CCS 2003; I. J. Good, *The population
    frequencies of species*, 1953, for how likely something new is.

    >>> pages = [("GET", f"/item?id={n}&view=full") for n in range(200)]
    >>> detector = RequestDetector().fit(pages)
    >>> usual, attack = detector.score([("GET", "/item?id=77&view=full"), ("GET", "/item?id=1'--&view=full")])
    >>> bool(usual < 0.9 and attack > 0.99)
    True
    """

    folds: int = 5
    strength: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.folds < 2 or not self.strength > 0:
            raise UsageError(f"folds={self.folds}, strength={self.strength}", allowed="2 folds and more, strength > 0")
        self._routes = Routes({})
        self._profile: Profile | None = None
        self._ordinary: NDArray[np.float32] = np.zeros((0, 0), np.float32)
        self._ranks: NDArray[np.float32] = np.zeros(0, np.float32)
        self._head: NDArray[np.float64] | None = None

    def fit(
        self,
        requests: Sequence[Request | tuple[str, str] | tuple[str, str, str] | str],
        labels: Sequence[int] | NDArray[Any] | None = None,
    ) -> RequestDetector:
        """Learn the profile of normal requests and, where labels are given, a head that tells attacks.

        Parameters
        ----------
        requests : records, `(method, target[, body])`, or `"METHOD target"`.
        labels : 0 normal, 1 attack; None takes all as normal. With one kind only there is no head.

        Errors
        ------
        InputError : fewer than 20 normal requests, labels of another length or other values.
        """
        parsed = [parse_request(request) for request in as_requests(requests)]
        attack = np.zeros(len(parsed), np.bool_) if labels is None else _as_labels(labels, len(parsed))
        normal = np.flatnonzero(~attack)
        if len(normal) < 20:
            raise InputError(f"{len(normal)} normal requests", allowed="20 and more, better thousands")
        from floorwalker.detectors.content._training import split_folds

        self._routes = learn_routes([parsed[row] for row in normal.tolist()])
        parsed = [self._routes.place(one) for one in parsed]

        random = np.random.default_rng(self.seed)
        contents = [(one.path, one.names, one.values) for one in parsed]
        often = Counter(contents)
        # What comes again and again, such as a page without parameters, will be known when it comes the next time.
        parts = [(one, row if often[one] >= LEAST_SEEN else -1) for row, one in enumerate(contents)]
        fold = split_folds(parts, self.folds, random)
        measured = np.zeros((len(parsed), len(PROFILE_FEATURES)), np.float32)
        for part in range(self.folds):
            held = np.flatnonzero(fold == part)
            learned = [parsed[row] for row in normal[fold[normal] != part].tolist()]
            # Attacks are measured by the same profiles as normal requests, or the amount of training data itself
            # would tell the two apart.
            measured[held] = learn_profile(learned).measure([parsed[row] for row in held.tolist()])[0]
        self._profile = learn_profile([parsed[row] for row in normal.tolist()])
        self._ordinary = np.sort(measured[normal], axis=0)
        self._ranks = np.sort(self._oddness(measured[normal]))
        self._head = None
        if attack.any():
            self._fit_head(measured, attack)
        return self

    def score(self, requests: Sequence[Request | tuple[str, str] | tuple[str, str, str] | str]) -> NDArray[np.float32]:
        """float32 [n] in [0, 1], higher is worse; see the class on what it means."""
        measured, _ = self.measure(requests)
        return self._score(measured)

    def score_unlabelled(
        self, requests: Sequence[Request | tuple[str, str] | tuple[str, str, str] | str]
    ) -> NDArray[np.float32]:
        """float32 [n], the rank among normal requests, also where there is a head."""
        measured, _ = self.measure(requests)
        return self._rank(self._oddness(measured))

    def measure(
        self, requests: Sequence[Request | tuple[str, str] | tuple[str, str, str] | str]
    ) -> tuple[NDArray[np.float32], list[str]]:
        """float32 [n, len(PROFILE_FEATURES)], and of each request its oddest parameter in words."""
        if self._profile is None:
            raise NotReadyError("requests were scored before fit", fix="call fit(requests) first")
        parsed = [self._routes.place(parse_request(request)) for request in as_requests(requests)]
        return self._profile.measure(parsed)

    def reasons(
        self, requests: Sequence[Request | tuple[str, str] | tuple[str, str, str] | str], *, most: int = 3
    ) -> list[list[Reason]]:
        """Of each request whose score is above `REASON_SCORE` without labels, or .5 with, what is odd, oddest first."""
        measured, oddest = self.measure(requests)
        score = self._score(measured)
        tails = self._tails(measured)
        limit = REASON_SCORE if self._head is None else 0.5
        answer: list[list[Reason]] = []
        for row in range(len(measured)):
            found: list[Reason] = []
            texts: set[str] = set()
            for column in np.argsort(-tails[row], kind="stable").tolist():
                name = PROFILE_FEATURES[column]
                text = _SENTENCES[name].format(measured[row, column], oddest[row])
                # Of an unknown route, that it is rare says less.
                if name == "route_rarity" and measured[row, UNKNOWN]:
                    continue
                if score[row] <= limit or len(found) == most or tails[row, column] < 2 or text in texts:
                    continue
                texts.add(text)
                found.append(Reason(f"content.requests.{name}", text, float(score[row])))
            answer.append(found)
        return answer

    def save(self, folder: Path, *, facts: Mapping[str, Any] | None = None) -> None:
        """Write the detector as an artefact: JSON and arrays."""
        if self._profile is None:
            raise NotReadyError("the detector was saved before fit", fix="call fit(requests) first")
        profile = self._profile
        arrays: dict[str, NDArray[Any]] = {
            "ordinary": self._ordinary,
            "ranks": self._ranks,
            "surprise": profile.surprise.astype(np.float16),
        }
        arrays |= {"seen": profile.seen, "lengths": profile.lengths, "new_surprise": profile.new_surprise}
        arrays |= {f"forms_{level}": forms for level, forms in enumerate(profile.forms)}
        if self._head is not None:
            arrays["head"] = self._head
        plain = {
            "settings": {"folds": self.folds, "strength": self.strength, "seed": self.seed},
            "places": {route: sorted(kept) for route, kept in self._routes.kept.items()},
            "words": {route: sorted(words) for route, words in self._routes.words.items()},
            "keys": profile.keys,
            "shapes": {
                path: [
                    shape.requests,
                    *(sorted(one) for one in (shape.methods, shape.names, shape.always, shape.orders)),
                ]
                for path, shape in profile.shapes.items()
            },
        }
        files = {"arrays.npz": pack_arrays(arrays), "facts.json": pack_facts(plain)}
        save_artefact(folder, name="content.requests", version=VERSION, files=files, facts=dict(facts or {}))

    @classmethod
    def load(cls, folder: Path) -> RequestDetector:
        """Read what `save` wrote; ArtefactError where it is damaged. Scores are equal."""
        artefact = load_artefact(folder, name="content.requests", version=VERSION)
        arrays = unpack_arrays(artefact.files["arrays.npz"])
        plain = unpack_facts(artefact.files["facts.json"])
        detector = cls(**plain["settings"])
        detector._routes = Routes(
            *({route: frozenset(some) for route, some in plain[name].items()} for name in ("places", "words"))
        )
        detector._profile = Profile(
            shapes={
                path: Shape(requests, *(frozenset(one) for one in sets))
                for path, (requests, *sets) in plain["shapes"].items()
            },
            keys=plain["keys"],
            surprise=arrays["surprise"].astype(np.float32),
            seen=arrays["seen"],
            lengths=arrays["lengths"],
            forms=tuple(arrays[f"forms_{level}"] for level in range(3)),
            new_surprise=arrays["new_surprise"],
        )
        detector._ordinary, detector._ranks = arrays["ordinary"], arrays["ranks"]
        detector._head = arrays.get("head")
        return detector

    def _fit_head(self, measured: NDArray[np.float32], attack: NDArray[np.bool_]) -> None:
        from floorwalker.detectors.content._training import fit_logistic, need_training_extra

        need_training_extra()
        rows = self._head_rows(measured)
        mean, deviation = rows.mean(0), rows.std(0)
        deviation[deviation < 1e-6] = 1
        weights, intercept = fit_logistic(
            (rows - mean) / deviation, attack.astype(np.int64), strength=self.strength, balanced=False
        )
        scaled = weights[0] / deviation
        self._head = np.append(scaled, intercept[0] - scaled @ mean)

    def _head_rows(self, measured: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.hstack([measured, self._tails(measured)]).astype(np.float64)

    def _score(self, measured: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._head is None:
            return self._rank(self._oddness(measured))
        total = np.clip(self._head_rows(measured) @ self._head[:-1] + self._head[-1], -40, 40)
        answer: NDArray[np.float32] = (1 / (1 + np.exp(-total))).astype(np.float32)
        return answer

    def _tails(self, measured: NDArray[np.float32]) -> NDArray[np.float32]:
        """-ln of the share of normal requests with at least this value; beyond all of them it grows on, slowly."""
        answer = np.zeros(measured.shape, np.float32)
        many = len(self._ordinary)
        for column in range(measured.shape[1]):
            known, values = self._ordinary[:, column], measured[:, column]
            # Values that differ by a few hundredths are equal: the profile that serves has seen more requests than
            # those that measured the ordinary ones, and every surprise is a little off.
            above = many - np.searchsorted(known, 0.97 * values - 0.02, side="left")
            beyond = np.maximum(0.97 * values - 0.02 - known[-1], 0) / (known.std() + 0.1)
            answer[:, column] = -np.log((above + 0.5) / (many + 1)) + np.log1p(beyond)
        return answer

    def _oddness(self, measured: NDArray[np.float32]) -> NDArray[np.float32]:
        tails = self._tails(measured)
        answer: NDArray[np.float32] = tails.max(1) + 0.1 * tails.sum(1)
        return answer

    def _rank(self, oddness: NDArray[np.float32]) -> NDArray[np.float32]:
        many = len(self._ranks)
        below = np.searchsorted(self._ranks, oddness, side="left") / (many + 1)
        # The oddest normal requests leave 1 / (n + 1) of room, which those beyond share by how far beyond they are.
        beyond = np.maximum(oddness - self._ranks[-1], 0)
        rest = (1 - beyond / (1 + beyond)) / (many + 1)
        return np.where(below >= many / (many + 1), 1 - rest, below).astype(np.float32)


def _as_labels(labels: Sequence[int] | NDArray[Any], rows: int) -> NDArray[np.bool_]:
    values = np.asarray(labels)
    if values.shape != (rows,) or not np.isin(values, (0, 1)).all():
        raise InputError(f"labels of shape {values.shape}", allowed=f"{rows} of 0 (normal) or 1 (attack)")
    answer: NDArray[np.bool_] = values.astype(np.bool_)
    return answer
