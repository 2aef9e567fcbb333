"""What the server and its keeper tell each other: MessagePack behind its length in 4 bytes, through pipes."""

from __future__ import annotations

import os
import struct
from typing import TypeVar

import msgspec

from floorwalker.events.identity import PersonalValue
from floorwalker.store._files import write_all

_LENGTH = struct.Struct("<I")
Message = TypeVar("Message")


class Begin(msgspec.Struct, frozen=True, tag="begin"):
    """The first message: where everything lies. The ledger's URL may hold a password, so it is no argument.

    Parameters
    ----------
    journal, vault, vault_key : paths.
    ledger : URL.
    durable : see `Durable`.
    rows, seconds : of the `Projector`.
    """

    journal: str
    durable: int
    ledger: str
    vault: str
    vault_key: str
    rows: int
    seconds: float


class Durable(msgspec.Struct, frozen=True, tag="durable"):
    """Every record before this sequence is acknowledged, and may be shown."""

    sequence: int


class Keep(msgspec.Struct, frozen=True, tag="keep"):
    """Raw values for the vault; answered by `Kept`."""

    values: list[PersonalValue]


class Finish(msgspec.Struct, frozen=True, tag="finish"):
    """Do what is left, and end. A pipe that closes without it means that the server died: end at once."""


class Reached(msgspec.Struct, frozen=True, tag="reached"):
    """How far the ledger is, and what holds it up ("": nothing)."""

    sequence: int
    error: str = ""


class Kept(msgspec.Struct, frozen=True, tag="kept"):
    """How many values the vault took, or why it did not (`error`)."""

    count: int
    error: str = ""


ToKeeper = Begin | Durable | Keep | Finish
FromKeeper = Reached | Kept


def send(descriptor: int, message: ToKeeper | FromKeeper) -> None:
    """Write one message; waits while the pipe is full."""
    data = msgspec.msgpack.encode(message)
    write_all(descriptor, _LENGTH.pack(len(data)) + data)


def receive(descriptor: int, decoder: msgspec.msgpack.Decoder[Message]) -> Message | None:
    """The next message, None where the other end hung up."""
    head = _read(descriptor, _LENGTH.size)
    if head is None:
        return None
    data = _read(descriptor, _LENGTH.unpack(head)[0])
    return None if data is None else decoder.decode(data)


def _read(descriptor: int, size: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < size:
        got = os.read(descriptor, size - len(parts))
        if not got:
            return None
        parts += got
    return bytes(parts)
