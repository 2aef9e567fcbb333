"""What a journal record holds: an event with its decision, or something that people and models did."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import ArtefactError
from floorwalker.events.event import Event
from floorwalker.events.outcomes import Label
from floorwalker.fusion.assessment import Cause
from floorwalker.policy.decision import Decision
from floorwalker.policy.lists import ListEntry


class EventRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="event"):
    """An event as it was counted, and the decision about it where one was asked for.

    Parameters
    ----------
    event : tokenised, with `received_at`.
    decision : None for events that were only told.
    features : float32 little-endian [F], what the decision saw; empty without a decision. NaN = missing.
    """

    event: Event
    decision: Decision | None = None
    features: bytes = b""


class DecisionRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="decision"):
    """A decision about an event that had been told before: judged as if it came next, and not counted again.

    Parameters
    ----------
    event_sequence : of the event's own record.
    """

    event_sequence: int
    event: Event
    decision: Decision
    features: bytes


class AppliedRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="applied"):
    """What the shop really did about a decision.

    Parameters
    ----------
    decision_id : which decision.
    at : µs UTC, when it was told.
    action : one of `ACTIONS`.
    by : who did it: `policy`, or a person who overrode it.
    reason : why it was overridden.
    override : it is not the action that was answered.
    late : the decision had expired by then.
    """

    decision_id: str
    shop: str
    at: int
    action: str
    by: str = "policy"
    reason: str = ""
    override: bool = False
    late: bool = False


class LabelRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="label"):
    """Something that turned out to be true, or was taken back.

    Parameters
    ----------
    id : of the label.
    at : µs UTC, when it was told.
    label : None for taking it back.
    """

    id: str
    shop: str
    at: int
    author: str
    label: Label | None = None


class ListRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="list"):
    """An entry put on a list of the shop, or taken off it."""

    at: int
    author: str
    entry: ListEntry
    removed: bool = False


class ModelRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="model"):
    """From here on a detector answers with another version of its model."""

    at: int
    detector: str
    version: str


class RulesRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="rules"):
    """From here on another set of rules answers.

    Parameters
    ----------
    at : µs UTC.
    version, previous : of the rule tables, now and before; decisions carry them too.
    by : who put it there: the name of an API key, `folder` for changed files, `start`.
    rules : how many rules it has.
    """

    at: int
    version: str
    previous: str
    by: str
    rules: int


class ReplyRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="reply"):
    """The reply to a request with an idempotency key, so that the same request gets it again after a restart.

    Parameters
    ----------
    key : 16 bytes, hash of API key, path and idempotency key.
    digest : 16 bytes, hash of the request's body.
    at : µs UTC.
    status, body : the reply.
    """

    key: bytes
    digest: bytes
    at: int
    status: int
    body: bytes


class JoinedRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="joined"):
    """A signal that came after its decision was answered: what a text says, read in another process.

    The decision itself stays as it was answered. Nothing of the text stands here.

    Parameters
    ----------
    decision_id, event_id, event_type, shop : of the decision that it joins.
    decided_at, at : µs UTC, when that decision was made, and when the signal joined it.
    detector, version : who says so.
    score : what the detector said, in [0, 1]; None where it could not read the text.
    abuse_type, signal : what it accuses of, and how rare so high a score is, in [0, 1]; 0 accuses of nothing.
    risk, level, intended : of the decision, had the signal been there.
    raised : it now lies where a person should look, and did not before.
    causes : private reasons of the signal.
    """

    decision_id: str
    event_id: str
    event_type: str
    shop: str
    decided_at: int
    at: int
    detector: str
    version: str
    abuse_type: str
    score: float | None
    signal: float
    risk: int
    level: str
    intended: str
    raised: bool = False
    causes: tuple[Cause, ...] = ()


class ProvenRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="proven"):
    """From here on the risks of these abuse types count as calibrated, since labels have shown it; of no others.

    Parameters
    ----------
    at : µs UTC.
    types : abuse types by shop.
    fusion : version of the learned fusion whose risks they are, "" without one; another one's are not calibrated.
    """

    at: int
    types: dict[str, tuple[str, ...]] = {}
    fusion: str = ""


Record = (
    EventRecord
    | DecisionRecord
    | AppliedRecord
    | LabelRecord
    | ListRecord
    | ModelRecord
    | RulesRecord
    | ReplyRecord
    | JoinedRecord
    | ProvenRecord
)

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Record)


def feature_values(record: EventRecord | DecisionRecord) -> NDArray[np.float32]:
    """What the decision of a record saw: float32 [F], empty without a decision."""
    return np.frombuffer(record.features, "<f4").astype(np.float32)


def encode_record(record: Record) -> bytes:
    """A record as MessagePack.

    >>> model = ModelRecord(at=0, detector="anomaly.unusual_activity", version="2")
    >>> decode_record(encode_record(model)) == model
    True
    """
    return _encoder.encode(record)


def decode_record(data: bytes) -> Record:
    """The record of these bytes; what this version does not understand raises `ArtefactError`."""
    try:
        record: Record = _decoder.decode(data)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise ArtefactError(
            f"a journal record cannot be read: {error}", fix="run the version of floorwalker that wrote it, or a newer"
        ) from error
    return record
