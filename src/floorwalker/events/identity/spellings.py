"""Kinds of entity that stand in events in one spelling only, and what that spelling is.

Whoever lists a domain in capitals means the domain that events name in small letters; whoever lists a /16 means what no
event ever holds.

>>> read_spelling("email_domain", "EVIL.example"), read_spelling("ip_network", "203.0.113.77")
('evil.example', '203.0.113.0/24')
>>> read_spelling("ip_network", "203.0.0.0/16") is None
True
>>> missing_form("bin", "41111")
'six or eight digits'
"""

from __future__ import annotations

import re
import unicodedata
from types import MappingProxyType

from floorwalker.events.identity.emails import read_email
from floorwalker.events.identity.phones import read_phone
from floorwalker.events.identity.tokens import PREFIXES, is_token
from floorwalker.events.networks import network_of, parse_address
from floorwalker.events.placeholders import is_placeholder, is_private_address

SPELT = MappingProxyType(
    {
        "email_domain": "a domain with a dot and without a mailbox, as example.com",
        "ip_network": "the /24 of a public IPv4 address or the /64 of a public IPv6 address, as 203.0.113.0/24",
        "bin": "six or eight digits",
        "phone_prefix": "a number with its country code and without its last four digits, as +49301234",
    }
)
"""Kinds of entity that events hold in the clear and in one spelling, with what may be given for them."""

_NAMED = MappingProxyType(
    {
        "email": "an e-mail address that stands for somebody, or its token em…",
        "phone": "a telephone number that stands for somebody, or its token ph…",
        "ip": "a public address, or its token ip…",
        "delivery_point": "the token dp… that an entity's links show",
    }
)
"""Kinds of entity that events hold as tokens only, with what may be given for them."""

_BIN = re.compile(r"[0-9]{6}(?:[0-9]{2})?")
_PHONE_PREFIX = re.compile(r"\+[1-9][0-9]{0,10}")
_GAPS = re.compile(r"\(0\)|[\s().\-/]")


def read_spelling(entity: str, value: str) -> str | None:
    """The spelling in which events hold a value of one of `SPELT`; None where none can hold it."""
    if entity == "email_domain":
        return _read_domain(value)
    if entity == "ip_network":
        return _read_network(value)
    plain = _GAPS.sub("", unicodedata.normalize("NFKC", value))
    if entity == "bin":
        return plain if _BIN.fullmatch(plain) else None
    plain = "+" + plain.removeprefix("+").removeprefix("00")
    return plain if _PHONE_PREFIX.fullmatch(plain) else None


def missing_form(entity: str, value: str) -> str:
    """What may be given for this kind of entity where no event can ever hold this value; "" where one may."""
    if entity in SPELT:
        return SPELT[entity] if read_spelling(entity, value) is None else ""
    if entity not in _NAMED:
        return ""
    if is_token(value):
        return "" if value.startswith(PREFIXES[entity]) else _NAMED[entity]
    if entity == "email":
        canonical = read_email(value).canonical
        is_held = bool(canonical) and not is_placeholder("email", canonical)
    elif entity == "phone":
        is_held = not is_placeholder("phone", read_phone(value, None).canonical or value)
    elif entity == "ip":
        address = parse_address(value)
        is_held = address is not None and not is_private_address(str(address))
    else:
        is_held = False
    return "" if is_held else _NAMED[entity]


def _read_domain(value: str) -> str | None:
    """Of the address that a mailbox there would have: other names of a provider's house are the provider's."""
    host = unicodedata.normalize("NFKC", value).strip().removeprefix("@")
    # A whole address means one mailbox: its domain would be everybody's there.
    return None if "@" in host else read_email(f"mailbox@{host}").domain


def _read_network(value: str) -> str | None:
    """A wider network than events hold would match a part of itself only, so it is none."""
    address, slash, width = value.strip().partition("/")
    network = network_of(address)
    if network is None or is_private_address(network):
        return None
    return network if not slash or width == network.rpartition("/")[2] else None
