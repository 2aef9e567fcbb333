"""User agents as browsers, apps and scripts of the time wrote them, drawn from a realistic mix."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

_ENGINE = "AppleWebKit/537.36 (KHTML, like Gecko)"

_CHROMES = (
    ("95.0.4638.69", 30), ("95.0.4638.54", 14), ("94.0.4606.81", 13), ("96.0.4664.45", 12), ("93.0.4577.82", 6),
    ("92.0.4515.159", 5),
    ("91.0.4472.124", 5), ("90.0.4430.212", 3), ("89.0.4389.128", 3), ("87.0.4280.141", 2), ("86.0.4240.198", 3),
    ("84.0.4147.135", 1),
    ("80.0.3987.163", 1), ("78.0.3904.108", 1), ("69.0.3497.100", 1),
)  # fmt: skip

_DESKTOPS = (
    ("Windows NT 10.0; Win64; x64", 62), ("Macintosh; Intel Mac OS X 10_15_7", 15),
    ("Windows NT 6.1; Win64; x64", 9), ("Windows NT 10.0; WOW64", 5),
    ("X11; Linux x86_64", 3), ("Macintosh; Intel Mac OS X 10_14_6", 2), ("Windows NT 6.3; Win64; x64", 2),
    ("Macintosh; Intel Mac OS X 11_6_0", 2),
)  # fmt: skip

_PHONES = (
    ("11; SM-G991B", 5), ("11; SM-A515F", 6), ("10; SM-G973F", 4), ("11; SM-A125F", 4), ("10; SM-A107F", 3),
    ("11; SM-N986B", 2), ("11; M2101K6G", 4),
    ("10; Redmi Note 8", 6), ("11; Redmi Note 9 Pro", 5), ("9; Redmi Note 7", 3), ("10; M2004J19C", 3),
    ("11; M2012K11AC", 3), ("10; Mi 9T", 2), ("10; VOG-L29", 3),
    ("10; ELE-AL00", 3), ("10; MAR-LX1A", 3), ("9; JKM-LX1", 2), ("10; ANA-AN00", 3), ("10; CLT-AL01", 2),
    ("10; YAL-AL10", 2), ("11; CPH2127", 2), ("10; CPH1923", 2),
    ("11; PEGM00", 3), ("10; PCAM10", 2), ("11; V2049A", 3), ("10; V1938CT", 2), ("9; vivo 1907", 2),
    ("11; IN2023", 2), ("11; LE2113", 1), ("12; Pixel 6", 1), ("11; Pixel 4a", 1),
    ("11; moto g(30)", 1), ("10; moto g(8) power", 1), ("11; RMX3085", 2), ("10; RMX1971", 2),
    ("8.1.0; SM-J710F", 2), ("8.0.0; SM-G950F", 2), ("7.0; SM-G935F", 1), ("6.0.1; SM-G532F", 1),
    ("10; Nokia 5.3", 1), ("11; XQ-BC52", 1), ("10; TFY-AN00", 2), ("10; NOH-AN00", 2),
)  # fmt: skip

_IOS = (
    ("15_1", 18),
    ("15_0_2", 14),
    ("14_8_1", 9),
    ("14_8", 12),
    ("14_7_1", 10),
    ("14_6", 8),
    ("14_4_2", 6),
    ("13_7", 3),
    ("13_3_1", 3),
    ("12_5_5", 3),
)

_SCRIPTS = (
    "python-requests/2.26.0", "python-requests/2.25.1", "Go-http-client/1.1", "curl/7.68.0", "okhttp/3.12.1",
    "Java/1.8.0_292",
    "Apache-HttpClient/4.5.13 (Java/11.0.12)", "axios/0.21.4", "Scrapy/2.5.1 (+https://scrapy.org)",
    "aiohttp/3.7.4", "Python-urllib/3.8",
    "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)", "PostmanRuntime/7.28.4", "GuzzleHttp/7",
    "libwww-perl/6.43", "Wget/1.20.3 (linux-gnu)",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/91.0.4472.101 Safari/537.36",
)  # fmt: skip

_STALE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/74.0.3729.169 "
    "Safari/537.36",
    "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/52.0.2743.116 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; WOW64; rv:45.0) Gecko/20100101 Firefox/45.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_12_6) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/61.0.3163.100 "
    "Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/80.0.3987.149 "
    "Safari/537.36",
    "Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.1; Trident/6.0)",
)

_TEXT_BROWSERS = (
    "Lynx/2.8.9rel.1 libwww-FM/2.14 SSL-MM/1.4.1 GNUTLS/3.6.13", "w3m/0.5.3+git20190105",
    "ELinks/0.13.1 (textmode; Linux 5.4.0 x86_64; 158x40-2)",
    "Links (2.20.2; Linux 5.4.0-89-generic x86_64; GNU C 9.3; text)", "NetSurf/3.10 (Linux)", "Dillo/3.0.5",
    "Opera/9.80 (J2ME/MIDP; Opera Mini/7.1.32052/29.3709; U; en) Presto/2.8.119 Version/11.10",
)  # fmt: skip


def _spread(parts: tuple[tuple[str, int], ...]) -> list[tuple[str, float]]:
    total = sum(weight for _, weight in parts)
    return [(text, weight / total) for text, weight in parts]


def _desktops() -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    for system, share in _spread(_DESKTOPS):
        base = f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/"
        for version, portion in _spread(_CHROMES):
            found.append((f"{base}{version} Safari/537.36", 0.62 * share * portion))
            major = version.split(".")[0]
            if "Windows" in system and int(major) >= 89:
                found.append(
                    (f"{base}{version} Safari/537.36 Edg/{major}.0.1020.{30 + int(major) % 9}", 0.14 * share * portion)
                )
        for version, portion in (("94.0", 0.5), ("93.0", 0.25), ("91.0", 0.1), ("78.0", 0.15)):
            short = system.replace("Intel Mac OS X 10_15_7", "Intel Mac OS X 10.15")
            found.append(
                (f"Mozilla/5.0 ({short}; rv:{version}) Gecko/20100101 Firefox/{version}", 0.13 * share * portion)
            )
        if "Macintosh" in system:
            for version, portion in (("15.1", 0.4), ("15.0", 0.25), ("14.1.2", 0.35)):
                found.append(
                    (
                        f"Mozilla/5.0 ({system}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{version} "
                        "Safari/605.1.15",
                        0.9 * share * portion,
                    )
                )
    return found


def _phones() -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    for phone, share in _spread(_PHONES):
        for version, portion in _spread(_CHROMES[:8]):
            found.append(
                (
                    f"Mozilla/5.0 (Linux; Android {phone}) AppleWebKit/537.36 (KHTML, like Gecko) "
                    f"Chrome/{version} Mobile Safari/537.36",
                    0.42 * share * portion,
                )
            )
        if "SM-" in phone:
            samsung = phone.replace("; SM", "; SAMSUNG SM")
            tail = "SamsungBrowser/15.0 Chrome/90.0.4430.210 Mobile Safari/537.36"
            found.append((f"Mozilla/5.0 (Linux; Android {samsung}) {_ENGINE} {tail}", 0.3 * share))
        elif "L" in phone or "A" in phone:
            tail = "Version/4.0 Chrome/78.0.3904.62 HuaweiBrowser/11.1.4 Mobile Safari/537.36"
            found.append((f"Mozilla/5.0 (Linux; U; Android {phone}) {_ENGINE} {tail}", 0.12 * share))
    for version, share in _spread(_IOS):
        major = version.split("_")[0]
        minor = version.split("_")[1]
        head = f"Mozilla/5.0 (iPhone; CPU iPhone OS {version} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
        found.append((f"{head} Version/{major}.{minor} Mobile/15E148 Safari/604.1", 0.36 * share))
        found.append((f"{head} CriOS/95.0.4638.50 Mobile/15E148 Safari/604.1", 0.05 * share))
        found.append(
            (
                f"{head.replace('iPhone;', 'iPad;').replace('iPhone OS', 'OS')} Version/{major}.{minor} "
                "Mobile/15E148 Safari/604.1",
                0.04 * share,
            )
        )
    return found


def _web_views() -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    for phone, share in _spread(_PHONES):
        head = (
            f"Mozilla/5.0 (Linux; Android {phone}; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
            "Chrome/86.0.4240.99 Mobile Safari/537.36"
        )
        found.append(
            (
                f"{head} MMWEBID/2811 MicroMessenger/8.0.16.2040(0x28001037) Process/tools WeChat/arm64 "
                "NetType/WIFI Language/zh_CN",
                0.25 * share,
            )
        )
        found.append((f"{head} ShopApp/5.12.1", 0.35 * share))
        found.append((f"{head} [FB_IAB/FB4A;FBAV/343.0.0.37.117;]", 0.15 * share))
    for version, share in _spread(_IOS):
        head = (
            f"Mozilla/5.0 (iPhone; CPU iPhone OS {version} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
            "Gecko) Mobile/15E148"
        )
        found.append((f"{head} MicroMessenger/8.0.16(0x18001041) NetType/WIFI Language/zh_CN", 0.12 * share))
        found.append((f"{head} ShopApp/5.12.0", 0.13 * share))
    return found


class AgentBook:
    """All user agents of a log by code, with the mixes that people and scripts draw from."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._codes: dict[str, int] = {}
        self._mixes: dict[str, tuple[NDArray[np.int32], NDArray[np.float64]]] = {}
        for name, mix in (("desktop", _desktops()), ("phone", _phones()), ("webview", _web_views())):
            codes = np.array([self.code(text) for text, _ in mix], np.int32)
            shares = np.array([weight for _, weight in mix])
            self._mixes[name] = codes, np.cumsum(shares / shares.sum())
        for name, texts in (("script", _SCRIPTS), ("stale", _STALE), ("text", _TEXT_BROWSERS)):
            codes = np.array([self.code(text) for text in texts], np.int32)
            self._mixes[name] = codes, np.arange(1, len(texts) + 1) / len(texts)

    def code(self, text: str) -> int:
        """The code of one user agent, new or known; the empty text is a client that sends none."""
        if text not in self._codes:
            self._codes[text] = len(self.texts)
            self.texts.append(text)
        return self._codes[text]

    def draw(self, chance: Generator, mix: str, count: int) -> NDArray[np.int32]:
        """Codes from a mix: `desktop`, `phone`, `webview`, `script`, `stale` or `text`."""
        codes, edges = self._mixes[mix]
        return codes[np.minimum(np.searchsorted(edges, chance.random(count), side="right"), len(codes) - 1)]

    def people(
        self, chance: Generator, is_phone: NDArray[np.bool_], *, webview_share: float = 0.12
    ) -> NDArray[np.int32]:
        """What people carry: phones (some of their visits from inside an app) and desktops."""
        count = len(is_phone)
        inside = chance.random(count) < webview_share
        phone = np.where(inside, self.draw(chance, "webview", count), self.draw(chance, "phone", count))
        return np.where(is_phone, phone, self.draw(chance, "desktop", count)).astype(np.int32)
