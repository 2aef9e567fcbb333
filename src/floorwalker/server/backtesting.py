"""Rules over history: what they would have hit, how often they would have been right, what would have changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from floorwalker.detectors.rules import LiveRules, RuleTable, default_schema
from floorwalker.errors import InputError, UsageError
from floorwalker.events.batch import EventBatch
from floorwalker.events.entities import ENTITIES
from floorwalker.events.event import Event
from floorwalker.events.outcomes import Label
from floorwalker.features.live import FeatureBatch
from floorwalker.metrics import wilson_interval
from floorwalker.pipeline.pipeline import SUBJECTS, Pipeline
from floorwalker.pipeline.records import DecisionRecord, EventRecord, LabelRecord, Record
from floorwalker.pipeline.replaying import Replay
from floorwalker.server.installation import Installation
from floorwalker.server.rule_sets import read_rules
from floorwalker.server.startup import load_model, make_pipeline
from floorwalker.store.journal import read_journal

ABUSE = 0.5
"""Share of abuse from which a label calls its subject abusive."""


@dataclass(frozen=True)
class _Hit:
    """One event that a rule fired on, small enough to keep millions."""

    subject: str
    value: float
    keys: tuple[tuple[str, str, str], ...]


@dataclass
class _Found:
    """What one rule did over history."""

    hits: list[_Hit] = field(default_factory=list)
    months: Counter[str] = field(default_factory=Counter)
    beside: Counter[str] = field(default_factory=Counter)
    alone: int = 0


def backtest(installation: Installation, source: Path, *, since: int, until: int, now: int) -> dict[str, Any]:
    """Replay the journal and evaluate other rules on each event as of its time.

    Every event since the journal's beginning is counted, so that features are those of the day; rules are evaluated on
    the events from `since` on. The journal is only read, also beside a running server.

    Parameters
    ----------
    installation : its journal, secret and rules.
    source : a folder of rules, or one rule's file; a rule with the path of a present one takes its place.
    since, until : µs UTC, the events' own times: first that counts, first that does not any more.
    now : µs UTC; labels that mature later are not counted.

    Returns
    -------
    `events` (evaluated), `decisions` (of them, with a stored decision) and for each rule: `hits`, `subjects`, `share`
    of the events, `value_minor` (money in the events hit, base currency), `labelled`, `right`, `precision` with its
    Wilson interval, `right_value_minor`, `immature` and `unlabelled` hits, `months`, `overlap` (share of its hits that
    each present rule also made), `alone` (hits no active present rule made). `changes` counts decisions whose action
    would be another, as `from -> to`, with the rules in force today and with these beside them.
    """
    if not installation.journal.is_dir():
        raise UsageError(f"{installation.folder} holds no journal", fix="give the --folder that the server was given")
    if since >= until:
        raise UsageError("the time from --since to --until is empty", allowed="--since before --until")
    texts = _read_texts(source)
    pipeline = make_pipeline(installation)
    schema = default_schema(pipeline.features.names)
    lists = pipeline.rules.current.lists
    candidate = RuleTable.load(texts, schema=schema, lists=lists)
    together = RuleTable.load({**read_rules(installation), **texts}, schema=schema, lists=lists)
    search = _Search(pipeline, candidate, together)
    replay = Replay(pipeline, lambda version: load_model(installation, version), search.note)
    for held, features in replay.steps(read_journal(installation.journal)):
        search.look(held, features, since, until)
    return {
        "events": search.events,
        "decisions": search.decisions,
        "labels": len(search.labels),
        "rules": {rule.id: _report(search.found[rule.id], rule.abuse_type, search, now) for rule in candidate.rules},
        "changes": dict(search.changes.most_common()),
    }


class _Search:
    """Goes along with a replay and keeps what is asked for."""

    def __init__(self, pipeline: Pipeline, candidate: RuleTable, together: RuleTable) -> None:
        self.pipeline = pipeline
        self.candidate = candidate
        self.found = {rule.id: _Found() for rule in candidate.rules}
        self.labels: dict[str, Label] = {}
        self.decided: dict[tuple[str, str], str] = {}
        self.changes: Counter[str] = Counter()
        self.events = self.decisions = 0
        self._together = LiveRules(together)

    def note(self, sequence: int, record: Record) -> None:
        """Labels and decisions that come by."""
        if isinstance(record, LabelRecord):
            if record.label is None:
                self.labels.pop(record.id, None)
            else:
                self.labels[record.id] = record.label
        elif isinstance(record, EventRecord | DecisionRecord) and record.decision is not None:
            self.decided[record.decision.shop, record.decision.event_id] = record.decision.id

    def look(self, held: list[EventRecord], features: FeatureBatch, since: int, until: int) -> None:
        """Evaluate a batch of events that was just counted, its features as of before."""
        rows = [row for row, record in enumerate(held) if since <= record.event.at < until]
        if not rows:
            return
        self.events += len(rows)
        records = [held[row] for row in rows]
        features = features if len(rows) == len(held) else features.take(rows)
        batch = self.pipeline.batch([record.event for record in records])
        present = self.pipeline.rules.current
        with_lists = self.candidate.with_lists(present.lists)
        theirs, ours = with_lists.evaluate(batch, features), present.evaluate(batch, features)
        active = np.array([rule.mode == "active" for rule in present.rules], bool)
        for row, column in np.argwhere(theirs.fired).tolist():
            rule = self.candidate.rules[column]
            found = self.found[rule.id]
            event = records[row].event
            found.hits.append(self._hit(event))
            found.months[str(np.datetime64(event.at, "us").astype("datetime64[M]"))] += 1
            others = [n for n in np.flatnonzero(ours.fired[row]).tolist() if present.rules[n].id != rule.id]
            found.beside.update(present.rules[n].id for n in others)
            found.alone += not any(active[n] for n in others)
        fired = np.logical_or(theirs.fired.any(axis=1), ours.fired.any(axis=1))
        self._compare(records, batch, features, np.flatnonzero(fired).tolist())

    def _hit(self, event: Event) -> _Hit:
        subject = next((f"{name}:{value}" for name in SUBJECTS if (value := getattr(event, name, None))), "")
        base = event.identity.amount_base_minor if event.identity is not None else None
        value = base if base is not None else event.amount_minor
        named = [("event", event.id), ("order", event.order)]
        named.append(("dispute", event.dispute.id if event.dispute is not None else None))
        named += [(entity, getattr(event, entity, None)) for entity in ENTITIES]
        keys = tuple((event.shop, kind, str(name)) for kind, name in named if name)
        return _Hit(subject, float(value or 0), keys)

    def _compare(self, records: list[EventRecord], batch: EventBatch, features: FeatureBatch, fired: list[int]) -> None:
        """Count decisions that would be others; only events that some rule hits can be among them."""
        self.decisions += sum(record.decision is not None for record in records)
        rows = [row for row in fired if records[row].decision is not None]
        if not rows:
            return
        part, known = batch.take(np.array(rows)), features.take(rows)
        sequences = np.zeros(len(rows), np.int64)
        now = self.pipeline.judge(part, known, sequences)
        present, lists = self.pipeline.rules, self.pipeline.rules.current.lists
        self._together.replace_lists(lists)
        self.pipeline.rules = self._together
        try:
            then = self.pipeline.judge(part, known, sequences)
        finally:
            self.pipeline.rules = present
        for before, after in zip(now, then, strict=True):
            if before.intended != after.intended:
                self.changes[f"{before.intended} -> {after.intended}"] += 1


def _report(found: _Found, abuse_type: str, search: _Search, now: int) -> dict[str, Any]:
    truth = _Truth(search.labels, now)
    right = labelled = immature = 0
    right_value = 0.0
    for hit in found.hits:
        keys = hit.keys
        event_key = keys[0]
        if (decision := search.decided.get((event_key[0], event_key[2]))) is not None:
            keys = (*keys, (event_key[0], "decision", decision))
        verdict, waits = truth.of(keys, abuse_type)
        if verdict is None:
            immature += waits
            continue
        labelled += 1
        right += verdict
        right_value += hit.value if verdict else 0.0
    hits = len(found.hits)
    interval = wilson_interval(right, labelled) if labelled else None
    return {
        "abuse_type": abuse_type,
        "hits": hits,
        "subjects": len({hit.subject for hit in found.hits}),
        "share": hits / max(search.events, 1),
        "value_minor": sum(hit.value for hit in found.hits),
        "labelled": labelled,
        "right": right,
        "precision": right / labelled if labelled else None,
        "precision_interval": [interval.low, interval.high] if interval else None,
        "right_value_minor": right_value,
        "immature": immature,
        "unlabelled": hits - labelled - immature,
        "months": dict(sorted(found.months.items())),
        "overlap": {name: count / hits for name, count in found.beside.most_common(5)},
        "alone": found.alone,
    }


class _Truth:
    """What mature labels say of a hit."""

    def __init__(self, labels: Mapping[str, Label], now: int) -> None:
        self._now = now
        self._by_subject: dict[tuple[str, str, str], list[Label]] = {}
        for label in labels.values():
            if label.disposition != "withdrawn":
                key = (label.shop, label.subject_kind, label.subject)
                self._by_subject.setdefault(key, []).append(label)

    def of(self, keys: tuple[tuple[str, str, str], ...], abuse_type: str) -> tuple[bool | None, bool]:
        """Whether the hit was right (None: nobody knows), and whether a label is still to mature.

        Labels of the rule's own abuse type count, by their weights: abuse where their mean is a half or more.
        """
        labels = [label for key in keys for label in self._by_subject.get(key, ()) if label.abuse_type == abuse_type]
        mature = [label for label in labels if label.is_mature(self._now) and label.weight > 0]
        if not mature:
            return None, bool(labels)
        total = sum(label.weight for label in mature)
        return sum(label.weight * label.value for label in mature) / total >= ABUSE, False


def _read_texts(source: Path) -> dict[str, str]:
    if source.is_file():
        try:
            return {source.name: source.read_text("utf-8-sig")}
        except UnicodeDecodeError as error:
            raise InputError(f"{source} is not UTF-8: {error}") from error
    if not source.is_dir():
        raise InputError(f"no rules at {source}", fix="give a folder of *.yaml rules, or one of them")
    texts = {
        path.relative_to(source).as_posix(): path.read_text("utf-8-sig") for path in sorted(source.rglob("*.yaml"))
    }
    if not texts:
        raise InputError(f"{source} holds no *.yaml file", fix="give a folder of rules, or one of them")
    return texts
