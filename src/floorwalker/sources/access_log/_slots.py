"""What a field of a log line can mean, and why a line can be set aside."""

from __future__ import annotations

TIME, DATE, CLIENT, FORWARDED, HOST, REQUEST, METHOD, TARGET = range(8)
QUERY, STATUS, SIZE, REFERRER, USER_AGENT, SESSION, COOKIE, IGNORED = range(8, 16)
SLOTS = 16
"""A tokeniser writes one span for each of these slots; `IGNORED` is never read."""

TEXT_HOST, TEXT_CLIENT, TEXT_SESSION, TEXT_USER_AGENT, TEXT_TARGET, TEXT_REFERRER, TEXT_FORWARDED = range(7)
TEXTS = 7
"""The text columns that come out of interpretation."""

FINE, EMPTY, TOO_LONG, COMMENT, MALFORMED, BAD_TIME, NOT_A_REQUEST = range(7)
ABNORMAL_TARGET, TARGET_TOO_LONG, CONTROL_CHARACTERS, FOREIGN_HOST = range(7, 11)

REASONS = (
    "",
    "empty line",
    "line too long",
    "comment or header line",
    "malformed line",
    "impossible time",
    "not a request line",
    "abnormal target",
    "target too long",
    "control characters in target",
    "absolute target for another host",
)
"""Why a line was set aside, by code; code 0 is a request."""

ODD = frozenset({ABNORMAL_TARGET, CONTROL_CHARACTERS, FOREIGN_HOST})
"""Reasons that say something about the sender: such a line is set aside, and counts as a request for `ODD_TARGET`."""

STRUCTURAL = frozenset(
    {FINE, EMPTY, COMMENT, NOT_A_REQUEST, ABNORMAL_TARGET, TARGET_TOO_LONG, CONTROL_CHARACTERS, FOREIGN_HOST}
)
"""Reasons that say nothing against the format: such lines fit it, their content is odd."""

LINE_LIMIT = 1 << 16
"""Bytes in a line; longer ones are counted and dropped, so that memory stays bounded."""

TARGET_LIMIT = 1 << 13
"""Bytes in a request target: what nginx and Apache accept by default (8 KiB)."""
