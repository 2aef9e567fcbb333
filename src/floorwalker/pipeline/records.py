"""What a journal record holds: an event with its decision, or something that people and models did."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import ArtefactError
from floorwalker.events.event import Event
from floorwalker.events.outcomes import Label
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


Record = (
    EventRecord | DecisionRecord | AppliedRecord | LabelRecord | ListRecord | ModelRecord | RulesRecord | ReplyRecord
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
