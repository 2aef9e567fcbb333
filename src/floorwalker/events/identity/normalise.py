"""An event as it is kept: personal values out, tokens and derived facts in.

>>> from floorwalker.events.event import Event
>>> event = Event(id="e-1", type="sign_up", at=7, account="a-1", email="Jane.Doe+x@gmail.com", ip="203.0.113.9")
>>> kept, raw = normalise(event, Tokeniser(bytes(32)))
>>> kept.email[:4], kept.identity.email_domain, kept.identity.ip_network
('em1_', 'gmail.com', '203.0.113.0/24')
>>> [(value.field, value.raw, value.subject) for value in raw]
[('email', 'Jane.Doe+x@gmail.com', 'account:a-1'), ('ip', '203.0.113.9', 'account:a-1')]
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import msgspec

from floorwalker.events.entities import ENTITIES
from floorwalker.events.event import Address, Event, Identity, OrderLine
from floorwalker.events.identity.currency import Rates
from floorwalker.events.identity.emails import read_email
from floorwalker.events.identity.hubs import Hubs, read_hubs
from floorwalker.events.identity.mails import find_mails, may_hold_mail
from floorwalker.events.identity.payments import read_payment
from floorwalker.events.identity.phones import read_phone
from floorwalker.events.identity.spellings import SPELT, read_spelling
from floorwalker.events.identity.tokens import Tokeniser, is_token
from floorwalker.events.identity.values import (
    Taken,
    name_phone,
    take_address,
    take_email,
    take_ip,
    take_name,
    take_phone,
    tells_who,
)
from floorwalker.events.networks import parse_address
from floorwalker.events.placeholders import is_placeholder


class PersonalValue(msgspec.Struct, frozen=True):
    """A raw value that was taken out of an event, for the vault.

    Parameters
    ----------
    field : where it stood: `email`, `phone`, `ip`, `shipping_address`, …
    token : what stands there now.
    raw : as sent; addresses as JSON.
    subject : whose it is: `account:…`, else the token of the person's e-mail address, telephone number, or the value's
        own. Values of one subject of one shop are encrypted under one key and erased together.
    shop : whose customer that is.
    """

    field: str
    token: str
    raw: str
    subject: str
    shop: str


@dataclass(frozen=True)
class IdentityRules:
    """A shop's own habits.

    Parameters
    ----------
    region : ISO 3166 alpha-2 of the country whose telephone numbers need no country code, where neither the event nor
        its addresses say one.
    hubs : what many strangers share.
    keep_ip : whether addresses of clients stay readable in the journal; the network of the address always does.
    rates : what currencies are worth in the shop's base currency, for `identity.amount_base_minor`; None for none.
    """

    region: str | None = None
    hubs: Hubs = field(default_factory=read_hubs)
    keep_ip: bool = False
    rates: Rates | None = None


DEFAULT_RULES = IdentityRules()

_NAMED = ("account", "inviter", "recipient", "seller", "session", "device", "payment")
_TEXTS = ("url", "referrer", "reason", "text", "order", "item", "promotion", "group")
_CLEANED = frozenset({"order", "item", "promotion", "coupon"})
"""What may be asked for by a name in which e-mail addresses are replaced."""
_WATCHED = tuple(
    name for name in ENTITIES if name in ("account", "session", "device", "payment", "bin", "item", "seller", "inviter")
)
ADDRESSES = (
    ("shipping_address", "delivery_point", "delivery_area"),
    ("billing_address", "billing_point", "billing_area"),
)
_take_names, _take_watched, _take_texts = attrgetter(*_NAMED), attrgetter(*_WATCHED), attrgetter(*_TEXTS)
_encode = msgspec.json.Encoder().encode


def normalise(
    event: Event, tokeniser: Tokeniser, rules: IdentityRules = DEFAULT_RULES
) -> tuple[Event, list[PersonalValue]]:
    """The event without raw personal values, and those values.

    E-mail, telephone, client address and both postal addresses are brought into canonical form; `identity` gets what
    can be said of them in general, and tokens take their places. An account that is named by an e-mail address or a
    telephone number gets a token as well (so do sellers, sessions, devices and means of payment, those of order lines
    among them), and an e-mail address inside a text, an attribute, a coupon or an id of goods is replaced by its token.
    Values that mean "unknown" are dropped and named in `identity.placeholders`; entities that are declared hubs are
    named in `identity.hubs`. An event that has been through here before comes back as it is, with no values.

    Errors
    ------
    `MissingExtraError` where a telephone number is given and the `serve` extra is not installed.
    """
    if event.identity is not None:
        return event, []
    changes: dict[str, Any] = {}
    facts: dict[str, Any] = {}
    raw: list[tuple[str, str, str]] = []
    nobody: list[str] = []
    hubs: list[str] = []
    shop = event.shop

    def take(field: str, taken: Taken, text: str) -> None:
        """Note what became of a value of the event that has a column of its own."""
        changes[field] = taken.token
        facts.update(taken.facts)
        hubs.extend(taken.hubs)
        if taken.is_nobody:
            nobody.append(field)
        elif taken.is_personal and taken.token is not None:
            raw.append((field, taken.token, text))

    if event.email is not None:
        take("email", take_email(event.email, shop, tokeniser, rules.hubs), event.email)
    if event.phone is not None:
        take("phone", take_phone(event.phone, phone_region(event, rules), shop, tokeniser), event.phone)
    if event.ip is not None:
        take("ip", take_ip(event.ip, shop, tokeniser, rules.hubs, keep=rules.keep_ip), event.ip)
    for name, point, area in ADDRESSES:
        address: Address | None = getattr(event, name)
        if address is not None:
            is_delivery = name == "shipping_address"
            place = take_address(address, point, area, shop, tokeniser, rules.hubs, is_delivery=is_delivery)
            take(name, place, raw_address(address))
            changes[name] = None
    card = event.card
    if event.bin is not None or card is not None:
        read = read_payment(event.bin, card)
        if read is not card:
            changes["card"] = read
    for name, value in zip(_NAMED, _take_names(event), strict=True):
        if value is not None and tells_who(value):
            named = take_name(value, shop, tokeniser).token
            if named is not None:
                changes[name] = named
                raw.append((name, named, value))
    for name, value in zip(_WATCHED, _take_watched(event), strict=True):
        if value is not None:
            if is_placeholder(name, value):
                nobody.append(name)
            elif rules.hubs.holds(name, value):
                hubs.append(name)
    _clean_texts(event, tokeniser, changes, raw)
    if rules.rates is not None and event.amount_minor is not None and event.currency is not None:
        facts["amount_base_minor"] = rules.rates.to_base(event.amount_minor, event.currency, event.at)
    if nobody:
        facts["placeholders"] = tuple(nobody)
    if hubs:
        facts["hubs"] = tuple(dict.fromkeys(hubs))
    changes["identity"] = Identity(**facts)
    kept: Event = msgspec.structs.replace(event, **changes)
    subject = _subject(kept)
    return kept, [PersonalValue(name, token, text, subject or token, event.shop) for name, token, text in raw]


def _clean_texts(event: Event, tokeniser: Tokeniser, changes: dict[str, Any], raw: list[tuple[str, str, str]]) -> None:
    """Put tokens in the place of e-mail addresses inside texts, addresses of pages and attributes."""

    def replace_mail(path: str, text: str) -> str:
        parts: list[str] = []
        end = 0
        for mail in find_mails(text):
            token = tokeniser.token("email", event.shop, read_email(mail.text).canonical)
            raw.append((path, token, mail.text))
            parts += (text[end : mail.start], token)
            end = mail.stop
        return "".join((*parts, text[end:])) if parts else text

    for name, text in zip(_TEXTS, _take_texts(event), strict=True):
        if text is not None and may_hold_mail(text):
            changes[name] = replace_mail(name, text)
    if event.coupons and any(map(may_hold_mail, event.coupons)):
        changes["coupons"] = tuple(replace_mail("coupons", code) for code in event.coupons)
    if event.discounts and any(each.code is not None and may_hold_mail(each.code) for each in event.discounts):
        changes["discounts"] = tuple(
            each if each.code is None else msgspec.structs.replace(each, code=replace_mail("discounts", each.code))
            for each in event.discounts
        )
    if event.lines and any(map(_is_personal, event.lines)):
        changes["lines"] = tuple(_clean_line(line, event.shop, tokeniser, replace_mail, raw) for line in event.lines)
    if event.attributes:
        cleaned = _clean_value("attributes", event.attributes, replace_mail)
        if cleaned is not event.attributes:
            changes["attributes"] = cleaned


def _is_personal(line: OrderLine) -> bool:
    """Whether a line may hold an e-mail address or a telephone number."""
    seller = line.seller
    if seller is not None and tells_who(seller):
        return True
    item, category = line.item, line.category
    return (item is not None and may_hold_mail(item)) or (category is not None and may_hold_mail(category))


def _clean_line(
    line: OrderLine, shop: str, tokeniser: Tokeniser, replace_mail: Callable[[str, str], str],
    raw: list[tuple[str, str, str]],
) -> OrderLine:  # fmt: skip
    """The line with the seller's token, the same as that of the event's own seller, and no address in its ids."""
    changes: dict[str, str] = {}
    seller = line.seller
    if seller is not None and tells_who(seller):
        token = take_name(seller, shop, tokeniser).token
        if token is not None:
            changes["seller"] = token
            raw.append(("lines.seller", token, seller))
    for name, text in (("item", line.item), ("category", line.category)):
        if text is not None and may_hold_mail(text):
            changes[name] = replace_mail(f"lines.{name}", text)
    return msgspec.structs.replace(line, **changes) if changes else line


def _clean_value(path: str, value: Any, replace_mail: Any) -> Any:
    """The value with every text cleaned; the same object where nothing changed."""
    if isinstance(value, str):
        return replace_mail(path, value) if may_hold_mail(value) else value
    if isinstance(value, dict):
        made: dict[str, Any] = {}
        for name, inner in value.items():
            known = replace_mail(path, name) if may_hold_mail(name) else name
            while known in made or (known != name and known in value):
                # Two spellings of one address have one token, and neither value may go.
                known += "_"
            made[known] = _clean_value(f"{path}.{known}", inner, replace_mail)
        return made if any(made.get(name, made) is not inner for name, inner in value.items()) else value
    if isinstance(value, list):
        items = [_clean_value(f"{path}[{place}]", inner, replace_mail) for place, inner in enumerate(value)]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    return value


def phone_region(event: Event, rules: IdentityRules) -> str | None:
    """The country whose habits a telephone number of this event follows."""
    shipping = event.shipping_address
    return event.country or (shipping.country.upper() if shipping and shipping.country else None) or rules.region


def raw_address(address: Address) -> str:
    """An address as the vault keeps it."""
    return _encode(address).decode()


def _subject(kept: Event) -> str | None:
    if kept.account is not None and not is_placeholder("account", kept.account):
        return f"account:{kept.account}"
    return kept.email or kept.phone


def stored_value(
    entity: str, value: str, shop: str, tokeniser: Tokeniser, rules: IdentityRules = DEFAULT_RULES
) -> list[str]:
    """The forms under which an entity that somebody asks for may stand in the records, the newest first.

    An analyst types an e-mail address; the records hold its token, under the key of now or of then. Domains, networks,
    BINs and prefixes come in the spelling of events. A text that is a token already, other entities that carry no
    personal value, and what no event can hold (see `missing_form`) are what they are.

    >>> stored_value("email", "JANE@example.com", "shop", Tokeniser(bytes(32)))[0][:4]
    'em1_'
    >>> stored_value("coupon", "for-jane@example.com", "shop", Tokeniser(bytes(32)))[0][:4]
    'em1_'
    >>> stored_value("email_domain", "EVIL.example", "shop", Tokeniser(bytes(32)))
    ['evil.example']
    >>> stored_value("device", "d-1", "shop", Tokeniser(bytes(32)))
    ['d-1']
    """
    if is_token(value):
        return [value]
    if entity == "email":
        return tokeniser.candidates("email", shop, read_email(value).canonical)
    if entity == "phone":
        return tokeniser.candidates("phone", shop, name_phone(value, read_phone(value, rules.region)))
    if entity == "ip":
        address = parse_address(value)
        if address is None or rules.keep_ip:
            return [value if address is None else str(address)]
        return [*tokeniser.candidates("ip", shop, str(address)), str(address)]
    if entity in SPELT:
        return [read_spelling(entity, value) or value]
    if entity in ("account", "inviter", "seller", "session", "device", "payment") and tells_who(value):
        email, phone = read_email(value), read_phone(value, None)
        canonical = email.canonical if email.domain is not None else phone.canonical
        if canonical is not None:
            return tokeniser.candidates("account", shop, canonical)
    if entity in _CLEANED and may_hold_mail(value):
        return _cleaned_forms(value, shop, tokeniser)
    return [value]


def _cleaned_forms(text: str, shop: str, tokeniser: Tokeniser) -> list[str]:
    """The text with tokens in the place of e-mail addresses, under each key, the newest first."""
    forms = [""]
    end = 0
    for mail in find_mails(text):
        tokens = tokeniser.candidates("email", shop, read_email(mail.text).canonical)
        longer = max(len(forms), len(tokens))
        forms = [
            forms[min(version, len(forms) - 1)] + text[end : mail.start] + tokens[min(version, len(tokens) - 1)]
            for version in range(longer)
        ]
        end = mail.stop
    return [form + text[end:] for form in forms]
