"""Values that mean "I do not know": thousands of events share them, and they are nobody's.

>>> is_placeholder("device", "00000000-0000-0000-0000-000000000000"), is_placeholder("ip", "10.1.2.3")
(True, True)
>>> is_placeholder("account", "a-1"), is_placeholder("ip", "203.0.113.9")
(False, False)
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

from floorwalker.events.networks import read_groups, read_octets

_NOTHING = frozenset(
    {
        "unknown", "undefined", "undef", "null", "nil", "none", "nan", "n/a", "na", "not_set", "notset", "unset",
        "(not set)", "missing", "empty", "blank", "-", "--", ".", "?", "[object object]", "未知", "无", "無", "不详",
        "不詳", "空", "暂无", "暫無",
    }
)  # fmt: skip
"""Texts that stand for nothing whatever they name, in lower case."""

WORDS = _NOTHING | {
    "default", "anonymous", "anon", "guest", "test", "testing", "example", "dummy", "placeholder", "invalid", "error",
    "false", "true", "noreply", "no-reply", "匿名", "默认", "默認", "游客", "遊客", "测试", "測試",
}  # fmt: skip
"""Texts that name no person, device or payment, in lower case."""

DEFAULT_DEVICES = frozenset(
    {
        "9774d56d682e549c",  # the Android id that one maker burnt into a whole series
        "000000000000000",
        "012345678912345",
        "004999010640000",  # the emulator's IMEI
        "02:00:00:00:00:00",  # what systems answer that hide the hardware address
        "00:00:00:00:00:00",
        "ff:ff:ff:ff:ff:ff",
        "emulator-5554",
        "goldfish",
        "unknown-device",
    }
)
"""Device ids that whole series, emulators and careful systems share."""

_PHONES = ("1234567890", "0123456789", "12345678901", "13800138000", "13800000000", "5555555555")
_MAILBOXES = frozenset(
    {
        "unknown", "none", "null", "test", "a", "aa", "aaa", "asdf", "qwerty", "noreply", "no-reply", "no", "na",
        "anonymous", "guest", "example", "user", "email",
    }
)  # fmt: skip
_MAIL_HOSTS = frozenset(
    {"unknown.com", "none.com", "null.com", "test.com", "localhost", "a.a", "no.com", "email.invalid"}
)
_TOKEN = re.compile(r"^[a-z]{2}[0-9]{1,4}_[a-z0-9]+$")
_LONGEST_WORD = max(map(len, WORDS | DEFAULT_DEVICES))
_SEPARATORS = str.maketrans("", "", " \t:.-_{}")

_NOBODYS = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
        "224.0.0.0/4", "240.0.0.0/4", "::/128", "::1/128", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    )
)  # fmt: skip
"""Ranges that name no client on the internet: a proxy's or a carrier's inside. Ranges for documentation pass."""

_NOBODYS_V4 = tuple((int(net.network_address), int(net.netmask)) for net in _NOBODYS if net.version == 4)

_PERSONS_AND_THINGS = frozenset({"account", "session", "device", "payment", "inviter"})
_OTHERS = frozenset({"seller", "item", "promotion", "coupon"})


def is_private_address(text: str) -> bool:
    """Whether an address or network names nobody on the internet; True for what is no address at all."""
    octets = read_octets(text.removesuffix("/24"))
    if octets is not None:
        number = octets[0] << 24 | octets[1] << 16 | octets[2] << 8 | octets[3]
        return any(number & mask == low for low, mask in _NOBODYS_V4)
    if read_groups(text.removesuffix("/64")) is not None:
        return False
    try:
        found = ipaddress.ip_interface(text).ip
    except ValueError:
        return True
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found.version == network.version and found in network for network in _NOBODYS)


def judge(entity: str, value: str) -> bool:
    """As `is_placeholder`, without keeping the answer: for callers that keep what they make of it."""
    text = value.strip().lower()
    if not text:
        return True
    if entity in _PERSONS_AND_THINGS:
        if len(text) > _LONGEST_WORD:
            return _repeats_one(text)
        return text in WORDS or (entity == "device" and text in DEFAULT_DEVICES) or _repeats_one(text)
    if entity in _OTHERS:
        return text in _NOTHING
    if _TOKEN.match(text) is not None:
        return False
    if entity in ("ip", "ip_network"):
        return is_private_address(text)
    if entity == "email":
        box, at, host = text.rpartition("@")
        return bool(at) and (host in _MAIL_HOSTS or (box in _MAILBOXES and host in ("example.com", "test.com")))
    if entity == "email_domain":
        return text in _MAIL_HOSTS or text in WORDS
    if entity in ("phone", "phone_prefix"):
        digits = "".join(filter(str.isdigit, text))
        return len(set(digits[-8:])) <= 1 or digits.endswith(_PHONES)
    if entity == "bin":
        return len(set(text)) == 1 or text in ("123456", "12345678")
    return False


@lru_cache(maxsize=1 << 15)
def is_placeholder(entity: str, value: str) -> bool:
    """Whether this value of this kind of entity stands for "unknown" and must never count as shared.

    Parameters
    ----------
    entity : one of `floorwalker.events.entities.ENTITIES`.
    value : as sent, or its token: a token is never a placeholder.
    """
    return judge(entity, value)


def _repeats_one(text: str) -> bool:
    """Whether a text is one character, again and again: 0, 0000-0000, ffff, ****."""
    if text[0] != text[-1] and text[0].isalnum() and text[-1].isalnum():
        return False
    bare = text.translate(_SEPARATORS)
    letters = set(bare)
    return not bare or letters == {"0"} or letters == {"*"} or (len(letters) == 1 and len(bare) >= 4)
