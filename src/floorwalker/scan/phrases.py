"""How numbers, days and foreign texts are put before a reader: the same in the terminal, the report and the exports."""

from __future__ import annotations

import math
import re
from datetime import date, datetime

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
"""Month names, because `strftime` would answer in the machine's language."""

# Control characters, bidirectional overrides, invisible characters and lone surrogates: they recolour a terminal,
# reorder what is read, or break UTF-8.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def printable(text: str, limit: int | None = None) -> str:
    r"""The text with characters that a terminal or a reader could be fooled by written out.

    User agents and URLs are chosen by the attacker: an escape sequence could repaint the analyst's terminal, and a
    right-to-left override could make one address read as another.

    Parameters
    ----------
    text : any text.
    limit : the longest answer in characters, an ellipsis included; None for no limit.

    >>> printable("curl\x1b[31m/7")
    'curl\\x1b[31m/7'
    >>> printable("Mozilla/5.0 (Windows NT 10.0)", 12)
    'Mozilla/5.0…'
    """
    if limit is not None and len(text) > 4 * limit:
        text = text[: 4 * limit]
    clean = _UNPRINTABLE.sub(_escape, text)
    if limit is not None and len(clean) > limit:
        clean = clean[: max(0, limit - 1)].rstrip() + "…"
    return clean


def say_count(number: int, noun: str = "", plural: str = "") -> str:
    """A count with thousands apart, and its noun in the right number.

    >>> say_count(1, "visitor"), say_count(12345, "visitor"), say_count(2, "address", "addresses")
    ('1 visitor', '12,345 visitors', '2 addresses')
    """
    if not noun:
        return f"{number:,}"
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def say_share(part: float, whole: float) -> str:
    """A part in per cent of a whole, with the digits that matter.

    >>> say_share(41, 12345), say_share(1, 3), say_share(0, 10), say_share(0, 0), say_share(1, 900000)
    ('0.33 %', '33 %', '0 %', '–', '< 0.01 %')
    """
    if not whole:
        return "–"
    percent = 100.0 * part / whole
    if percent == 0.0:
        return "0 %"
    if percent < 0.01:
        return "< 0.01 %"
    if part < whole and percent > 99.0:
        return f"{min(percent, 99.9):.1f} %"
    if percent >= 10.0:
        return f"{percent:.0f} %"
    return f"{percent:.1f} %" if percent >= 1.0 else f"{percent:.2f} %"


def say_duration(seconds: float) -> str:
    """A length of time in its two largest units.

    >>> say_duration(0.25), say_duration(12), say_duration(200), say_duration(7260), say_duration(190000)
    ('0.25 s', '12 s', '3 min 20 s', '2 h 1 min', '2 d 4 h')
    """
    if not math.isfinite(seconds):
        return "–"
    if seconds < 10:
        return f"{seconds:.2g} s"
    whole = round(seconds)
    for size, name, part_size, part_name in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // part_size
            return f"{whole // size} {name}" + (f" {rest} {part_name}" if rest else "")
    return f"{whole} s"


def say_number(value: float) -> str:
    """A number with three significant digits, or all of them where it is whole.

    >>> say_number(3), say_number(0.12345), say_number(1234.5), say_number(float("nan"))
    ('3', '0.123', '1,234', '–')
    """
    if not math.isfinite(value):
        return "–"
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def say_value(value: float | None, unit: str) -> str:
    """A feature's value with its unit.

    >>> say_value(90, "seconds"), say_value(0.5, "share"), say_value(1, "requests"), say_value(None, "bits")
    ('1 min 30 s', '50 %', '1 request', '–')
    """
    if value is None or not math.isfinite(value):
        return "–"
    if unit == "seconds":
        return say_duration(value)
    if unit == "share":
        return say_share(value, 1.0)
    number = say_number(value)
    if number == "1" and unit.endswith("s") and not unit.startswith("log"):
        unit = unit[:-1]
    return f"{number} {unit}".rstrip()


def say_bytes(size: int) -> str:
    """A size in decimal units.

    >>> say_bytes(512), say_bytes(700_000_000)
    ('512 B', '700 MB')
    """
    value, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.3g} {unit}"


def say_day(day: date) -> str:
    """A day in words.

    >>> say_day(date(2021, 11, 11))
    '11 November 2021'
    """
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def say_days(days: tuple[date, ...]) -> str:
    """One day, or the first and last of several.

    >>> say_days((date(2021, 11, 11),)), say_days((date(2021, 11, 11), date(2021, 12, 1)))
    ('on 11 November 2021', 'between 11 November 2021 and 1 December 2021')
    """
    if not days:
        return ""
    first, last = min(days), max(days)
    return f"on {say_day(first)}" if first == last else f"between {say_day(first)} and {say_day(last)}"


def say_moment(moment: datetime | None) -> str:
    """A local time to the second.

    >>> from datetime import timezone
    >>> say_moment(datetime(2021, 11, 11, 9, 5, tzinfo=timezone.utc).replace(tzinfo=None))
    '2021-11-11 09:05:00'
    """
    return "–" if moment is None else moment.isoformat(sep=" ", timespec="seconds")
