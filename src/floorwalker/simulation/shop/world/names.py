"""What people are called and how they name their mailboxes: one grammar for honest and invented people."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from floorwalker.simulation.shop.chance import Chance
from floorwalker.simulation.shop.world import _name_lists as lists
from floorwalker.simulation.shop.world._tables import Texts, choose, digits, pick, pick_by, plain, texts
from floorwalker.simulation.shop.world.countries import CODES

_CHINA = CODES.index("CN")

HOSTS: tuple[tuple[tuple[str, float], ...], ...] = (
    (("gmail.com", 33), ("gmx.de", 16), ("web.de", 15), ("t-online.de", 7), ("outlook.de", 4), ("hotmail.com", 5),
     ("icloud.com", 6), ("freenet.de", 2), ("yahoo.de", 3), ("googlemail.com", 3), ("gmx.net", 4), ("proton.me", 1.2)),
    (("gmail.com", 40), ("gmx.at", 22), ("outlook.com", 6), ("hotmail.com", 7), ("icloud.com", 7), ("yahoo.de", 2),
     ("live.at", 2), ("a1.net", 6), ("aon.at", 4), ("proton.me", 1)),
    (("gmail.com", 44), ("hotmail.co.uk", 12), ("outlook.com", 8), ("yahoo.co.uk", 8), ("icloud.com", 9),
     ("btinternet.com", 5), ("hotmail.com", 6), ("sky.com", 3), ("live.co.uk", 2), ("virginmedia.com", 2),
     ("proton.me", 1)),
    (("gmail.com", 45), ("wp.pl", 17), ("o2.pl", 12), ("onet.pl", 8), ("interia.pl", 8), ("outlook.com", 3),
     ("icloud.com", 2)),
    (("gmail.com", 47), ("hotmail.com", 16), ("ziggo.nl", 8), ("kpnmail.nl", 6), ("outlook.com", 8), ("icloud.com", 6),
     ("live.nl", 4), ("proton.me", 1)),
    (("gmail.com", 52), ("yahoo.com", 13), ("icloud.com", 10), ("hotmail.com", 6), ("outlook.com", 6), ("aol.com", 4),
     ("comcast.net", 3), ("att.net", 2), ("proton.me", 1)),
    (("qq.com", 44), ("163.com", 24), ("126.com", 9), ("foxmail.com", 5), ("sina.com", 4), ("139.com", 5),
     ("gmail.com", 5), ("outlook.com", 4)),
)  # fmt: skip
"""Where people have their mailboxes, by country."""

OWN_SHARE = 0.07
"""Of mailboxes lie at a domain of one's own, a firm's or a club's."""

_PATTERNS = np.array(
    # first.last  firstlast  first.last84  f.last  first84  last.first  nick84  first_last  firstl7  nick  relay
    [
        [22, 9, 15, 8, 14, 5, 12, 4, 6, 3, 2.0],
        [24, 8, 14, 8, 13, 5, 12, 4, 6, 4, 2.0],
        [18, 14, 13, 8, 15, 2, 12, 5, 8, 3, 2.5],
        [16, 14, 14, 6, 16, 4, 16, 4, 7, 3, 0.5],
        [20, 14, 10, 14, 12, 2, 12, 4, 7, 4, 1.5],
        [14, 18, 14, 7, 17, 1, 13, 5, 7, 2, 2.5],
        [2, 14, 10, 4, 18, 1, 10, 2, 8, 2, 0.2],
    ]
)
_NUMBERS_AT_QQ = 0.7


@dataclass(frozen=True)
class Names:
    """People's names.

    Parameters
    ----------
    first, last : in Latin letters.
    full : as the person writes it on a parcel: Chinese ones in Chinese.
    """

    first: Texts
    last: Texts
    full: Texts


def draw_names(
    chance: Chance, numbers: NDArray[np.uint64], heads: NDArray[np.uint64], country: NDArray[np.int64]
) -> Names:
    """Names of persons.

    Parameters
    ----------
    numbers : who, uint64 [k].
    heads : the number of the household that each belongs to, uint64 [k]: most of a household share a family name.
    country : places in `COUNTRIES`, int64 [k].
    """
    stranger = chance.uniform("names/stranger", numbers) < 0.12
    family = np.where(stranger, numbers, heads)
    first_draw = chance.uniform("names/first", numbers)
    last_draw = chance.uniform("names/last", family)
    first = pick_by(lists.FIRST, country, first_draw, 1.5)
    last = pick_by(lists.LAST, country, last_draw, 2.0)
    full = first + " " + last
    chinese = np.flatnonzero(country == _CHINA)
    if len(chinese):
        full[chinese] = pick(lists.FAMILY_CHINESE, last_draw[chinese], 2.0) + pick(
            lists.GIVEN_CHINESE, first_draw[chinese], 1.5
        )
    return Names(first, last, full)


_FOLDED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ı": "i", "ł": "l"})


def fold(name: str) -> str:
    """A name as a mailbox writes it.

    >>> fold("Müller"), fold("Öztürk")
    ('mueller', 'oeztuerk')
    """
    plain_letters = unicodedata.normalize("NFKD", name.lower().translate(_FOLDED))
    return "".join(letter for letter in plain_letters if letter.isascii() and letter.isalnum())


_KNOWN_FOLDS = {name: fold(name) for table in (*lists.FIRST, *lists.LAST) for name in table.tolist()}


def fold_column(names: Texts) -> Texts:
    """As `fold`, a column at a time."""
    return texts([_KNOWN_FOLDS.get(name) or fold(name) for name in names.tolist()])


_HOST_TABLES = tuple(texts([host for host, _ in hosts]) for hosts in HOSTS)
_MOST_HOSTS = max(map(len, HOSTS))
_HOST_WEIGHTS = np.array([[weight for _, weight in hosts] + [0.0] * (_MOST_HOSTS - len(hosts)) for hosts in HOSTS])
_HOSTS_JOINED = np.concatenate([np.resize(table, _MOST_HOSTS) for table in _HOST_TABLES])


def draw_hosts(chance: Chance, numbers: NDArray[np.uint64], country: NDArray[np.int64]) -> Texts:
    """Domains of mailboxes."""
    column = choose(_HOST_WEIGHTS, country, chance.uniform("email/host", numbers))
    hosts = np.asarray(_HOSTS_JOINED[country * _MOST_HOSTS + column], dtype=object)
    own = np.flatnonzero(chance.uniform("email/own", numbers) < OWN_SHARE)
    hosts[own] = pick(lists.COMPANIES, chance.uniform("email/company", numbers[own])) + ".example"
    return hosts


def draw_emails(
    chance: Chance, numbers: NDArray[np.uint64], names: Names, country: NDArray[np.int64], born: NDArray[np.int64]
) -> Texts:
    """Mailboxes of these people.

    Parameters
    ----------
    born : year of birth, int64 [k]: people like to put it behind their name.
    """
    hosts = draw_hosts(chance, numbers, country)
    first, last = fold_column(names.first), fold_column(names.last)
    pattern = choose(_PATTERNS, country, chance.uniform("email/pattern", numbers))
    year = digits(born, 2)
    luck = chance.words("email/digits", numbers)
    two, three, four = digits(luck, 2), digits(luck >> np.uint64(9), 3), digits(luck >> np.uint64(20), 4)
    how = chance.uniform("email/number", numbers)
    in_china = country == _CHINA
    number = np.where(how < 0.45, year, np.where(how < 0.65, two, np.where(how < 0.85, three, four)))
    number = np.where(in_china & (how >= 0.2), year + four, number)
    nick = pick(lists.NICKS, chance.uniform("email/nick", numbers))
    single = plain(luck % np.uint64(9) + np.uint64(1))
    initial = texts([name[:1] for name in first.tolist()])
    surname_initial = texts([name[:1] for name in last.tolist()])
    box = np.empty(len(numbers), dtype=object)
    forms: tuple[Callable[[NDArray[np.int64]], Texts], ...] = (
        lambda rows: first[rows] + "." + last[rows],
        lambda rows: first[rows] + last[rows],
        lambda rows: first[rows] + "." + last[rows] + number[rows],
        lambda rows: initial[rows] + "." + last[rows],
        lambda rows: first[rows] + number[rows],
        lambda rows: last[rows] + "." + first[rows],
        lambda rows: nick[rows] + four[rows],
        lambda rows: first[rows] + "_" + last[rows],
        lambda rows: first[rows] + surname_initial[rows] + single[rows],
        lambda rows: nick[rows] + pick(lists.NICKS, chance.uniform("email/second", numbers[rows])) + single[rows],
        lambda rows: texts(chance.names("email/relay", numbers[rows], 10)),
    )
    for place, form in enumerate(forms):
        rows = np.flatnonzero(pattern == place)
        if len(rows):
            box[rows] = form(rows)
    # Names alone are long taken at the big providers: most who bear one add a number, later comers a long one.
    plain_name = np.isin(pattern, (0, 1, 3, 5, 7)) & (chance.uniform("email/own", numbers) >= OWN_SHARE)
    taken = np.flatnonzero(plain_name & (chance.uniform("email/taken", numbers) < 0.62))
    box[taken] = box[taken] + number[taken]
    crowded = np.flatnonzero(np.isin(pattern, (4, 8, 9)) & (in_china | (chance.uniform("email/late", numbers) < 0.6)))
    box[crowded] = box[crowded] + digits(luck[crowded] >> np.uint64(40), 2)
    in_figures = np.flatnonzero((hosts == "qq.com") & (chance.uniform("email/qq", numbers) < _NUMBERS_AT_QQ))
    if len(in_figures):
        figures = chance.words("email/figures", numbers[in_figures])
        box[in_figures] = plain(figures % np.uint64(9) + np.uint64(1)) + digits(figures >> np.uint64(8), 8)
    return np.asarray(box + "@" + hosts, dtype=object)
