"""E-mail addresses inside texts: written plainly, percent-encoded once or twice, with full-width characters.

>>> find_mails("/n?email=jane%2Bx%40gmail.com&page=2")
[Mail(start=9, stop=29, text='jane+x@gmail.com')]
>>> find_mails("/n?r=%2Fn%3Femail%3Djane%2540gmail.com") == [Mail(20, 38, "jane@gmail.com")]
True
>>> [mail.text for mail in find_mails("ask o'brien@example.com or 'bob＠example.net'")]
["o'brien@example.com", 'bob＠example.net']

What stands before the @ is read backwards from it, what stands behind it forwards, and no sign is read more than twice:
no text takes longer than its length.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote


class Mail(NamedTuple):
    """An address in a text.

    Parameters
    ----------
    start, stop : where it stands.
    text : the address, decoded.
    """

    start: int
    stop: int
    text: str


_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0xFE6B: ord("@")}
"""Full-width signs, and the small @, each as the one sign that it stands for: places in the text stay what they are."""
_ENCODED_BACKWARDS = (
    r"(?:[134678ABDEabde]2|[0-9]3|[1-9A-Fa-f]4|[0-9AEFaef]5|[0-9A-Fa-f]6|[0-9A-Ea-e]7|[0-9A-Fa-f][89A-Fa-f])"
)
"""What may stand before the @ (`atext` of RFC 5322, dots, letters of other scripts) in two hexadecimal digits, the last
one first. `/`, `?` and `=` may not, here and as plain signs: far more often they end what stands before an address."""
_AT = re.compile(r"@|%(?:25)?40|%(?:25)?[Ee][Ff]%(?:25)?[Bb][Cc]%(?:25)?[Aa]0")
_MOST = 128
"""Signs before the @, twice what RFC 5321 allows."""


def _backwards(signs: str) -> re.Pattern[str]:
    no_code = r"(?![0-9A-Fa-f]{2}(?:52)?%)"
    return re.compile(rf"(?:{_ENCODED_BACKWARDS}(?:52)?%|{no_code}[{signs}]){{1,{_MOST}}}+")


_BOX = _backwards(r"\w.+\-!$'*^`{|}~%&#")
_BOX_IN_PAGE = _backwards(r"\w.+\-!$'*^`{|}~%")
"""In the address of a page `&` and `#` part what belongs to different things."""
_EDGE = re.compile(r"(?:[!#$&'*^`{|}~]|%(?:25)?(?:2[134678Aa]|5[Ee]|60|7[B-Eb-e])|%(?!(?:25)?[0-9A-Fa-f]{2}))*+")
"""Signs that are quotation marks and the like where an address would begin with them."""
_LABEL = (
    r"(?:[\w\-]|%(?:25)?(?:2[Dd]|3[0-9]|4[1-9A-Fa-f]|5[0-9AFaf]|6[1-9A-Fa-f]|7[0-9Aa]|[89A-Fa-f][0-9A-Fa-f])){1,63}+"
)
_HOST = re.compile(rf"{_LABEL}(?:(?:\.|%(?:25)?2[Ee]){_LABEL})++")


def may_hold_mail(text: str) -> bool:
    """Whether it is worth looking for e-mail addresses in a text."""
    if "@" in text or ("%" in text and _AT.search(text) is not None):
        return True
    return not text.isascii() and ("＠" in text or "﹫" in text)


def find_mails(text: str) -> list[Mail]:
    """The e-mail addresses in a text, in its order."""
    plain = text if text.isascii() else text.translate(_WIDE)
    is_page = "?" in plain or "://" in plain or plain.startswith("/")
    box = _BOX_IN_PAGE if is_page else _BOX
    found: list[Mail] = []
    begin = 0
    for at in _AT.finditer(plain):
        if at.start() < begin:
            continue
        before = box.match(plain[begin : at.start()][::-1])
        begin = at.end()
        if before is None:
            continue
        start = at.start() - before.end()
        edge = _EDGE.match(plain, start, at.start())
        start = start if edge is None else edge.end()
        host = _HOST.match(plain, at.end()) if start < at.start() else None
        if host is None:
            continue
        begin = host.end()
        found.append(Mail(start, begin, _decode(text[start:begin])))
    return found


def _decode(text: str) -> str:
    return unquote(unquote(text)) if "%" in text else text


__all__ = ["Mail", "find_mails", "may_hold_mail"]
