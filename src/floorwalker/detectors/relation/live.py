"""The shop's graph, kept live: who shares devices, cards, doors, addresses, coupons, items and inviters with whom."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.relation import _live_layout as layout
from floorwalker.detectors.relation._live_kernel import walk_events
from floorwalker.detectors.relation._live_network import score_stars
from floorwalker.detectors.relation.gnn import RelationalNetwork
from floorwalker.detectors.relation.links import tell_link
from floorwalker.detectors.relation.rings import Ring, find_rings
from floorwalker.detectors.relation.stars import Stars
from floorwalker.detectors.signal import Reason
from floorwalker.errors import ArtefactError, UsageError
from floorwalker.events.batch import EventBatch
from floorwalker.events.rows import key_rows, number_rows
from floorwalker.features.live import FeatureBatch
from floorwalker.kernels import silent
from floorwalker.models.artefacts import load_artefact, save_artefact
from floorwalker.store.pages import Pages

ARTEFACT, SETTINGS, NETWORK = "relation.live", "relation.json", "network"

State = dict[str, NDArray[Any]]

_TOGETHER, _AWAKE, _DECLINED = (layout.WHAT.index(name) for name in ("together", "awake", "declined"))
_walk: Callable[..., None] = silent(walk_events)
_judge: Callable[..., None] = score_stars


class LiveRelations:
    """What an account's neighbours are like, at once.

    An event joins its account to the entities that it names. Each entity keeps the last few accounts, each account the
    last entity of each kind and what it did of late. So whoever logs in on a new device is seen beside those who were
    there before, in one look of fixed size. An entity that more accounts share than any household could says nothing;
    below that, the more share it, the less it weighs.

    With a network (`learn_stars`) the neighbours' profiles are weighed into a score an abuse type.

    Everything is bounded: of accounts and entities those unheard of longest make room. One object is for one thread at
    a time, and equal events give equal scores, whatever the batches.

    Parameters
    ----------
    accounts, entities : rows kept, multiples of 8.
    fan_out : accounts that an entity remembers.
    network, abuse_types : a network of `learn_stars` and what its outputs accuse of.

    Errors
    ------
    `UsageError` on sizes or a network that do not fit.
    """

    detector = layout.DETECTOR

    def __init__(
        self,
        *,
        accounts: int = 131_072,
        entities: int = 262_144,
        fan_out: int = 6,
        network: RelationalNetwork | None = None,
        abuse_types: Sequence[str] = (),
    ) -> None:
        if accounts < layout.WAYS or entities < layout.WAYS or accounts % layout.WAYS or entities % layout.WAYS:
            raise UsageError(f"accounts={accounts}, entities={entities}", allowed="multiples of 8, from 8")
        if not 1 <= fan_out <= 64:
            raise UsageError(f"fan_out={fan_out}", allowed="1 to 64")
        self.sizes = {"accounts": accounts, "entities": entities, "fan_out": fan_out}
        self._fan_out = fan_out
        self._width = layout.entity_width(fan_out)
        self._state: State = {
            "accounts": np.zeros(accounts * layout.ACCOUNT_WIDTH, np.uint64),
            "entities": np.zeros(entities * self._width, np.uint64),
        }
        self._pages = {name: Pages(words) for name, words in self._state.items()}
        # The keys once more and close together: eight of them are one look into memory.
        self._keys = {"accounts": np.zeros(accounts, np.uint64), "entities": np.zeros(entities, np.uint64)}
        self._no_slots: NDArray[np.int64] = np.zeros(0, np.int64)
        self._room = self._make_room(0)
        self._fixed = (
            layout.settings(), self._keys["accounts"], *self._pages["accounts"].arguments, self._keys["entities"],
            *self._pages["entities"].arguments,
        )  # fmt: skip
        self._network = network
        self._weights: tuple[NDArray[np.float32], ...] = ()
        if network is not None:
            self._weights = take_weights(network, len(abuse_types))
        self.abuse_types = tuple(abuse_types)
        self.outputs = (*layout.OUTPUTS, *(f"{layout.DETECTOR}.gnn.{name}" for name in self.abuse_types))
        digest = hashlib.blake2b(repr((layout.VERSION, self.sizes, self.outputs)).encode(), digest_size=6)
        for array in self._weights:
            digest.update(array.tobytes())
        self.version = digest.hexdigest()

    @classmethod
    def load(cls, folder: Path) -> LiveRelations:
        """An empty live graph as `save` described it; `ArtefactError` where the folder is damaged."""
        artefact = load_artefact(folder, name=ARTEFACT, version=1)
        try:
            told = json.loads(artefact.files[SETTINGS])
            sizes = {name: int(told[name]) for name in ("accounts", "entities", "fan_out")}
            types = [str(name) for name in told["abuse_types"]]
        except (KeyError, TypeError, ValueError) as broken:
            raise ArtefactError(f"{folder} describes no live graph: {broken!r}", fix="train again") from broken
        network = RelationalNetwork.load(folder / NETWORK) if types else None
        return cls(network=network, abuse_types=types, **sizes)

    def save(self, folder: Path, *, facts: Mapping[str, Any] | None = None) -> None:
        """Write sizes, and the network where there is one; not what happened."""
        told = {**self.sizes, "abuse_types": self.abuse_types}
        files = {SETTINGS: (json.dumps(told) + "\n").encode()}
        save_artefact(folder, name=ARTEFACT, version=1, files=files, facts=facts or {})
        if self._network is not None:
            self._network.save(folder / NETWORK, facts=dict(facts or {}))

    def score(self, batch: EventBatch, features: FeatureBatch) -> NDArray[np.float32]:
        """Columns of each event as if it came next, alone: float32 [n, len(outputs)]; nothing moves.

        Columns of a kind are NaN where the event and its account have no entity of it; all but the degree also where a
        crowd has it.
        """
        return self._run(batch, moves=False)[0]

    def advance(self, batch: EventBatch, features: FeatureBatch) -> NDArray[np.float32]:
        """As `score`, of just before each event, in order; each then changes the graph."""
        return self._run(batch, moves=True)[0]

    def collect(
        self, batch: EventBatch, features: FeatureBatch, rows: Sequence[int] | NDArray[np.intp]
    ) -> tuple[NDArray[np.float32], Stars]:
        """As `advance`, and the stars of the events at these positions, to learn from."""
        wanted = np.asarray(rows, np.intp)
        answer, stars = self._run(batch, moves=True, kept=wanted)
        found = np.searchsorted(np.unique(wanted), wanted)
        assert stars is not None
        return answer, Stars(stars.own[found], stars.around[found], stars.amounts[found])

    def rings(
        self, *, since: int | None = None, among: NDArray[np.uint64] | None = None, **settings: Any
    ) -> list[Ring]:
        """Rings among the accounts kept now, by the last entity of each kind that each account had.

        Members and entities are named by their keys, opening times are those of first sight. `settings` go to
        `find_rings`; limits of crowds are those of the live graph. It reads the whole state: not for the request path.

        Parameters
        ----------
        since : µs UTC; only accounts that were heard of since then.
        among : keys of accounts, such as those at risk: households and offices share as much as crews do.
        """
        rows = self._state["accounts"].reshape(-1, layout.ACCOUNT_WIDTH)
        rows = rows[self._keys["accounts"] != 0]
        if since is not None:
            rows = rows[rows[:, layout.LAST].view(np.int64) >= since]
        if among is not None:
            rows = rows[np.isin(rows[:, layout.KEY], among)]
        links = rows[:, layout.LINKS : layout.REALS]
        account, kind = np.nonzero(links)
        keys = rows[:, layout.KEY]
        return find_rings(
            keys[account],
            links[account, kind],
            np.array(layout.KINDS)[kind],
            **{
                "hubs": dict(zip(layout.KINDS, layout.HUBS, strict=True)),
                "born": dict(zip(keys.tolist(), rows[:, layout.BORN].view(np.int64).tolist(), strict=True)),
                **settings,
            },
        )

    def state(self) -> State:
        """The whole state: the arrays themselves, valid until the next `advance`."""
        return dict(self._state)

    def pages(self) -> dict[str, tuple[Pages, int]]:
        """The pages of the state, for snapshots that take only what changed."""
        return {name: (pages, 0) for name, pages in self._pages.items()}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from a state; one of another shape raises `ArtefactError`."""
        for name, array in self._state.items():
            if name not in state or state[name].shape != array.shape or state[name].dtype != array.dtype:
                raise ArtefactError(f"the stored {name} of {self.detector} do not fit", fix="replay the journal")
        for name, array in self._state.items():
            array[...] = state[name]
            self._keys[name][:] = array.reshape(len(self._keys[name]), -1)[:, layout.KEY]
            self._pages[name].touch_all()

    def reasons(
        self, batch: EventBatch, features: FeatureBatch, scores: NDArray[np.float32], *, least: float = 0.5
    ) -> list[list[Reason]]:
        """The links that matter for events whose network score is at least `least`, strongest first.

        A link weighs what its kind's neighbours say: declined payments, accounts opened together or here together.
        Without a network every event with a link that weighs that much has its reasons.
        """
        width = len(layout.WHAT)
        found: list[list[Reason]] = [[] for _ in range(len(scores))]
        told = scores[:, : len(layout.KINDS) * width].reshape(len(scores), len(layout.KINDS), width)
        # Three are a crew; two, a couple.
        crowd = np.fmax(told[:, :, _TOGETHER], told[:, :, _AWAKE]) / 3
        weight = np.fmax(np.tanh(told[:, :, _DECLINED]), np.minimum(crowd, 1.0))
        network = scores[:, len(layout.OUTPUTS) :]
        # What is missing is no reason: NaN is not above anything.
        asked = (network if network.shape[1] else weight) >= least
        if not asked.any():
            return found
        weight = np.fmax(weight, np.float32(0))
        for row in np.flatnonzero(asked.any(axis=1)).tolist():
            for kind in np.argsort(-weight[row], kind="stable")[:3].tolist():
                if weight[row, kind] > 0:
                    name = layout.KINDS[kind]
                    text = tell_link(name, dict(zip(layout.WHAT, told[row, kind].tolist(), strict=True)))
                    severity = min(max(float(weight[row, kind]), 1e-3), 1.0)
                    found[row].append(Reason(f"{layout.DETECTOR}.shared_{name}", text, severity))
        return found

    def _run(
        self, batch: EventBatch, *, moves: bool, kept: NDArray[np.intp] | None = None
    ) -> tuple[NDArray[np.float32], Stars | None]:
        n = len(batch)
        slots, room = self._no_slots, self._room
        if self._weights:
            slots, room = np.arange(n), self._make_room(n)
        elif kept is not None:
            slots, places = np.full(n, -1, np.int64), np.unique(kept)
            slots[places] = np.arange(len(places))
            room = self._make_room(len(places))
        own, around, amounts = room
        out = np.empty((n, len(layout.OUTPUTS)), np.float32)
        _walk(
            moves, slots, self._fan_out, key_rows(batch), number_rows(batch), batch.at, batch.received_at, batch.type,
            *self._fixed, out, *room,
        )  # fmt: skip
        if not self._weights and kept is None:
            return out, None
        stars = Stars(own[:-1], around[:-1], amounts[:-1])
        if not self._weights:
            return out, stars
        scores = np.empty((n, len(self.abuse_types)), np.float32)
        _judge(own[:n], around[:n], amounts[:n], *self._weights, scores)
        if kept is not None:
            places = np.unique(kept)
            stars = Stars(own[places], around[places], amounts[places])
        return np.hstack([out, scores]), stars

    def _make_room(self, stars: int) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
        """Room for so many stars, and one to work in."""
        profile, kinds = len(layout.PROFILE), len(layout.KINDS)
        return (
            np.empty((stars + 1, profile), np.float32),
            np.empty((stars + 1, kinds, self._fan_out, profile), np.float32),
            np.zeros((stars + 1, kinds), np.int64),
        )


def take_weights(network: RelationalNetwork, outputs: int) -> tuple[NDArray[np.float32], ...]:
    """The arrays of a network of one layer of means, as the kernel reads them; `UsageError` for another."""
    parts = network.arrays()
    wide = len(layout.PROFILE) + len(layout.KINDS)
    if (
        network.layers != 1 or network.attention or network.shown or network.relations != layout.KINDS
        or network.outputs != outputs or len(parts["preparation.centre"]) != wide
    ):  # fmt: skip
        raise UsageError(
            f"a network of {network.layers} layers, {network.outputs} outputs and the relations "
            f"{', '.join(network.relations)}",
            allowed=f"one of `learn_stars` with {outputs} outputs, one for each of `abuse_types`",
        )

    def turned(name: str) -> NDArray[np.float32]:
        return np.ascontiguousarray(parts[name].T)

    messages = [turned(f"messages.0.{kind}.lin_l.weight") for kind in range(len(layout.KINDS))]
    return (
        parts["preparation.centre"], parts["preparation.spread"], turned("input.weight"), parts["input.bias"],
        turned("self.0.weight"), parts["self.0.bias"], np.stack(messages), parts["norms.0.weight"],
        parts["norms.0.bias"], turned("output.weight"), parts["output.bias"],
    )  # fmt: skip
