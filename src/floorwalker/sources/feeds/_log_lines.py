"""Lines of an access log as requests: the parser of `floorwalker scan`, asked line by line."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from floorwalker.errors import InputError
from floorwalker.events.requests import METHODS
from floorwalker.sources.access_log._addresses import TrustedProxies, client_text
from floorwalker.sources.access_log._blocks import Block
from floorwalker.sources.access_log._files import PEEK_BYTES
from floorwalker.sources.access_log._parsing import LineParser, Parsed
from floorwalker.sources.access_log._program import SessionRule
from floorwalker.sources.access_log._recognition import recognise
from floorwalker.sources.access_log._slots import (
    COMMENT,
    EMPTY,
    FINE,
    LINE_LIMIT,
    REASONS,
    TEXT_CLIENT,
    TEXT_FORWARDED,
    TEXT_HOST,
    TEXT_REFERRER,
    TEXT_SESSION,
    TEXT_TARGET,
    TEXT_USER_AGENT,
)
from floorwalker.store._hashing import make_keys

_URL_CHARACTERS = 4096
_AGENT_CHARACTERS = 2048


@dataclass(frozen=True)
class LoggedRequest:
    """One request of a log, as an event's fields."""

    fields: dict[str, Any]

    def body(self, event_id: str, shop: str) -> bytes:
        """The JSON text of its page view."""
        values = {"id": event_id, "type": "page_view", **self.fields}
        if shop != "default":
            values["shop"] = shop
        return msgspec.json.encode(values)


class LogLineReader:
    """Parses lines of a log whose format is recognised when the first of them come.

    Parameters
    ----------
    log_format, trusted_proxies, session : as `floorwalker.sources.access_log.AccessLog` takes them.
    """

    def __init__(self, log_format: str | None, trusted_proxies: Sequence[str], session: str | None) -> None:
        self._format = log_format
        self._proxies = TrustedProxies(trusted_proxies)
        self._session = SessionRule.parse(session)
        self._keys = make_keys(0)
        self._parser: LineParser | None = None

    def look_again(self, head: bytes, name: str) -> None:
        """Recognise the format anew where the present one does not fit these lines: a server may log otherwise since
        its last restart. Where nothing fits, the present one stays."""
        lines = head.splitlines()[:100]
        if self._parser is None or not lines:
            return
        found = self.read(lines, name)
        if 2 * sum(isinstance(one, str) for one in found) <= len(found):
            return
        with contextlib.suppress(InputError):
            program = recognise(head[:PEEK_BYTES], name, self._keys, self._session, self._format).program
            self._parser = LineParser(program, self._keys)

    def read(self, lines: list[bytes], name: str, head: bytes = b"") -> list[LoggedRequest | str | None]:
        """For each line its request, the reason why it is none, or None for an empty line or a comment.

        Parameters
        ----------
        lines : without their newlines.
        name : of the log, for messages.
        head : the log's first bytes; its format is recognised from them, or else from the lines themselves.
        """
        if self._parser is None:
            sample = (head or b"\n".join(lines))[:PEEK_BYTES]
            program = recognise(sample + b"\n", name, self._keys, self._session, self._format).program
            self._parser = LineParser(program, self._keys)
        data = b"\n".join(line if len(line) <= LINE_LIMIT else b"too long" for line in lines) + b"\n"
        block = Block.of_size(len(data))
        block.memory[: len(data)] = data
        block.length = len(data)
        found: list[LoggedRequest | str | None] = []
        for parsed in self._parser.parse(block):
            # The parser keeps what became of each line of the part; a part's requests stand in the lines' order.
            states = self._parser._states[: parsed.lines].tolist()
            requests = iter(self._requests(parsed))
            for state in states:
                if state == FINE:
                    found.append(next(requests))
                else:
                    found.append(None if state in (EMPTY, COMMENT) else REASONS[state])
        return found

    def _requests(self, parsed: Parsed) -> list[LoggedRequest]:
        memory = parsed.block.memory

        def text(kind: int, row: int) -> str:
            start, end = int(parsed.starts[kind][row]), int(parsed.ends[kind][row])
            return bytes(memory[start:end]).decode("utf-8", "replace") if end > start else ""

        requests = []
        for row in range(len(parsed)):
            client = text(TEXT_CLIENT, row)
            client = client_text(client) if client else ""
            if self._proxies and client in self._proxies:
                client = self._proxies.walk(text(TEXT_FORWARDED, row)) or client
            fields: dict[str, Any] = {
                "at": int(parsed.at[row]),
                "url": text(TEXT_TARGET, row)[:_URL_CHARACTERS],
                "method": METHODS[int(parsed.method[row])],
            }
            if status := int(parsed.status[row]):
                fields["status"] = status
            named = (
                ("ip", client[:64]), ("user_agent", text(TEXT_USER_AGENT, row)[:_AGENT_CHARACTERS]),
                ("session", text(TEXT_SESSION, row)[:256]), ("referrer", text(TEXT_REFERRER, row)[:_URL_CHARACTERS]),
            )  # fmt: skip
            fields.update({name: value for name, value in named if value and value != "-"})
            if host := text(TEXT_HOST, row)[:256]:
                fields["attributes"] = {"host": host}
            requests.append(LoggedRequest(fields))
        return requests
