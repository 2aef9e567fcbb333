"""Events in, decisions out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.rules import ListEntry as RuleListEntry
from floorwalker.detectors.rules import Lists, LiveRules, spoken
from floorwalker.detectors.signal import Signal
from floorwalker.detectors.unusual import DETECTOR, FeatureSample, UnusualActivity
from floorwalker.events.batch import Columns, EventBatch, make_batch
from floorwalker.events.bulk.packed import PackedEvents
from floorwalker.events.entities import ENTITIES, EntityKeyer
from floorwalker.events.event import Event
from floorwalker.features.live import FeatureBatch, LiveFeatures, route_codes_of
from floorwalker.fusion.noisy_or import fuse
from floorwalker.fusion.stacked import NAME as FUSION
from floorwalker.fusion.usual import usual_abuse
from floorwalker.pipeline.ids import IdHasher
from floorwalker.pipeline.models import Opinion, ShopModels
from floorwalker.pipeline.packed_texts import TextReader
from floorwalker.pipeline.recent import RecentEvents
from floorwalker.pipeline.window import EventWindow
from floorwalker.policy.decision import Decision
from floorwalker.policy.lists import ListBook, ListEntry
from floorwalker.policy.thresholds import ThresholdPolicy
from floorwalker.store.pages import Pages

SUBJECTS = ("account", "session", "device", "email", "phone", "payment", "ip")
"""Entities that a decision may be valid for: the first that the event names."""

_EVENT = "event"
_DECISION = "decision"

State = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Judged:
    """What was seen and decided about `n` events."""

    features: FeatureBatch
    decisions: list[Decision]


@dataclass
class Pipeline:
    """Features, rules, the anomaly detector, fusion and policy, in one piece and in one thread.

    Three verbs: `score` answers and changes nothing; `advance` moves live state; `learn` changes the model. Features
    are a function of the events advanced before, by their own times: whoever advances the same events in the same
    order gets equal bits, in whatever batches.

    Parameters
    ----------
    keyer : makes the keys of entities; its secret belongs to the state.
    hasher : makes the keys of events and the ids of decisions, under the same secret.
    features : live features and their state.
    rules : holds the rule table, which may be exchanged between two calls.
    unusual : the anomaly detector; `learn` exchanges it.
    policy : makes decisions of risk.
    lists : the shop's own lists.
    window : event ids already taken.
    recent : the last events of each entity.
    packed : reads the records of events into columns, without objects.
    models : what training made for this shop; empty without.
    seed : of the sample that `learn` learns from.
    on_failure : told of a detector that raised; the decision goes on without it and says so.

    Attributes
    ----------
    proven : by shop, abuse types whose risks labels have shown to be probabilities; see `prove`.
    """

    keyer: EntityKeyer
    hasher: IdHasher
    features: LiveFeatures
    rules: LiveRules
    policy: ThresholdPolicy = field(default_factory=ThresholdPolicy)
    lists: ListBook = field(default_factory=ListBook)
    window: EventWindow = field(default_factory=EventWindow)
    recent: RecentEvents = field(default_factory=RecentEvents)
    unusual: UnusualActivity = field(init=False)
    sample: FeatureSample = field(init=False)
    packed: TextReader = field(init=False)
    models: ShopModels = field(default_factory=ShopModels)
    seed: int = 0
    on_failure: Callable[[str, Exception], None] = field(default=lambda detector, error: None)
    proven: Mapping[str, tuple[str, ...]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.unusual = UnusualActivity(self.features.names)
        self.sample = FeatureSample(len(self.features.names), seed=self.seed)
        self.packed = self.make_reader()
        self._features_version = self.features.state()["declarations"].tobytes().hex()[:12]
        self._spoke: tuple[tuple[Any, ...], dict[str, str]] = ((), {})

    def make_reader(self) -> TextReader:
        """A reader of records with all that counting needs of them; one object is for one thread at a time."""
        prefix = partial(self.hasher.prefix, _EVENT)
        return TextReader(self.keyer, self.hasher.secret, prefix, texts=self.models.reads_texts)

    @property
    def versions(self) -> dict[str, str]:
        """Versions of everything that speaks in a decision."""
        return dict(self._versions())

    def _versions(self) -> dict[str, str]:
        """As `versions`, put together only where one of them is another than before: to be read, not written into."""
        spoke = (self.rules.current.version, self.unusual.version, self.models.columns_version, self.models.versions)
        if spoke != self._spoke[0]:
            found = {
                "features": "+".join(filter(None, [self._features_version, spoke[2]])),
                "rules": spoke[0],
                DETECTOR: spoke[1],
                **spoke[3],
            }
            self._spoke = (spoke, found)
        return self._spoke[1]

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the columns that a decision sees: the live features, then what models that remember say."""
        return (*self.features.names, *self.models.outputs)

    def batch(self, events: Sequence[Event]) -> EventBatch:
        """Tokenised events as columns."""
        return make_batch(events, self.keyer)

    def event_keys(self, shops: Sequence[str | None], ids: Sequence[str]) -> NDArray[np.uint64]:
        """Keys of event ids for the window: uint64 [n]."""
        return self.hasher.hash_all(_EVENT, shops, ids)

    def decision_id(self, shop: str, event_id: str, sequence: int) -> str:
        """The id of the decision in the journal record of this sequence; nobody without the secret can make one up."""
        return f"dc_{sequence:x}_{self.hasher.hash(_DECISION, shop, f'{sequence} {event_id}'):016x}"

    def label_id(self, shop: str, sequence: int, body: bytes) -> str:
        """An id for a label."""
        return f"lb_{sequence:x}_{self.hasher.hash('label', shop, f'{sequence} {body!r}'):016x}"

    def score(self, batch: EventBatch, sequences: NDArray[np.int64]) -> Judged:
        """Decisions about events as if each came next, alone; moves nothing.

        Parameters
        ----------
        sequences : int64 [n], of the journal records that will hold the decisions.
        """
        features = self._widen(batch, self.features.score(batch), moves=False)
        return self._judge(batch, features, sequences)

    def advance(
        self, batch: EventBatch, sequences: NDArray[np.int64], keys: NDArray[np.uint64] | None = None
    ) -> Judged:
        """Count the events in order and decide about each as of just before it was counted.

        Parameters
        ----------
        sequences : int64 [n], of the events' journal records.
        keys : of the events' ids, where the caller has them: uint64 [n].
        """
        return self._judge(batch, self.count(batch, sequences, keys), sequences)

    def judge(
        self,
        batch: EventBatch,
        features: FeatureBatch,
        sequences: NDArray[np.int64],
        *,
        listed: Sequence[str] | None = None,
    ) -> list[Decision]:
        """Decisions on features that are already known, as those of a stored decision.

        Parameters
        ----------
        listed : [n], the list that each event was on; None looks at the lists as they are.
        """
        return self._judge(batch, features, sequences, listed).decisions

    def count(
        self, batch: EventBatch, sequences: NDArray[np.int64], keys: NDArray[np.uint64] | None = None
    ) -> FeatureBatch:
        """As `advance`, without decisions: for events that were only told, and for replay."""
        features = self.features.advance(batch)
        self.sample.add(features.values)
        if keys is None:
            keys = self.event_keys(batch.texts["shop"], batch.id)
        self.window.add(keys, sequences)
        self._note(batch, sequences)
        return self._widen(batch, features, moves=True)

    def count_packed(self, packed: PackedEvents) -> FeatureBatch:
        """With `note_packed` as `count`, for events that were read from their records by `packed`; the answer has no
        event ids."""
        keys, route = packed.batch.keys, route_codes_of(packed.urls, len(packed.batch))
        with_route = keys.beside("route", route) if isinstance(keys, Columns) else {**keys, "route": route}
        batch = replace(packed.batch, keys=with_route)
        features = self.features.advance(batch)
        self.sample.add(features.values)
        return self._widen(batch, features, moves=True)

    def note_packed(self, packed: PackedEvents, sequences: NDArray[np.int64]) -> None:
        """Remember events that `count_packed` counts; another thread may do so meanwhile, in the same order.

        Parameters
        ----------
        sequences : int64 [n], of the events' journal records.
        """
        self.window.add(packed.id_keys, sequences)
        self._note(packed.batch, sequences)

    def learn(self, *, version: str) -> UnusualActivity:
        """A new anomaly detector from the sample of history; `adopt` puts it to work.

        Raises `UsageError` where there is too little history.
        """
        return UnusualActivity.fit(self.sample.filled(), self.features.names, version=version, seed=self.seed)

    def adopt(self, unusual: UnusualActivity) -> None:
        """From the next call on, answer with this detector."""
        self.unusual = unusual

    def prove(self, types: Mapping[str, tuple[str, ...]], *, fusion: str) -> None:
        """From the next call on, decisions say that the risks of these abuse types are calibrated.

        Parameters
        ----------
        types : abuse types by shop.
        fusion : version of the learned fusion whose risks the labels were about; those of another one prove nothing.
        """
        self.proven = dict(types) if fusion == self.models.versions.get("fusion", "") else {}

    def change_lists(self, entry: ListEntry, *, removed: bool) -> None:
        """Put an entry on its list or take it off, for the policy and for rules that ask."""
        if removed:
            self.lists.remove(entry.list, entry.entity, entry.key)
        else:
            self.lists.put(entry)
        self.show_lists_to_rules()

    def show_lists_to_rules(self) -> None:
        """Give the rules the lists as they now are."""
        shown = [
            RuleListEntry(
                name=each.list, field=each.entity, value=each.value, ends_at=each.expires_at or None, shop=each.shop
            )
            for each in self.lists.entries()
        ]
        self.rules.replace_lists(Lists(shown))

    def state(self) -> dict[str, State]:
        """Live state by part, the arrays themselves and not copies."""
        return {
            "features": self.features.state(),
            "window": self.window.state(),
            "sample": self.sample.state(),
            "recent": self.recent.state(),
            **({"models": remembered} if (remembered := self.models.state()) else {}),
        }

    def pages(self) -> dict[str, dict[str, tuple[Pages, int]]]:
        """Of the large arrays of `state` the pages, by part and name."""
        return {
            "features": self.features.pages(),
            "window": self.window.pages(),
            "sample": self.sample.pages(),
            "recent": self.recent.pages(),
            **({"models": pages} if (pages := self.models.pages()) else {}),
        }

    def restore(self, state: Mapping[str, State]) -> None:
        """Continue from a state."""
        self.features.restore(state["features"])
        self.window.restore(state["window"])
        self.sample.restore(state["sample"])
        self.recent.restore(state["recent"])
        self.models.restore(state.get("models", {}))

    def _widen(self, batch: EventBatch, features: FeatureBatch, *, moves: bool) -> FeatureBatch:
        return self.models.widen(batch, features, moves=moves, on_failure=self.on_failure)

    def _note(self, batch: EventBatch, sequences: NDArray[np.int64]) -> None:
        """Let every entity of the events remember them, also the further ones of events with several."""
        keys = batch.keys
        rows = keys.rows if isinstance(keys, Columns) else np.array([keys[name] for name in ENTITIES], np.uint64)
        self.recent.add(rows, sequences, batch.parts)

    def _judge(
        self,
        batch: EventBatch,
        features: FeatureBatch,
        sequences: NDArray[np.int64],
        listed: Sequence[str] | None = None,
    ) -> Judged:
        asked, shadow = self._ask_rules(batch, features)
        unusual = self._ask_unusual(features)
        opinion = self._ask_models(batch, features, unusual)
        shops = [shop or "" for shop in batch.texts["shop"]]
        decisions = self.policy.decide(
            fuse([*asked, unusual, *opinion.signals], usual_abuse(batch.type), suspicion=opinion.suspicion),
            ids=[
                self.decision_id(shop, name, sequence)
                for shop, name, sequence in zip(shops, batch.id, sequences.tolist(), strict=True)
            ],
            event_ids=batch.id,
            shops=shops,
            subjects=_subjects(batch),
            at=batch.received_at.tolist(),
            listed=self.lists.match(batch.keys, batch.received_at, batch.parts) if listed is None else listed,
            versions=self._versions(),
            shadow=shadow,
            proven=self.proven,
        )
        return Judged(features, decisions)

    def _ask_rules(self, batch: EventBatch, features: FeatureBatch) -> tuple[list[Signal], list[tuple[str, ...]]]:
        """Signals of the active rules, and for each event the ids of the shadow rules that fired."""
        table = self.rules.current
        rows = len(batch)
        # A verdict survives a broken part and says so: what fails is named in the decision as missing.
        try:
            return spoken(table.evaluate(batch, features))
        except Exception as error:  # noqa: BLE001
            return [self._failed("rules", table.version, rows, error)], [()] * rows

    def _ask_unusual(self, features: FeatureBatch) -> Signal:
        try:
            return self.unusual.judge(features.values[:, : len(self.unusual.names)])
        except Exception as error:  # noqa: BLE001
            return self._failed(DETECTOR, self.unusual.version, len(features.event_ids), error)

    def _ask_models(self, batch: EventBatch, features: FeatureBatch, unusual: Signal) -> Opinion:
        try:
            return self.models.judge(batch, features, unusual)
        except Exception as error:  # noqa: BLE001
            return Opinion([self._failed(FUSION, "failed", len(batch), error)])

    def _failed(self, detector: str, version: str, rows: int, error: Exception) -> Signal:
        self.on_failure(detector, error)
        return Signal(
            detector=detector,
            version=version,
            abuse_type=None,
            score=np.zeros(rows, np.float32),
            reasons=[[] for _ in range(rows)],
            ready=False,
        )


def _subjects(batch: EventBatch) -> list[str]:
    subjects = [""] * len(batch)
    rows: Sequence[int] = range(len(batch))
    for entity in SUBJECTS:
        column, rest = batch.texts[entity], list[int]()
        for row in rows:
            value = column[row]
            if value is None:
                rest.append(row)
            else:
                subjects[row] = f"{entity}:{value}"
        if not rest:
            break
        rows = rest
    return subjects
