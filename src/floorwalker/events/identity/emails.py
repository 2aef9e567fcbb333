"""One mailbox, one spelling: what a provider ignores in an address must not make a new customer.

>>> read_email("Jane.Doe+Coupon17@GoogleMail.com").canonical
'janedoe@gmail.com'
>>> read_email("jane.doe+x@example.com").canonical
'jane.doe@example.com'
>>> read_email("x7f3q@mailinator.com").is_disposable
True
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from floorwalker.events.identity._mail_hosts import DISPOSABLE, FREE, PROVIDERS

_INVISIBLE = dict.fromkeys((0x00AD, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF))
_EDGES = "<> \t\n\x0b\x0c\r\x1c\x1d\x1e\x1f\x85\u1680\u2028\u2029"
"""What stands around an address: brackets and every space that NFKC leaves. Stripped, for a pattern that ends at `$`
takes the square of the length of a text full of them."""


@dataclass(frozen=True)
class Email:
    """What an e-mail address says.

    Parameters
    ----------
    canonical : the mailbox; the text in lower case where it is no address.
    domain : in its ASCII form; None where the text is no address.
    is_disposable : whether the domain hands out mailboxes to anybody, without a password, for minutes.
    is_free : whether everybody can have a mailbox there: thousands share the domain and have nothing in common.
    is_altered : whether the canonical form differs from what was written, beyond upper and lower case.
    length : characters before the @ of the canonical form.
    digits : share of them that are digits, 0 to 1.
    """

    canonical: str
    domain: str | None
    is_disposable: bool
    is_free: bool
    is_altered: bool
    length: int
    digits: float


@lru_cache(maxsize=1 << 14)
def read_email(text: str) -> Email:
    """The address that a text holds; never raises.

    Upper case, invisible and full-width characters go, the domain becomes ASCII (IDNA), a tag after `+` goes whatever
    the provider, and for providers that we know also dots, their own kind of tag, and other names of the same house.
    """
    plain = unicodedata.normalize("NFKC", text).translate(_INVISIBLE).casefold()
    plain = unicodedata.normalize("NFKC", plain).strip(_EDGES)
    box, at, host = plain.rpartition("@")
    box, host = "".join(box.split()), "".join(host.split()).strip(".")
    host = _to_ascii(host)
    if not at or not box or "@" in box or not host or "." not in host:
        return Email(plain, None, False, False, False, 0, 0.0)
    written = f"{box}@{host}"
    provider = PROVIDERS.get(host)
    if provider is not None:
        host, tag, ignored = provider.host, provider.tag, provider.ignored
    else:
        tag, ignored = "+", ""
    bare = box
    for mark in tag:
        bare = bare.partition(mark)[0] or bare
    for character in ignored:
        bare = bare.replace(character, "") or bare
    canonical = f"{bare}@{host}"
    return Email(
        canonical=canonical,
        domain=host,
        is_disposable=_is_listed(host, DISPOSABLE),
        is_free=host in FREE,
        is_altered=canonical != written or written != text.strip().lower(),
        length=len(bare),
        digits=sum(character.isdigit() for character in bare) / len(bare),
    )


def _to_ascii(host: str) -> str:
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return host


def _is_listed(host: str, listed: frozenset[str]) -> bool:
    """Whether a domain or one above it is listed."""
    while True:
        if host in listed:
            return True
        _, dot, host = host.partition(".")
        if not dot:
            return False
