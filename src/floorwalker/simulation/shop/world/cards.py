"""Cards, wallets and bank accounts: tokens and what a payment service says of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.events.event import CardFacts
from floorwalker.simulation.shop.chance import Chance
from floorwalker.simulation.shop.persona import Card
from floorwalker.simulation.shop.world._tables import Texts, digits, texts
from floorwalker.simulation.shop.world.countries import CODES

_SCHEMES = ("visa", "mastercard", "amex", "unionpay")
_STARTS = {"visa": (40, 49), "mastercard": (51, 55), "amex": (37, 37), "unionpay": (62, 62)}
_MIX = {
    "DE": (0.47, 0.47, 0.06, 0.0), "AT": (0.38, 0.58, 0.04, 0.0), "GB": (0.68, 0.26, 0.06, 0.0),
    "PL": (0.55, 0.44, 0.01, 0.0), "NL": (0.45, 0.5, 0.05, 0.0), "US": (0.52, 0.32, 0.16, 0.0),
    "CN": (0.08, 0.06, 0.01, 0.85),
}  # fmt: skip
_FUNDING = {"DE": 0.55, "AT": 0.6, "GB": 0.72, "PL": 0.82, "NL": 0.6, "US": 0.45, "CN": 0.6}
"""Share of debit cards among all but the prepaid ones."""
_PREPAID = 0.035
_ISSUERS = {
    "DE": "Sparbank Nord|Volkskasse|Direktbank Main|Hansebank|Rheinische Bank|Mobilbank|Südbank|Landeskasse",
    "AT": "Alpenbank|Donaukasse|Erste Bürgerbank|Ländlebank",
    "GB": "Albion Bank|Northshire|Thames Bank|Highland Savings|Fintern|Monarch Bank",
    "PL": "Bank Wisła|Polbank Nowy|Mazovia|Bałtyk Bank",
    "NL": "Polderbank|Oranjebank|Noordzee Bank|Duinbank",
    "US": "First Prairie|Liberty Mutual Savings|Lakeshore Bank|Union Pacific Credit|Summit One",
    "CN": "中原银行|长江银行|东海银行|南岭银行|华北银行",
}
WALLETS: tuple[str, ...] = ("", "apple_pay", "google_pay", "paypal", "alipay", "wechat_pay", "direct_debit", "invoice")
"""How a payment method is reached; "" is a plain card. The last five name no card: they have no BIN."""
_HAS_CARD = np.array([True, True, True, False, False, False, False, False])
_WALLET_MIX = np.array(
    # card  apple  google paypal alipay wechat debit invoice
    [
        [0.30, 0.09, 0.07, 0.32, 0.00, 0.00, 0.09, 0.13],
        [0.38, 0.08, 0.07, 0.22, 0.00, 0.00, 0.09, 0.16],
        [0.55, 0.15, 0.09, 0.20, 0.00, 0.00, 0.00, 0.01],
        [0.52, 0.09, 0.13, 0.10, 0.00, 0.00, 0.16, 0.00],
        [0.34, 0.10, 0.06, 0.17, 0.00, 0.00, 0.25, 0.08],
        [0.60, 0.14, 0.06, 0.20, 0.00, 0.00, 0.00, 0.00],
        [0.10, 0.01, 0.00, 0.01, 0.46, 0.42, 0.00, 0.00],
    ]
)


@dataclass(frozen=True)
class Issue:
    """A range of cards of one bank: all with the same BIN."""

    bin: str
    scheme: str
    funding: str
    issuer: str
    country: str
    commercial: bool


class Issuers:
    """The banks and their ranges, drawn once for a world.

    Parameters
    ----------
    chance : draws them.
    per_country : ranges of each country; the first ones have most of the cards.
    """

    def __init__(self, chance: Chance, per_country: int = 60) -> None:
        self.issues: list[Issue] = []
        self._per_country = per_country
        for place, code in enumerate(CODES):
            numbers = np.arange(per_country, dtype=np.uint64) + np.uint64(1000 * place)
            schemes = chance.choice("bin/scheme", numbers, _MIX[code])
            kind = chance.uniform("bin/funding", numbers)
            rest = chance.words("bin/digits", numbers)
            names = _ISSUERS[code].split("|")
            bank = (chance.uniform("bin/bank", numbers) ** 1.5 * len(names)).astype(np.int64)
            for row in range(per_country):
                scheme = _SCHEMES[int(schemes[row])]
                low, high = _STARTS[scheme]
                first = low + int(rest[row] % np.uint64(high - low + 1))
                figures = f"{first}{int(rest[row] >> np.uint64(8)) % 10_000:04d}"
                funding = "credit" if scheme == "amex" or kind[row] > _FUNDING[code] else "debit"
                # The rarest ranges of a country are the prepaid ones: gift cards and cards of the new kind of bank.
                funding = "prepaid" if row >= per_country - 8 else funding
                self.issues.append(
                    Issue(
                        figures,
                        scheme,
                        funding,
                        names[int(bank[row])],
                        code,
                        funding == "credit" and bool(kind[row] > 0.93),
                    )
                )
        self.bin = texts([issue.bin for issue in self.issues])
        self.scheme = texts([issue.scheme for issue in self.issues])
        self.funding = texts([issue.funding for issue in self.issues])
        self.issuer = texts([issue.issuer for issue in self.issues])
        self.country = texts([issue.country for issue in self.issues])
        self.commercial = np.array([issue.commercial for issue in self.issues])

    def draw(self, uniform: NDArray[np.float64], country: NDArray[np.int64]) -> NDArray[np.int64]:
        """The range of each card: few big ones, many small ones, a few prepaid."""
        big = self._per_country - 8
        place = np.where(
            uniform < 1 - _PREPAID,
            (big * (uniform / (1 - _PREPAID)) ** 2.2).astype(np.int64),
            big + ((uniform - 1 + _PREPAID) / _PREPAID * 8).astype(np.int64),
        )
        return np.asarray(country * self._per_country + np.minimum(place, self._per_country - 1), dtype=np.int64)

    def prepaid(self, uniform: NDArray[np.float64], country: NDArray[np.int64]) -> NDArray[np.int64]:
        """A prepaid range of each country."""
        return np.asarray((country + 1) * self._per_country - 8 + (uniform * 8).astype(np.int64), dtype=np.int64)


@dataclass
class Cards:
    """Payment methods as columns.

    Parameters
    ----------
    payment : tokens, `str` [k].
    issue : places in `Issuers.issues`, int64 [k]; -1 where no card is behind it.
    wallet : places in `WALLETS`, int64 [k].
    last_four : `str` [k], "" where no card is behind it.
    stored : bool [k], whether the owner lets the shop keep it.
    """

    payment: Texts
    issue: NDArray[np.int64]
    wallet: NDArray[np.int64]
    last_four: Texts
    stored: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.payment)

    def card(self, row: int, issuers: Issuers, *, stored: bool | None = None) -> Card:
        """One of them as a record; `stored` in place of what its owner lets the shop do."""
        stored = bool(self.stored[row]) if stored is None else stored
        wallet = WALLETS[int(self.wallet[row])]
        if self.issue[row] < 0:
            return Card(self.payment[row], "", CardFacts(wallet=wallet or None, stored=stored))
        issue = issuers.issues[int(self.issue[row])]
        facts = CardFacts(
            scheme=issue.scheme, funding=issue.funding,  # type: ignore[arg-type]
            commercial=issue.commercial or None, issuer=issue.issuer, issuer_country=issue.country,
            last_four=self.last_four[row], wallet=wallet or None, stored=stored,
        )  # fmt: skip
        return Card(self.payment[row], issue.bin, facts)


_STORED = 0.84
"""Share of payment methods that their owners let the shop keep."""


def draw_cards(
    chance: Chance, issuers: Issuers, owners: NDArray[np.uint64], country: NDArray[np.int64], slot: int
) -> Cards:
    """A payment method of each owner; `slot` tells one person's several methods apart."""
    keys = owners * np.uint64(4) + np.uint64(slot)
    mix = np.cumsum(_WALLET_MIX, axis=1)
    wallet = (mix[country] <= chance.uniform("card/wallet", keys)[:, None] * mix[country, -1:]).sum(axis=1)
    wallet = np.minimum(wallet, len(WALLETS) - 1)
    issue = issuers.draw(chance.uniform("card/issue", keys), country)
    issue = np.where(_HAS_CARD[wallet], issue, -1)
    four = digits(chance.words("card/last four", keys), 4)
    four = np.where(issue >= 0, four, "")
    stored = chance.uniform("card/stored", keys) < _STORED
    tokens = texts(["pm" + name for name in chance.names("card", keys)])
    return Cards(tokens, issue, wallet.astype(np.int64), four, stored)


def make_card(chance: Chance, issuers: Issuers, rng: Generator, *, country: str, origin: str) -> Card:
    """A card that the shop has not seen.

    Parameters
    ----------
    country : of its bank.
    origin : `own` (as a customer has it), `stolen` (a card, now and then loaded into a telephone's wallet), `prepaid`,
        `virtual` (many numbers of one modern bank).
    """
    number = np.array([rng.integers(1 << 60)], dtype=np.uint64)
    place = np.array([CODES.index(country) if country in CODES else 0])
    made = draw_cards(chance, issuers, number, place, 3)
    if origin != "own":
        draw = rng.random(1)
        if origin == "prepaid":
            issue = issuers.prepaid(draw, place)
        elif origin == "virtual":
            issue = issuers.prepaid(draw * 0.25, place)
        else:
            issue = issuers.draw(draw, place)
        loaded = origin == "stolen" and country != "CN" and rng.random() < 0.3
        wallet = 1 + int(rng.random() < 0.45) if loaded else 0
        four = digits(chance.words("card/last four", number), 4)
        made = Cards(made.payment, issue, np.array([wallet]), four, made.stored)
    # Whoever pays with a card for the first time may let the shop keep it.
    return made.card(0, issuers, stored=bool(rng.random() < 0.6))
