"""What the shop ever learns: disputes that come late, complaints, verdicts with errors, and silence.

Most abuse is never reported. A stolen card comes back as a chargeback after weeks, and so does the purchase of a
customer who does not recognise it, or who does and lies. An analyst looks at a few cases and is wrong about some. What
was refused leaves no trace at all.

`DISCOVERIES` and `AUDITS` are the whole model. The shares and delays are assumptions of ours, chosen so that between a
fifth and two thirds of each kind of abuse is ever heard of; no public data says how much a shop never hears of.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.events.event import Dispute
from floorwalker.simulation.shop.chance import Chance
from floorwalker.simulation.shop.diary import Diary, Entry, Truth
from floorwalker.simulation.shop.scenario import DAY

FRAUD_CODES = {"visa": "10.4", "mastercard": "4837", "amex": "F29", "discover": "UA02"}
"""Reason code of "this was not me" by scheme; other schemes are written like visa's."""
GOODS_CODES = {"visa": ("13.1", "13.3", "13.7"), "mastercard": ("4853",), "amex": ("C08", "C31"), "discover": ("RG",)}
"""Reason codes of complaints about goods."""


@dataclass(frozen=True)
class Discovery:
    """One way in which abuse comes to light.

    Parameters
    ----------
    abuse_type : whose harmful events; "" for honest orders.
    kind : one of `floorwalker.events.outcomes.OUTCOMES`.
    source : one of `floorwalker.events.outcomes.SOURCES`.
    share : of the events (of the orders, for chargebacks) that come to light so.
    days : median delay.
    least_days, most_days : bounds of the delay.
    spread : standard deviation of the delay's logarithm.
    code : of a chargeback: `fraud` or `goods`.
    says : the abuse type that the shop is told, "" where it is told none.
    hides : how much less of it is found with each step of the adversary's skill, as a factor.
    """

    abuse_type: str
    kind: str
    source: str
    share: float
    days: float
    least_days: float = 0.05
    most_days: float = 120.0
    spread: float = 0.8
    code: str = ""
    says: str = ""
    hides: float = 1.0


def _chargeback(abuse_type: str, share: float, code: str = "fraud") -> Discovery:
    return Discovery(abuse_type, "chargeback", "chargeback", share, 24.0, 5.0, 120.0, 0.7, code)


def _alert(abuse_type: str, share: float) -> Discovery:
    return Discovery(abuse_type, "customer_report", "issuer_alert", share, 4.0, 0.5, 40.0, says="payment_fraud")


def _complaint(abuse_type: str, share: float) -> Discovery:
    return Discovery(abuse_type, "customer_report", "customer", share, 2.0, 0.05, 30.0, says=abuse_type)


def _verdict(abuse_type: str, share: float, hides: float = 0.8) -> Discovery:
    return Discovery(abuse_type, "verdict", "analyst", share, 2.5, 0.1, 30.0, says=abuse_type, hides=hides)


DISCOVERIES: tuple[Discovery, ...] = (
    _chargeback("payment_fraud", 0.50),
    _alert("payment_fraud", 0.25),
    _verdict("payment_fraud", 0.06),
    _chargeback("account_takeover", 0.30),
    _complaint("account_takeover", 0.45),
    _verdict("account_takeover", 0.05),
    _verdict("fake_account", 0.30),
    _verdict("promotion_abuse", 0.28),
    _chargeback("return_abuse", 0.15, "goods"),
    _chargeback("return_abuse", 0.05, "fraud"),
    _verdict("return_abuse", 0.22),
    _verdict("content_abuse", 0.30),
    _complaint("content_abuse", 0.10),
    _verdict("ranking_manipulation", 0.25),
    _verdict("inventory_abuse", 0.30),
    _verdict("scraping", 0.25, 0.7),
    # Honest people complain at their bank, about goods and about names on the statement that they do not know.
    _chargeback("", 0.0012, "goods"),
    _chargeback("", 0.0005, "fraud"),
)
"""Every way in which something comes to light."""

HONEST_DISPUTE = Discovery("", "chargeback", "chargeback", 0.9, 21.0, 8.0, 90.0, 0.4, "goods")
"""Of orders whose parcel never came and whose buyers asked in vain (the scene `honest_dispute`)."""

AUDITS: dict[str, tuple[str, float]] = {
    "review": ("content_abuse", 0.03),
    "order": ("payment_fraud", 0.003),
    "refund_requested": ("return_abuse", 0.04),
    "coupon_redeem": ("promotion_abuse", 0.006),
    "sign_up": ("fake_account", 0.006),
    "login_succeeded": ("account_takeover", 0.0005),
    "listing": ("content_abuse", 0.05),
    "rating": ("ranking_manipulation", 0.01),
    "checkout": ("inventory_abuse", 0.001),
}
"""Type of honest event -> what an analyst looks for in it, and the share of such events that are looked at."""

WRONG_VERDICTS = 0.06
"""Share of verdicts that say the contrary of the truth."""
CONTESTED, WON = 0.4, 0.3
"""Share of chargebacks that the shop answers, and of those the share that it wins."""
MOST_AUDITED = 0.2
"""Most of the honest events of one type that are looked at for one kind of abuse."""
PAID: tuple[str, ...] = (
    "order", "payment_authorised", "payment_captured", "top_up", "refund_requested", "refund_issued", "return",
)  # fmt: skip
"""Events behind which money moved: nobody takes back what a bank declined."""
_SKILLS = {"": 0, "naive": 0, "skilled": 1, "advanced": 2, "expert": 3}

LETTERS = {"chargeback": "dispute_chargeback", "dispute_won": "dispute_won"}
"""Kind of outcome -> the type of the bank's letter that tells of it."""

SCHEMA = {
    "at": pl.Int64, "kind": pl.String, "source": pl.String, "event": pl.String, "order": pl.String,
    "account": pl.String, "item": pl.String, "scheme": pl.String, "reason_code": pl.String, "abuse_type": pl.String,
    "value": pl.Float64, "amount_minor": pl.Int64,
}  # fmt: skip
"""Columns of the outcomes; `abuse_type` and `value` are what the source says, null where it says nothing."""
_READ = ("id", "at", "type", "account", "order", "item", "payment", "amount_minor", "currency", "card.scheme")


@dataclass
class Outcomes:
    """What became known.

    Parameters
    ----------
    table : the outcomes in the order of their times, columns of `SCHEMA`; many lie after the end of the events.
    entries : the bank's letters (`dispute_chargeback`, `dispute_won`) that arrive before the end.
    """

    table: pl.DataFrame
    entries: list[Entry] = field(default_factory=list)


@dataclass
class Carried:
    """What is carried from one call of `make_outcomes` to the next where events are looked at piece by piece.

    Parameters
    ----------
    owed : (type of event, abuse type) -> verdicts on honest events that are still due; below 0 for too many.
    disputed : orders that a letter has been written about; "" for purchases without one.
    """

    owed: dict[tuple[str, str], int] = field(default_factory=dict)
    disputed: set[str] = field(default_factory=set)


def make_outcomes(
    events: pl.DataFrame,
    truth: pl.DataFrame,
    chance: Chance,
    *,
    end_at: int,
    refused: Collection[str] = (),
    carried: Carried | None = None,
) -> Outcomes:
    """What the shop will hear of these events.

    Parameters
    ----------
    events : one row an event, with the columns `id`, `at`, `type` and, where there are any, `account`, `order`,
        `item`, `payment`, `amount_minor`, `currency`, `card.scheme`. All events of an order are in the same call,
        unless something is carried; then the caller has filled in the order's `card.scheme`.
    truth : one row an event: `id`, `abuse_type`, `phase`, `skill`, `segment` where honest disputes are to be heard
        of, and `campaign` where letters are to say to which one's order they belong.
    chance : the draws are functions of seed and event id.
    end_at : letters that come later are in the table only.
    refused : ids of events that the shop did not let happen: nothing is ever heard of them.
    carried : the same in every call for one shop whose events come piece by piece, in the order of time.
    """
    carried = Carried() if carried is None else carried
    missing = [pl.lit(None, pl.String).alias(name) for name in _READ if name not in events.columns]
    known = events.with_columns(missing).select(_READ).join(truth, on="id", how="inner").sort("at", "id")
    if refused:
        known = known.filter(~pl.col("id").is_in(list(refused)))
    known = known.with_columns(pl.Series("number", _numbers(known["id"]), pl.UInt64))
    known = _with_schemes(known)
    harmful = known.filter(pl.col("phase") == "harmful")
    bought = known.filter((pl.col("type") == "order") & (pl.col("phase") == ""))
    tables = []
    for place, discovery in enumerate(DISCOVERIES):
        rows = harmful.filter(pl.col("abuse_type") == discovery.abuse_type) if discovery.abuse_type else bought
        tables.append(_discover(rows, discovery, f"outcome/{place}", chance))
    if "segment" in truth.columns:
        wronged = bought.filter(pl.col("segment") == "honest_dispute")
        tables.append(_discover(wronged, HONEST_DISPUTE, "outcome/honest dispute", chance))
    tables += [_refunds(known), *_audits(known, chance), *_acquittals(pl.concat(tables), known, chance, carried)]
    table = pl.concat(tables).unique(["event", "kind", "source", "order"], keep="first", maintain_order=True)
    letters = table.filter(pl.col("kind") == "chargeback").unique("order", keep="first", maintain_order=True)
    named = letters["order"].fill_null("")
    letters = letters.filter(~named.is_in(list(carried.disputed)))
    carried.disputed.update(named)
    answered = _answers(letters, chance)
    table = pl.concat([table, answered]).sort("at", "event", "kind")
    return Outcomes(table, _letters(pl.concat([letters, answered]), known, end_at))


def _with_schemes(known: pl.DataFrame) -> pl.DataFrame:
    """The scheme of an order's card beside every event of the order: a letter of the bank names it."""
    paid = known.filter(pl.col("order").is_not_null() & pl.col("card.scheme").is_not_null())
    schemes = paid.unique("order", keep="first", maintain_order=True).select("order", pl.col("card.scheme").alias("/"))
    joined = known.join(schemes, on="order", how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("card.scheme", "/").alias("card.scheme")).drop("/")


def _numbers(ids: pl.Series) -> NDArray[np.uint64]:
    """A number for each id: a polynomial of its characters, the same in every process and among any others."""
    text = np.array(ids.to_list() or [""], dtype=np.bytes_)
    codes = text.view(np.uint8).reshape(len(text), -1).astype(np.uint64)
    value = np.zeros(len(text), np.uint64)
    for column in codes.T:
        # Shorter ids are filled up with zeros to the length of the longest.
        value = np.where(column > 0, value * np.uint64(0x100000001B3) + column, value)
    return value[: len(ids)]


def _discover(rows: pl.DataFrame, discovery: Discovery, what: str, chance: Chance) -> pl.DataFrame:
    if not len(rows):
        return pl.DataFrame(schema=SCHEMA)
    if discovery.kind == "chargeback":
        rows = rows.filter(pl.col("type").is_in(PAID))
        # A card is charged once for an order, however many events tell of it.
        rows = rows.filter(pl.col("order").is_not_null() | pl.col("payment").is_not_null())
        rows = rows.unique(["order", "payment"], keep="first", maintain_order=True)
    numbers = rows["number"].to_numpy()
    skill = rows["skill"].replace_strict(_SKILLS, default=0, return_dtype=pl.Float64).to_numpy()
    found = chance.uniform(what, numbers) < discovery.share * discovery.hides**skill if len(rows) else np.zeros(0, bool)
    rows, numbers = rows.filter(pl.Series(found, dtype=pl.Boolean)), numbers[found]
    if not len(rows):
        return pl.DataFrame(schema=SCHEMA)
    days = discovery.days * np.exp(discovery.spread * chance.normal(f"{what}/delay", numbers))
    wait = np.clip(days, discovery.least_days, discovery.most_days) * DAY
    wrong = (chance.uniform(f"{what}/wrong", numbers) < WRONG_VERDICTS) & (discovery.kind == "verdict")
    made = rows.with_columns(
        pl.Series("at", rows["at"].to_numpy() + wait.astype(np.int64)),
        pl.lit(discovery.kind).alias("kind"),
        pl.lit(discovery.source).alias("source"),
        pl.col("id").alias("event"),
        pl.col("card.scheme").alias("scheme"),
        pl.lit(discovery.says or None, pl.String).alias("abuse_type"),
        pl.Series("value", np.where(wrong, 0.0, 1.0)) if discovery.says else pl.lit(None, pl.Float64).alias("value"),
    )
    codes = _codes(made["scheme"], discovery.code, chance.uniform(f"{what}/code", numbers))
    return made.with_columns(pl.Series("reason_code", codes, pl.String)).select(_cast(SCHEMA))


def _codes(schemes: pl.Series, code: str, draws: NDArray[np.float64]) -> list[str | None]:
    if not code:
        return [None] * len(schemes)
    if code == "fraud":
        return [FRAUD_CODES.get(scheme, FRAUD_CODES["visa"]) for scheme in schemes]
    choices = [GOODS_CODES.get(scheme, GOODS_CODES["visa"]) for scheme in schemes]
    return [among[int(draw * len(among))] for among, draw in zip(choices, draws.tolist(), strict=True)]


def _refunds(known: pl.DataFrame) -> pl.DataFrame:
    """Every refund that the shop gave is known to it at once."""
    rows = known.filter(pl.col("type") == "refund_issued")
    return rows.with_columns(
        pl.lit("refund").alias("kind"),
        pl.lit("customer").alias("source"),
        pl.col("id").alias("event"),
        pl.col("card.scheme").alias("scheme"),
        pl.lit(None, pl.String).alias("reason_code"),
        pl.lit(None, pl.String).alias("abuse_type"),
        pl.lit(None, pl.Float64).alias("value"),
    ).select(_cast(SCHEMA))


def _audits(known: pl.DataFrame, chance: Chance) -> list[pl.DataFrame]:
    """What analysts say of honest events: mostly that they are honest."""
    tables = []
    for kind, (abuse_type, share) in AUDITS.items():
        rows = known.filter((pl.col("type") == kind) & (pl.col("phase") == ""))
        audit = Discovery("", "verdict", "analyst", share, 2.5, 0.1, 30.0, says=abuse_type)
        found = _discover(rows, audit, f"audit/{kind}", chance)
        tables.append(found.with_columns((1.0 - pl.col("value")).alias("value")))
    return tables


def _acquittals(found: pl.DataFrame, known: pl.DataFrame, chance: Chance, carried: Carried) -> list[pl.DataFrame]:
    """Verdicts on honest events of the kinds that are found guilty, two for each: whoever looks, looks at both.

    Else that somebody was looked at for something would tell that he did it.
    """
    guilty = found.filter(pl.col("kind") == "verdict").select("abuse_type", id="event")
    counts = guilty.join(known.select("id", "type"), on="id").group_by("type", "abuse_type").len()
    owed, tables = carried.owed, []
    for kind, abuse_type, count in counts.iter_rows():
        if AUDITS.get(kind, ("", 0.0))[0] != abuse_type:
            owed[kind, abuse_type] = owed.get((kind, abuse_type), 0) + 2 * count
    for (kind, abuse_type), count in sorted(owed.items()):
        rows = known.filter((pl.col("type") == kind) & (pl.col("phase") == ""))
        share = min(MOST_AUDITED, max(count, 0) / max(len(rows), 1))
        audit = Discovery("", "verdict", "analyst", share, 2.5, 0.1, 30.0, says=abuse_type)
        drawn = _discover(rows, audit, f"audit/{kind}/{abuse_type}", chance)
        owed[kind, abuse_type] = count - len(drawn)
        tables.append(drawn.with_columns((1.0 - pl.col("value")).alias("value")))
    return tables


def _answers(letters: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """The shop answers some chargebacks and wins some of those; of those that it loses it hears nothing new."""
    if not len(letters):
        return letters
    numbers = _numbers(letters["event"])
    answered = chance.uniform("representment", numbers) < CONTESTED
    won = chance.uniform("representment/won", numbers) < WON
    wait = ((20 + 25 * chance.uniform("representment/delay", numbers)) * DAY).astype(np.int64)
    return letters.with_columns(
        pl.Series("at", letters["at"].to_numpy() + wait), pl.lit("dispute_won").alias("kind")
    ).filter(pl.Series(answered & won))


def _letters(letters: pl.DataFrame, known: pl.DataFrame, end_at: int) -> list[Entry]:
    campaign = "campaign" if "campaign" in known.columns else pl.lit(-1).alias("campaign")
    facts = known.select(campaign, event="id", payment="payment", currency="currency")
    soon = letters.filter(pl.col("at") < end_at).join(facts, on="event", how="left", maintain_order="left")
    diary = Diary(Truth())
    for row in soon.iter_rows(named=True):
        named = row["order"] or row["payment"] or row["event"]
        diary.write(
            LETTERS[row["kind"]],
            row["at"],
            # It is the bank's, neither a customer's nor an adversary's; the campaign is that of the order.
            truth=Truth(campaign=row["campaign"], segment="bank"),
            account=row["account"],
            order=row["order"],
            payment=row["payment"],
            amount_minor=row["amount_minor"],
            currency=row["currency"],
            dispute=Dispute(id=f"case-{named}", scheme=row["scheme"] or "visa", reason_code=row["reason_code"]),
        )
    return diary.entries


def _cast(schema: dict[str, type[pl.DataType]]) -> list[pl.Expr]:
    return [pl.col(name).cast(kind) for name, kind in schema.items()]
