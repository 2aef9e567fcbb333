"""Ways out of the shop in a text: addresses, numbers, messengers, requests to pay elsewhere; and bait prices."""

from __future__ import annotations

import re
from dataclasses import dataclass

from floorwalker.detectors.content.disguise import unmask

_MAIL = re.compile(
    r"[\w.+-]{2,64}\s?(?:@|\(at\)|\[at\]| at )\s?[\w-]{2,63}(?:\s?(?:\.|\(dot\)|\[dot\]| dot )\s?[a-z]{2,})+", re.I
)
_LINK = re.compile(
    r"(?:https?://|www\.)\S{3,}|\b[\w-]{2,63}\.(?:com|net|org|shop|store|info|top|xyz|online|site|cn|de|ru|io|me|vip|cc)\b"
    r"(?:/\S*)?",
    re.I,
)
_PHONE = re.compile(r"(?<![\d.,])\+?\d(?:[\s().\-/]{0,2}\d){8,14}(?![\d.,]*\d)")
_MESSENGER = re.compile(
    # Names that are ordinary words as well, or common ones, need an account that looks like one.
    r"(?:whats\s?app|telegram|we\s?chat|weixin|\bqq\b|\bzalo\b|\bviber\b|\bskype\b|\binstagram\b|\bsignal\b|\bline\s?id\b)"
    r"\W{0,3}(?:me|id|number|nummer|is|ist|add|at|unter)?\W{0,3}(?=[\w@.+-]{0,40}[\d@_])[a-z0-9_@+][\w@.\-]{2,}"
    r"|(?:微信|威信|薇信|\bvx\b|v信|扣扣|qq)\W{0,3}(?:号|群|id|加)?\W{0,3}[a-z0-9_@+][a-z0-9_@.\-]{3,}",
    re.I,
)
_ELSEWHERE = re.compile(
    r"pay(?:ment)? (?:me )?(?:directly|outside|by bank transfer|via bank transfer|privately)|outside (?:of )?"
    r"(?:the|this) (?:shop|site|platform|app)|western union|friends (?:and|&) family"
    r"|contact me (?:directly|outside|on|via)"
    r"|direkt (?:be)?zahlen|per (?:vor)?überweisung|außerhalb (?:der|dieser|des) (?:plattform|seite|shops?)"
    r"|私下(?:交易|转账|付款)|转账|加我|加微|站外|线下交易|好评返现|返现|cash ?back for (?:a )?(?:good|5|five)",
    re.I,
)
_PRICE = re.compile(
    r"(?:[$€£¥₫₹]|\b(?:usd|eur|gbp|cny|rmb|vnd)\b)\s?(\d{1,7}(?:[.,]\d{1,2})?)(?!\d)"
    r"|(?<![\d.,])(\d{1,7}(?:[.,]\d{1,2})?)\s?(?:[$€£¥₫₹]|元|块|\b(?:usd|eur|gbp|cny|rmb|euros?|dollars?)\b)",
    re.I,
)
_BAIT = re.compile(
    r"\b(?:100\s?%\s?free|free of charge|for free|1 cent|one cent|only today|click (?:here|now)|best price ever)\b"
    r"|\b1 ?分钱|免费送|秒杀价|umsonst|geschenkt",
    re.I,
)

# Most texts hold none of these, and whoever reads every text must pass over them quickly.
_MAIL_SIGNS = ("@", "(at)", "[at]", " at ")
_LINK_SIGNS = ("://", "www.", ".")
_MESSENGER_SIGNS = (
    "whats", "telegram", "chat", "weixin", "qq", "zalo", "viber", "skype", "instagram", "signal", "line", "微信",
    "威信", "薇信", "vx", "v信", "扣扣",
)  # fmt: skip
_ELSEWHERE_SIGNS = (
    "pay", "outside", "western", "friends", "contact", "zahlen", "überweisung", "außerhalb", "私下", "转账", "加我",
    "加微", "站外", "线下", "返现", "cash",
)  # fmt: skip
_BAIT_SIGNS = ("free", "cent", "today", "click", "price", "分钱", "免费", "秒杀", "umsonst", "geschenkt")

FAR_BELOW = 0.3
"""A price in the text below this share of the listed one, or the other way round, is bait."""


@dataclass(frozen=True)
class Contacts:
    """What was found: of each kind one example as written; `price` is the oddest price of the text in major units."""

    mail: str = ""
    link: str = ""
    phone: str = ""
    messenger: str = ""
    elsewhere: str = ""
    bait: str = ""
    price: float = 0.0

    @property
    def score(self) -> float:
        """[0, 1] for ways out; bait is a score of its own."""
        weight = 2 * bool(self.messenger) + 2 * bool(self.elsewhere) + 1.5 * bool(self.phone) + 1.5 * bool(self.mail)
        return float(1 - 0.55 ** (weight + bool(self.link)))

    @property
    def sentence(self) -> str:
        """What was found, for an analyst; empty where nothing was."""
        named = (
            (self.mail, "an e-mail address"),
            (self.link, "a link"),
            (self.phone, "a telephone number"),
            (self.messenger, "a messenger's name with an account"),
            (self.elsewhere, "a wish to deal outside the shop"),
        )
        found = [what for example, what in named if example]
        return "the text holds " + ", ".join(found) if found else ""


def find_contacts(text: str, *, list_price: float | None = None) -> Contacts:
    """Look at one text; decorated and hidden characters are read as a person reads them.

    It works against abuse because deals are taken off the shop, where no order, payment or complaint is seen, by a line
    in a listing or message.

    Parameters
    ----------
    list_price : the offered price in major units, against which prices of the text are held.

    >>> find_contacts("Cheaper on WhatsApp: +49 170 0000000!").sentence
    "the text holds a telephone number, a messenger's name with an account"
    >>> find_contacts("Arrived on 2024-05-17, 3 of 4 parts, 12.50 each").score
    0.0
    """
    plain = unmask(text)
    small = plain.lower()
    price = 0.0
    if list_price is not None and list_price > 0:
        for match in _PRICE.finditer(plain):
            named = float((match.group(1) or match.group(2)).replace(",", "."))
            if named < FAR_BELOW * list_price or named * FAR_BELOW > list_price:
                price = named
    return Contacts(
        mail=_first(_MAIL, plain, small, _MAIL_SIGNS),
        link=_first(_LINK, plain, small, _LINK_SIGNS),
        phone=_phone(plain),
        messenger=_first(_MESSENGER, plain, small, _MESSENGER_SIGNS),
        elsewhere=_first(_ELSEWHERE, plain, small, _ELSEWHERE_SIGNS),
        bait=_first(_BAIT, plain, small, _BAIT_SIGNS),
        price=price,
    )


def _first(pattern: re.Pattern[str], text: str, small: str, signs: tuple[str, ...]) -> str:
    if not any(sign in small for sign in signs):
        return ""
    match = pattern.search(text)
    return match.group(0) if match else ""


def _phone(text: str) -> str:
    if sum(map(text.count, "0123456789")) < 9:
        return ""
    for match in _PHONE.finditer(text):
        digits = re.sub(r"\D", "", match.group(0))
        dated = re.match(r"(?:19|20)\d\d[-./]\d", match.group(0))
        if 9 <= len(digits) <= 15 and not dated and len(set(digits)) > 1:
            return match.group(0)
    return ""
