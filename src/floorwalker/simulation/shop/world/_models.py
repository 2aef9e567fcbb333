"""Browsers and telephones of the autumn of 2025 with their market shares: what goes with what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Model:
    """One combination of hardware, system and program; all that a shop can see of it fits together.

    Parameters
    ----------
    use : `app`, `phone` (its browser), `desktop`, `tablet`, `mini` (a program inside a messenger).
    kind, os, os_version, model, screen, app, app_version : as in `floorwalker.events.event.DeviceFacts`.
    channel, user_agent, ja4 : of its requests.
    weight : share in the West and in China, not summing to anything.
    spread : how many fingerprints its owners have between them: a series of telephones has few, desktops many.
    before : version of the program until it is updated, and the user agent then; "" where nothing changes.
    """

    use: str
    kind: str
    os: str
    os_version: str
    model: str
    screen: str
    channel: str
    user_agent: str
    ja4: str
    weight: tuple[float, float]
    app: str = ""
    app_version: str = ""
    spread: int = 4
    before: tuple[str, str] = ("", "")


JA4 = {
    "chrome": "t13d1516h2_8daaf6152771_d8a2da3f94cd",
    "edge": "t13d1516h2_8daaf6152771_d8a2da3f94cd",
    "firefox": "t13d1717h2_5b57614c22b0_3cbfd9057e0d",
    "safari": "t13d2013h2_a09f3c656075_7f0f34a4126d",
    "samsung": "t13d1516h2_8daaf6152771_02713d6af862",
    "okhttp": "t13d1312h2_f57a46bbacb6_ab7e3b40a677",
    "iosapp": "t13d2014h2_a09f3c656075_e42f34c56612",
    "weixin": "t13d1714h2_5b57614c22b0_8f6bfe71b5a3",
    "script": "t13d1812h1_85036bcba153_b26ce05bbdd6",
}
"""Fingerprints of the client hello by program; Chrome and Edge share theirs, as do all of one program's versions."""

APP_RELEASES = ("8.14.0", "8.15.2")
"""Version of the shop's own app before and after the release that falls into the run."""
CHROME_RELEASES = ("141", "142")
"""Major version before and after the release that falls into the run."""

_ENGINE = "AppleWebKit/537.36 (KHTML, like Gecko)"
_REDUCED = "Mozilla/5.0 (Linux; Android 10; K)"
"""What Chrome says on every Android telephone."""
_IPHONES = (
    ("iPhone14,5", "390x844", 12.0), ("iPhone12,1", "414x896", 9.0), ("iPhone15,4", "393x852", 11.0),
    ("iPhone16,1", "393x852", 8.0), ("iPhone17,1", "402x874", 9.0), ("iPhone13,2", "390x844", 8.0),
    ("iPhone14,6", "375x667", 4.0), ("iPhone17,3", "393x852", 8.0), ("iPhone18,1", "402x874", 4.0),
    ("iPhone15,3", "430x932", 5.0), ("iPhone17,2", "440x956", 5.0),
)  # fmt: skip
_IOS = (("18.6.2", 0.38), ("18.7", 0.18), ("26.0.1", 0.26), ("17.7.2", 0.08), ("16.7.11", 0.06), ("18.5", 0.04))
_ANDROIDS = (
    ("SM-A546B", "Samsung Galaxy A54", "15", "412x915", 7.0, 0.1), ("SM-A145R", "Samsung Galaxy A14", "14", "384x854",
     5.0, 0.1),
    ("SM-S911B", "Samsung Galaxy S23", "15", "360x780", 7.0, 0.3), ("SM-S921B", "Samsung Galaxy S24", "15", "360x780",
     6.0, 0.3),
    ("SM-S938B", "Samsung Galaxy S25 Ultra", "15", "384x832", 4.0, 0.3), ("SM-G991B", "Samsung Galaxy S21", "14",
     "360x800", 4.0, 0.1),
    ("SM-A346B", "Samsung Galaxy A34", "14", "384x854", 4.0, 0.1), ("SM-A165F", "Samsung Galaxy A16", "14", "384x832",
     4.0, 0.1),
    ("2201117TY", "Redmi Note 11", "13", "393x873", 4.0, 1.0), ("23021RAAEG", "Redmi Note 12", "14", "393x873", 3.0,
     1.0),
    ("23124RA7EO", "Redmi Note 13", "14", "393x873", 3.0, 1.0), ("24069PC21G", "POCO F6", "14", "393x873", 1.5, 0.5),
    ("24129PN74C", "Xiaomi 15", "15", "393x873", 0.8, 6.0), ("23127PN0CC", "Xiaomi 14", "15", "393x873", 0.8, 6.0),
    ("Pixel 7a", "Google Pixel 7a", "16", "412x915", 2.5, 0.0), ("Pixel 8", "Google Pixel 8", "16", "412x915", 2.5,
     0.0),
    ("Pixel 9", "Google Pixel 9", "16", "412x924", 1.5, 0.0), ("moto g84 5G", "Motorola moto g84", "14", "412x915",
     1.5, 0.0),
    ("CPH2581", "OnePlus 12", "15", "360x792", 1.0, 0.3), ("CPH2663", "OPPO A80", "14", "360x806", 1.0, 0.5),
    ("PJX110", "OPPO A3 Pro", "14", "360x806", 0.0, 6.0), ("PKB110", "OPPO Reno13", "15", "360x800", 0.0, 5.0),
    ("V2309A", "vivo X100", "15", "360x800", 0.0, 6.0), ("V2338A", "vivo Y100", "14", "360x800", 0.1, 5.0),
    ("PTP-AN10", "HONOR Magic6", "15", "360x792", 0.4, 6.0), ("ALT-AL10", "HUAWEI Pura 70", "12", "360x800", 0.2, 9.0),
    ("BRA-AL00", "HUAWEI Mate 60", "12", "360x792", 0.1, 8.0), ("FNE-NX9", "HONOR 90", "14", "360x800", 0.8, 1.0),
)  # fmt: skip
_DESKTOP_SCREENS = (
    ("1920x1080", 0.42), ("1536x864", 0.18), ("2560x1440", 0.16), ("1366x768", 0.1), ("3840x2160", 0.06),
    ("1280x720", 0.04), ("1680x1050", 0.04),
)  # fmt: skip
_MAC_SCREENS = (("1440x900", 0.34), ("1512x982", 0.3), ("1728x1117", 0.16), ("2560x1440", 0.2))


def _iphones() -> list[Model]:
    made = []
    share = sum(weight for _, _, weight in _IPHONES)
    for model, screen, weight in _IPHONES:
        for version, portion in _IOS:
            newest = int(model.removeprefix("iPhone").partition(",")[0])
            if (newest >= 18 and not version.startswith("26")) or (newest >= 16 and version.startswith("16")):
                continue
            part = weight / share * portion
            dashed, short = version.replace(".", "_"), ".".join(version.split(".")[:2])
            if version.startswith("26"):
                dashed = "18_6"  # since version 26 the browser keeps the system's number at 18.6
            head = (
                f"Mozilla/5.0 (iPhone; CPU iPhone OS {dashed} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
            )
            one = ("phone", "iOS", version, model, screen)
            made.append(
                Model(
                    "phone",
                    *one,
                    "web",
                    f"{head} Version/{short} Mobile/15E148 Safari/604.1",
                    JA4["safari"],
                    (30 * part, 20 * part),
                )
            )
            made.append(
                Model(
                    "phone",
                    *one,
                    "web",
                    f"{head} CriOS/142.0.7444.46 Mobile/15E148 Safari/604.1",
                    JA4["safari"],
                    (4 * part, 1 * part),
                    before=("", f"{head} CriOS/141.0.7390.96 Mobile/15E148 Safari/604.1"),
                )
            )
            agents = [f"Hallenhaus/{number} ({model}; iOS {version}) CFNetwork/1568" for number in APP_RELEASES]
            made.append(
                Model(
                    "app",
                    *one,
                    "app",
                    agents[1],
                    JA4["iosapp"],
                    (30 * part, 20 * part),
                    "shop.hallenhaus.ios",
                    APP_RELEASES[1],
                    6,
                    (APP_RELEASES[0], agents[0]),
                )
            )
            weixin = f"{head} Mobile/15E148 MicroMessenger/8.0.64(0x1800402d) NetType/WIFI Language/zh_CN"
            made.append(
                Model("mini", *one, "mini_program", weixin, JA4["weixin"], (0.0, 28 * part), "hallenhaus.mini", "3.2.1")
            )
    return made


def _androids() -> list[Model]:
    made = []
    for code, model, version, screen, west, china in _ANDROIDS:
        weight = (west / 70, china / 70)
        one = ("phone", "Android", version, model, screen)
        old, new = (f"{_REDUCED} {_ENGINE} Chrome/{major}.0.0.0 Mobile Safari/537.36" for major in CHROME_RELEASES)
        made.append(
            Model("phone", *one, "web", new, JA4["chrome"], (26 * weight[0], 8 * weight[1]), spread=9, before=("", old))
        )
        if model.startswith("Samsung"):
            agent = f"{_REDUCED} {_ENGINE} SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile Safari/537.36"
            made.append(Model("phone", *one, "web", agent, JA4["samsung"], (9 * weight[0], weight[1]), spread=6))
        else:
            agent = f"Mozilla/5.0 (Android {version}; Mobile; rv:144.0) Gecko/144.0 Firefox/144.0"
            made.append(Model("phone", *one, "web", agent, JA4["firefox"], (2 * weight[0], weight[1]), spread=6))
        agents = [f"Hallenhaus/{number} (Android {version}; {code}) okhttp/4.12.0" for number in APP_RELEASES]
        made.append(
            Model(
                "app",
                *one,
                "app",
                agents[1],
                JA4["okhttp"],
                (30 * weight[0], 25 * weight[1]),
                "shop.hallenhaus",
                APP_RELEASES[1],
                7,
                (APP_RELEASES[0], agents[0]),
            )
        )
        weixin = (
            f"Mozilla/5.0 (Linux; Android {version}; {code}; wv) {_ENGINE} Version/4.0 Chrome/130.0.6723.103 "
            "Mobile Safari/537.36 XWEB/1300473 MicroMessenger/8.0.64.2940(0x28004034) WeChat/arm64"
        )
        made.append(
            Model(
                "mini", *one, "mini_program", weixin, JA4["weixin"], (0.0, 60 * weight[1]), "hallenhaus.mini", "3.2.1"
            )
        )
    return made


def _desktops() -> list[Model]:
    made = []
    for system, version, platform, weight, screens in (
        ("Windows", "10", "Windows NT 10.0; Win64; x64", 34.0, _DESKTOP_SCREENS),
        ("Windows", "11", "Windows NT 10.0; Win64; x64", 38.0, _DESKTOP_SCREENS),
        ("macOS", "15.7", "Macintosh; Intel Mac OS X 10_15_7", 18.0, _MAC_SCREENS),
        ("Linux", "6.8", "X11; Linux x86_64", 4.0, _DESKTOP_SCREENS),
    ):
        for screen, portion in screens:
            part = weight * portion / 94
            china = part * (0.6 if system == "Windows" else 0.2)
            one = ("desktop", system, version, "", screen)
            old, new = (
                f"Mozilla/5.0 ({platform}) {_ENGINE} Chrome/{major}.0.0.0 Safari/537.36" for major in CHROME_RELEASES
            )
            chrome = 22.0 if system == "macOS" else 46.0
            made.append(
                Model(
                    "desktop",
                    *one,
                    "web",
                    new,
                    JA4["chrome"],
                    (chrome * part, chrome * china),
                    spread=400,
                    before=("", old),
                )
            )
            made.append(
                Model(
                    "desktop",
                    *one,
                    "web",
                    f"{new} Edg/142.0.0.0",
                    JA4["edge"],
                    (14 * part, 14 * china),
                    spread=300,
                    before=("", f"{old} Edg/141.0.0.0"),
                )
            )
            gecko = platform.replace("10_15_7", "10.15")
            fox = [f"Mozilla/5.0 ({gecko}; rv:{major}.0) Gecko/20100101 Firefox/{major}.0" for major in (143, 144)]
            made.append(
                Model(
                    "desktop",
                    *one,
                    "web",
                    fox[1],
                    JA4["firefox"],
                    (16 * part, 2 * china),
                    spread=200,
                    before=("", fox[0]),
                )
            )
            if system == "macOS":
                safari = (
                    f"Mozilla/5.0 ({platform}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15"
                )
                made.append(Model("desktop", *one, "web", safari, JA4["safari"], (46 * part, 46 * china), spread=30))
    return made


def _tablets() -> list[Model]:
    made = []
    mac = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    for model, screen, weight in (
        ("iPad13,18", "820x1180", 5.0),
        ("iPad14,8", "820x1180", 3.0),
        ("iPad12,1", "810x1080", 4.0),
    ):
        made.append(
            Model(
                "tablet",
                "tablet",
                "iPadOS",
                "18.6",
                model,
                screen,
                "web",
                f"{mac} Version/18.6 Safari/605.1.15",
                JA4["safari"],
                (weight, weight / 3),
                spread=5,
            )
        )
    old, new = (f"{_REDUCED} {_ENGINE} Chrome/{major}.0.0.0 Safari/537.36" for major in CHROME_RELEASES)
    for model, screen, weight in (("Samsung Galaxy Tab A9", "800x1340", 3.0), ("Lenovo Tab M10", "800x1280", 1.5)):
        made.append(
            Model(
                "tablet",
                "tablet",
                "Android",
                "14",
                model,
                screen,
                "web",
                new,
                JA4["chrome"],
                (weight, weight / 2),
                spread=9,
                before=("", old),
            )
        )
    return made


MODELS: tuple[Model, ...] = (*_iphones(), *_androids(), *_desktops(), *_tablets())
"""Every combination; a device's model is its place here."""

USES: tuple[str, ...] = ("app", "phone", "desktop", "tablet", "mini")
