"""One personal value at a time: its token, what can be said of it, whether it is nobody's or everybody's.

>>> from floorwalker.events.identity.tokens import Tokeniser
>>> taken = take_email("Jane@example.com", "shop", Tokeniser(bytes(32)), read_hubs())
>>> taken.token[:4], taken.facts["email_domain"], taken.is_nobody
('em1_', 'example.com', False)
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from floorwalker.events.event import Address
from floorwalker.events.identity.addresses import read_address
from floorwalker.events.identity.emails import read_email
from floorwalker.events.identity.hubs import Hubs, read_hubs
from floorwalker.events.identity.phones import Phone, read_phone
from floorwalker.events.identity.tokens import Tokeniser
from floorwalker.events.networks import network_of, parse_address, read_groups, read_octets, write_groups
from floorwalker.events.placeholders import is_placeholder, is_private_address


class Taken(NamedTuple):
    """What became of a value.

    Parameters
    ----------
    token : what takes its place; None where nothing does.
    facts : fields of `Identity`.
    is_nobody : it means "unknown".
    hubs : entities that are hubs.
    is_personal : the value itself belongs into the vault.
    """

    token: str | None
    facts: dict[str, Any]
    is_nobody: bool = False
    hubs: tuple[str, ...] = ()
    is_personal: bool = True


def take_email(text: str, shop: str, tokeniser: Tokeniser, hubs: Hubs) -> Taken:
    """An e-mail address."""
    email = read_email(text)
    if is_placeholder("email", email.canonical) or not email.canonical:
        return Taken(None, {}, is_nobody=True, is_personal=False)
    token = tokeniser.token("email", shop, email.canonical)
    if email.domain is None:
        return Taken(token, {})
    facts = {
        "email_domain": email.domain,
        "email_disposable": email.is_disposable,
        "email_free": email.is_free,
        "email_altered": email.is_altered,
        "email_length": email.length,
        "email_digits": email.digits,
    }
    return Taken(token, facts, hubs=("email_domain",) if hubs.holds("email_domain", email.domain) else ())


def take_phone(text: str, region: str | None, shop: str, tokeniser: Tokeniser) -> Taken:
    """A telephone number, read with the habits of a country."""
    phone = read_phone(text, region)
    if is_placeholder("phone", phone.canonical or text):
        return Taken(None, {}, is_nobody=True, is_personal=False)
    facts = {
        "phone_prefix": phone.prefix,
        "phone_country": phone.country,
        "phone_kind": phone.kind if phone.canonical else "invalid",
    }
    return Taken(tokeniser.token("phone", shop, name_phone(text, phone)), facts)


def name_phone(text: str, phone: Phone) -> str:
    """What a telephone's token is made of: the number, else letters and digits of a text that holds none."""
    return phone.canonical or "".join(filter(str.isalnum, text.lower())) or text


def take_ip(text: str, shop: str, tokeniser: Tokeniser, hubs: Hubs, *, keep: bool = False) -> Taken:
    """A client's address; with `keep` it stays readable."""
    plain, network, kind = _read_ip(text)
    if network is None:
        return Taken(None, {"ip_kind": kind}, is_nobody=True, is_personal=False)
    facts = {"ip_network": network, "ip_kind": kind}
    shared = ("ip", "ip_network") if hubs.holds("ip", plain) else ()
    if keep:
        return Taken(plain, facts, hubs=shared, is_personal=False)
    return Taken(tokeniser.token("ip", shop, plain), facts, hubs=shared)


def take_address(
    address: Address, point: str, area: str, shop: str, tokeniser: Tokeniser, hubs: Hubs, *, is_delivery: bool
) -> Taken:
    """A postal address.

    Parameters
    ----------
    point, area : fields of `Identity` that get its delivery point and its neighbourhood.
    is_delivery : something is delivered there, so that a parcel locker counts as a hub.
    """
    place = read_address(address)
    facts: dict[str, Any] = {}
    shared: tuple[str, ...] = ()
    if place.point is not None:
        facts[point] = tokeniser.token("delivery_point", shop, place.point)
        if is_delivery and (place.is_pickup or hubs.holds("delivery_point", place.point)):
            shared = ("delivery_point",)
    facts[area] = place.area
    return Taken(tokeniser.token("address", shop, place.canonical), facts, hubs=shared)


def tells_who(value: str) -> bool:
    """Whether a name somebody chose may be an e-mail address or a telephone number."""
    return value[:1] == "+" or names_mail(value)


def names_mail(value: str) -> bool:
    """Whether a name somebody chose may be an e-mail address: it has an @, be it a full-width or a small one."""
    return "@" in value or (not value.isascii() and ("＠" in value or "﹫" in value))


def take_name(value: str, shop: str, tokeniser: Tokeniser) -> Taken:
    """A name somebody chose: one that is an e-mail address or a telephone number gets a token, others stay."""
    token = None
    if names_mail(value):
        email = read_email(value)
        token = tokeniser.token("account", shop, email.canonical) if email.domain is not None else None
    elif value[:1] == "+":
        phone = read_phone(value, None)
        token = tokeniser.token("account", shop, phone.canonical) if phone.canonical is not None else None
    return Taken(token, {}, is_personal=token is not None)


@lru_cache(maxsize=1 << 15)
def _read_ip(text: str) -> tuple[str, str | None, str]:
    """A client's address in canonical form, its network (None where it is nobody's), and what kind it is."""
    if read_octets(text) is not None:
        return (text, None, "private") if is_private_address(text) else (text, network_of(text), "ipv4")
    groups = read_groups(text)
    if groups is not None:
        plain = write_groups(groups)
        return plain, network_of(plain), "ipv6"
    address = parse_address(text)
    if address is None:
        return text, None, "invalid"
    plain = str(address)
    if is_placeholder("ip", plain):
        return plain, None, "private"
    return plain, network_of(plain), f"ipv{address.version}"


__all__ = [
    "Taken",
    "name_phone",
    "names_mail",
    "read_hubs",
    "take_address",
    "take_email",
    "take_ip",
    "take_name",
    "take_phone",
    "tells_who",
]
