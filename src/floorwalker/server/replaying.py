"""History again: features compared bit for bit, and one decision explained from its inputs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from msgspec import structs

from floorwalker.detectors.content.read_types import READ_TYPES
from floorwalker.detectors.rules import RuleTable, default_schema
from floorwalker.detectors.unusual import DETECTOR, UnusualActivity
from floorwalker.errors import ArtefactError, InputError, UsageError
from floorwalker.features.live import FeatureBatch
from floorwalker.pipeline.pipeline import Pipeline
from floorwalker.pipeline.records import (
    DecisionRecord,
    EventRecord,
    JoinedRecord,
    ListRecord,
    Record,
    decode_record,
    feature_values,
)
from floorwalker.pipeline.replaying import Replay
from floorwalker.policy.decision import NOT_SUSPECTED, Decision
from floorwalker.policy.thresholds import ThresholdPolicy
from floorwalker.server.installation import Installation
from floorwalker.server.rule_sets import RuleSets
from floorwalker.server.startup import load_model, make_pipeline
from floorwalker.store.journal import read_journal

if TYPE_CHECKING:
    from floorwalker.fusion.late_texts import LateTexts

_MOST_LATELY = 10_000
"""Decisions about texts that a replay remembers, as many as may wait for being read."""


def compare_history(installation: Installation, out: Path | None = None) -> dict[str, Any]:
    """Count the whole journal again in a new pipeline and compare with what was stored.

    Parameters
    ----------
    installation : its journal is only read.
    out : Parquet file for the features of every event.

    Returns
    -------
    `events`, `decisions` (with stored features), `features_differ`, `actions_differ` (the intended action under the
    rules that decided then), `rules_lost` (decisions whose rules are not kept any more; today's are taken), `joined`
    (signals of texts that came later; they are replayed as they are journalled), `joined_differ` (of those by the
    classifier that is installed, the ones that come to something else today), `versions` of today.
    """
    _check(installation)
    pipeline = make_pipeline(installation)
    tables = _Tables(installation, pipeline)
    found = {
        "events": 0, "decisions": 0, "features_differ": 0, "actions_differ": 0, "rules_lost": 0, "joined": 0,
        "joined_differ": 0,
    }  # fmt: skip
    texts = _load_texts(installation)
    # Signals mostly come soon: who looked each decision up would read a segment for it.
    lately: OrderedDict[str, EventRecord | DecisionRecord] = OrderedDict()

    def note(sequence: int, record: Record) -> None:
        if isinstance(record, JoinedRecord):
            found["joined"] += 1
            if texts is None or texts.version != record.version:
                return
            decided = lately.get(record.decision_id)
            if decided is None:
                # Segments go by age, and a repair leaves gaps: the decision may be gone.
                with suppress(InputError):
                    decided = _find(installation, record.decision_id)
            again = _join_again(record, decided, texts) if decided is not None else None
            found["joined_differ"] += again is not None and again != record
        elif isinstance(record, EventRecord | DecisionRecord) and (name := _text_decision(record)):
            lately[name] = record
            if len(lately) > _MOST_LATELY:
                lately.popitem(last=False)

    replay = Replay(pipeline, lambda version: load_model(installation, version), note)
    parts: list[tuple[list[str], np.ndarray[Any, Any]]] = []
    for held, features in replay.steps(read_journal(installation.journal)):
        found["events"] += len(held)
        rows = [row for row, record in enumerate(held) if record.decision is not None]
        found["decisions"] += len(rows)
        if out is not None:
            parts.append((features.event_ids, features.values))
        if not rows:
            continue
        stored = [held[row].features for row in rows]
        again = np.ascontiguousarray(features.values[rows], "<f4")
        width = again.shape[1] * 4
        data = again.tobytes()
        for place, bits in enumerate(stored):
            found["features_differ"] += bits != data[place * width : (place + 1) * width]
        for version, of_version in _by_rules(held, rows).items():
            found["rules_lost"] += 0 if tables.put_in_place(version) else len(of_version)
            records = [held[row] for row in of_version]
            found["actions_differ"] += _count_other_actions(pipeline, records, features.take(of_version))
    tables.put_in_place(tables.today.version)
    if out is not None:
        _write(out, features_of=parts, names=pipeline.feature_names)
    return {**found, "versions": pipeline.versions}


def explain_decision(installation: Installation, decision_id: str) -> dict[str, Any]:
    """A decision, what it was made of, and the same made again.

    Raises `InputError` where no decision of this id is kept.
    """
    _check(installation)
    record = _find(installation, decision_id)
    decision = record.decision
    assert decision is not None
    pipeline = make_pipeline(installation, policy=ThresholdPolicy(mode=decision.mode))
    version = decision.versions.get(DETECTOR, "0")
    model = load_model(installation, version) if version != "0" else None
    pipeline.adopt(model or UnusualActivity(pipeline.features.names, "0" if version == "0" else "lost"))
    # Whether labels had shown it by then is an input, too.
    if decision.calibrated:
        pipeline.prove({decision.shop: (decision.abuse_type,)}, fusion=pipeline.versions.get("fusion", ""))
    tables = _Tables(installation, pipeline, before=int(decision_id.split("_")[1], 16))
    tables.put_in_place(decision.versions.get("rules", ""))
    now_versions = {**pipeline.versions, "policy": pipeline.policy.version}
    then_versions = {**decision.versions, "policy": decision.policy_version}
    changed = [
        (name, then_versions.get(name, "none"), now_versions.get(name, "none"))
        for name in sorted({*then_versions, *now_versions})
        if then_versions.get(name) != now_versions.get(name)
    ]
    values = feature_values(record)
    names = pipeline.feature_names
    same_features = decision.versions.get("features") == pipeline.versions["features"]
    again = today = None
    if same_features:
        batch = pipeline.batch([record.event])
        missing = np.isnan(values)
        given = FeatureBatch([record.event.id], np.array([decision.at]), values[None, :], names, missing[None, :])
        sequences = np.array([int(decision_id.split("_")[1], 16)], np.int64)
        # What the shop's lists said on that day is an input too.
        on = next((cause.code.removeprefix("list.") for cause in decision.causes if cause.detector == "lists"), "")
        again = pipeline.judge(batch, given, sequences, listed=[on])[0]
        tables.put_in_place(tables.today.version)
        today = pipeline.judge(batch, given, sequences, listed=[on])[0]
    later = _find_joined(installation, record)
    later_again = _join_again(later, record, _load_texts(installation)) if later is not None else None
    return {
        "decision_id": decision_id,
        "event": msgspec.to_builtins(record.event),
        "features": {
            name: float(value) if value == value else None
            for name, value in zip(names if same_features else map(str, range(len(values))), values, strict=True)
        },
        "stored": msgspec.to_builtins(decision),
        "again": msgspec.to_builtins(again) if again is not None else None,
        "changed": changed,
        "rules_now": tables.today.version,
        "today": msgspec.to_builtins(today) if today is not None else None,
        "equal": again is not None and _are_equal(decision, again),
        "joined": msgspec.to_builtins(later) if later is not None else None,
        "joined_again": msgspec.to_builtins(later_again) if later_again is not None else None,
    }


def _are_equal(stored: Decision, again: Decision) -> bool:
    """Whether a decision that was made again is the stored one.

    One of before suspicions were told has none, and is no other decision for that.
    """
    return stored == (again if stored.suspicion else structs.replace(again, suspicion=NOT_SUSPECTED))


def _load_texts(installation: Installation) -> LateTexts | None:
    """The installed classifier's ranks; None where there is none, or a broken one."""
    from floorwalker.fusion.late_texts import LateTexts

    with suppress(ArtefactError):
        return LateTexts.load(installation.texts)
    return None


def _text_decision(record: EventRecord | DecisionRecord) -> str:
    """The id of the decision, where it is one about a text that may be read later; "" else."""
    if record.decision is None or record.event.type not in READ_TYPES or not record.event.text:
        return ""
    return record.decision.id


def _find_joined(installation: Installation, record: EventRecord | DecisionRecord) -> JoinedRecord | None:
    """What came to a decision later; the first, should there be several."""
    name = _text_decision(record)
    if not name:
        return None
    for _, data in read_journal(installation.journal, int(name.split("_")[1], 16) + 1):
        if b"joined" in data[:24] and name.encode() in data:
            found = decode_record(data)
            if isinstance(found, JoinedRecord) and found.decision_id == name:
                return found
    return None


def _join_again(
    record: JoinedRecord, decided: EventRecord | DecisionRecord, texts: LateTexts | None
) -> JoinedRecord | None:
    """The record made again from its score and its decision; None where classifier or policy are others today."""
    from floorwalker.pipeline.joining import join_text

    if texts is None or texts.version != record.version:
        return None
    assert decided.decision is not None
    policy = ThresholdPolicy(mode=decided.decision.mode)
    if policy.version != decided.decision.policy_version:
        return None
    return join_text(decided, record.score, texts, policy, at=record.at)


class _Tables:
    """Rule tables by version, put into a pipeline in turn.

    Parameters
    ----------
    installation, pipeline : whose rules, and where they go; its table is today's.
    before : where a rule asks for lists, they are taken as they were before this record of the journal.
    """

    def __init__(self, installation: Installation, pipeline: Pipeline, before: int | None = None) -> None:
        self._installation = installation
        self._pipeline = pipeline
        self._before = before
        self._sets = RuleSets(installation.rule_sets)
        self._known: dict[str, RuleTable | None] = {}
        self.today = pipeline.rules.current

    def put_in_place(self, version: str) -> bool:
        """Let the pipeline answer with the rules of this version, or with today's where they are lost (False)."""
        if version not in self._known:
            found: RuleTable | None = self.today
            if version != self.today.version:
                found = self._sets.load(version, schema=default_schema(self._pipeline.features.names))
            self._known[version] = found
        table = self._known[version] or self.today
        if self._before is not None and table.asks_lists:
            self._show_lists(self._before)
        self._pipeline.rules.adopt(table)
        return self._known[version] is not None

    def _show_lists(self, before: int) -> None:
        """The lists as they were, from the journal's beginning; once."""
        self._before = None
        for _, data in read_journal(self._installation.journal, 0, before):
            if b"list" in data[:16]:
                record = decode_record(data)
                if isinstance(record, ListRecord):
                    self._pipeline.change_lists(record.entry, removed=record.removed)


def _by_rules(held: list[EventRecord], rows: list[int]) -> dict[str, list[int]]:
    """Rows by the version of the rules that decided about them."""
    grouped: dict[str, list[int]] = {}
    for row in rows:
        decision = held[row].decision
        grouped.setdefault(decision.versions.get("rules", "") if decision is not None else "", []).append(row)
    return grouped


def _check(installation: Installation) -> None:
    if not installation.journal.is_dir():
        raise UsageError(f"{installation.folder} holds no journal", fix="give the --folder that the server was given")


def _find(installation: Installation, decision_id: str) -> EventRecord | DecisionRecord:
    parts = decision_id.split("_")
    try:
        sequence = int(parts[1], 16) if len(parts) == 3 and parts[0] == "dc" else -1
    except ValueError:
        sequence = -1
    found: Iterator[tuple[int, bytes]] = iter(())
    if 0 <= sequence < 2**62:
        found = read_journal(installation.journal, sequence, sequence + 1)
    for _, data in found:
        record = decode_record(data)
        if isinstance(record, EventRecord | DecisionRecord) and record.decision and record.decision.id == decision_id:
            return record
    raise InputError(f"no decision {decision_id[:80]!r} in {installation.journal}", fix="take the id from the reply")


def _count_other_actions(pipeline: Pipeline, records: list[EventRecord], features: FeatureBatch) -> int:
    batch = pipeline.batch([record.event for record in records])
    again = pipeline.judge(batch, features, np.zeros(len(records), np.int64))
    return sum(
        record.decision is not None and decision.intended != record.decision.intended
        for record, decision in zip(records, again, strict=True)
    )


def _write(out: Path, *, features_of: list[tuple[list[str], np.ndarray[Any, Any]]], names: tuple[str, ...]) -> None:
    import polars as pl

    ids = [name for part, _ in features_of for name in part]
    values = np.concatenate([part for _, part in features_of]) if features_of else np.empty((0, len(names)), np.float32)
    frame = pl.DataFrame({"event_id": ids, **{name: values[:, column] for column, name in enumerate(names)}})
    frame.write_parquet(out)
