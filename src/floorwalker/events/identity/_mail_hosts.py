"""Domains of e-mail that mean something: providers with habits of their own, free ones, disposable ones.

Written from the providers' own help pages; a shop adds its own through `floorwalker.events.identity.hubs`.
"""

from __future__ import annotations

from typing import NamedTuple


class Provider(NamedTuple):
    """How a provider reads the part before the @.

    Parameters
    ----------
    host : the domain that all its names lead to.
    tag : characters after which the rest is a tag; every one of them is cut at.
    ignored : characters that make no difference.
    """

    host: str
    tag: str = "+"
    ignored: str = ""


_GOOGLE = Provider("gmail.com", "+", ".")
_APPLE = Provider("icloud.com")
_PROTON = Provider("proton.me", "+", "._-")
_YANDEX = Provider("yandex.ru", "+", ".-")
_FASTMAIL = Provider("fastmail.com")

PROVIDERS: dict[str, Provider] = {
    "gmail.com": _GOOGLE,
    "googlemail.com": _GOOGLE,
    "icloud.com": _APPLE,
    "me.com": _APPLE,
    "mac.com": _APPLE,
    "proton.me": _PROTON,
    "protonmail.com": _PROTON,
    "protonmail.ch": _PROTON,
    "pm.me": _PROTON,
    "yandex.ru": _YANDEX,
    "yandex.com": _YANDEX,
    "ya.ru": _YANDEX,
    "yandex.by": _YANDEX,
    "yandex.kz": _YANDEX,
    "fastmail.com": _FASTMAIL,
    "fastmail.fm": _FASTMAIL,
    "foxmail.com": Provider("foxmail.com", ""),
    "qq.com": Provider("qq.com", ""),
    "vip.qq.com": Provider("vip.qq.com", ""),
    "163.com": Provider("163.com", ""),
    "126.com": Provider("126.com", ""),
    "yahoo.com": Provider("yahoo.com", "-+"),
    "yahoo.co.uk": Provider("yahoo.co.uk", "-+"),
    "yahoo.de": Provider("yahoo.de", "-+"),
    "yahoo.fr": Provider("yahoo.fr", "-+"),
    "ymail.com": Provider("ymail.com", "-+"),
    "rocketmail.com": Provider("rocketmail.com", "-+"),
}

FREE = frozenset(
    {
        "gmail.com", "icloud.com", "proton.me", "yandex.ru", "fastmail.com", "outlook.com", "hotmail.com", "live.com",
        "msn.com", "hotmail.co.uk", "hotmail.fr", "hotmail.de", "hotmail.it", "hotmail.es", "live.co.uk", "outlook.de",
        "outlook.fr", "outlook.es", "outlook.it", "yahoo.com", "yahoo.co.uk", "yahoo.de", "yahoo.fr", "yahoo.it",
        "yahoo.es", "yahoo.co.jp", "yahoo.co.in", "ymail.com", "rocketmail.com", "aol.com", "gmx.de", "gmx.net",
        "gmx.at", "gmx.ch", "gmx.com", "web.de", "t-online.de", "freenet.de", "mail.com", "email.com", "zoho.com",
        "tutanota.com", "tuta.io", "hey.com", "qq.com", "vip.qq.com", "foxmail.com", "163.com", "126.com", "yeah.net",
        "sina.com", "sina.cn", "sohu.com", "139.com", "189.cn", "wo.cn", "aliyun.com", "tom.com", "21cn.com",
        "hanmail.net", "naver.com", "daum.net", "nate.com", "docomo.ne.jp", "ezweb.ne.jp", "softbank.ne.jp",
        "orange.fr", "wanadoo.fr", "free.fr", "laposte.net", "sfr.fr", "libero.it", "virgilio.it", "tiscali.it",
        "btinternet.com", "sky.com", "virginmedia.com", "ntlworld.com", "talktalk.net", "comcast.net", "verizon.net",
        "att.net", "sbcglobal.net", "cox.net", "bellsouth.net", "charter.net", "rogers.com", "shaw.ca", "bigpond.com",
        "optusnet.com.au", "xtra.co.nz", "mail.ru", "bk.ru", "inbox.ru", "list.ru", "rambler.ru", "seznam.cz",
        "wp.pl", "o2.pl", "onet.pl", "interia.pl", "ukr.net", "uol.com.br", "bol.com.br", "terra.com.br",
        "rediffmail.com", "telenet.be", "skynet.be", "ziggo.nl", "kpnmail.nl", "bluewin.ch", "telia.com", "hotmail.se",
    }
)  # fmt: skip
"""Domains at which everybody can have a mailbox, as their canonical names."""

DISPOSABLE = frozenset(
    {
        "10minutemail.com", "10minutemail.net", "20minutemail.com", "33mail.com", "anonbox.net", "burnermail.io",
        "byom.de", "cock.li", "deadaddress.com", "discard.email", "dispostable.com", "dropmail.me", "emailondeck.com",
        "fakeinbox.com", "fakemail.net", "fakemailgenerator.com", "getairmail.com", "getnada.com", "grr.la",
        "guerrillamail.biz", "guerrillamail.com", "guerrillamail.de", "guerrillamail.info", "guerrillamail.net",
        "guerrillamail.org", "guerrillamailblock.com", "harakirimail.com", "inboxalias.com", "inboxbear.com",
        "inboxkitten.com", "incognitomail.org", "jetable.org", "linshiyouxiang.net", "mail-temp.com", "mailcatch.com",
        "maildrop.cc", "mailexpire.com", "mailinator.com", "mailinator.net", "mailinator2.com", "mailnesia.com",
        "mailnull.com", "mailpoof.com", "mailsac.com", "mailtemp.net", "meltmail.com", "mintemail.com", "moakt.com",
        "mohmal.com", "my10minutemail.com", "mytemp.email", "mytrashmail.com", "nada.email", "no-spam.ws",
        "notsharingmy.info", "nowmymail.com", "pokemail.net", "sharklasers.com", "shieldedmail.com", "smailpro.com",
        "sogetthis.com", "spam4.me", "spambog.com", "spambox.us", "spamex.com", "spamgourmet.com", "spamspot.com",
        "temp-mail.io", "temp-mail.org", "tempail.com", "tempinbox.com", "tempmail.com", "tempmail.dev",
        "tempmail.net", "tempmail.plus", "tempmailo.com", "tempr.email", "throwawaymail.com", "trash-mail.com",
        "trashmail.com", "trashmail.de", "trashmail.me", "trashmail.net", "trbvm.com", "wegwerfemail.de",
        "wegwerfmail.de", "wegwerfmail.net", "yopmail.com", "yopmail.fr", "yopmail.net", "zetmail.com",
    }
)  # fmt: skip
"""Domains that hand out mailboxes for minutes; a domain below one of them counts as well."""
