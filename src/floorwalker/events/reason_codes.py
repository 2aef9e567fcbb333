"""What a card scheme's reason code says about abuse.

A chargeback is no proof of fraud: most are complaints about goods, refunds and processing. Only the fraud codes make a
label `payment_fraud`; "the customer says that it never came" is at most a hint of return abuse, and an error of
processing says nothing about anybody.

>>> classify("visa", "10.4").abuse_type, classify("visa", "13.1").abuse_type, classify("Mastercard", "4837").weight
('payment_fraud', None, 1.0)
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from floorwalker.events.outcomes import Label


@dataclass(frozen=True)
class ReasonCode:
    """One code of one scheme.

    Parameters
    ----------
    scheme : `visa`, `mastercard`, `amex` or `discover`.
    code : as the scheme writes it.
    meaning : in our own words.
    abuse_type : the kind of abuse that it is evidence of; None where it is none.
    weight : how much a label made of it counts; 0 where it makes none.
    """

    scheme: str
    code: str
    meaning: str
    abuse_type: str | None = None
    weight: float = 0.0


def _fraud(scheme: str, code: str, meaning: str) -> ReasonCode:
    return ReasonCode(scheme, code, meaning, "payment_fraud", 1.0)


_CODES: tuple[ReasonCode, ...] = (
    _fraud("visa", "10.1", "counterfeit chip card, liability shifted"),
    _fraud("visa", "10.2", "lost or stolen chip card, liability shifted"),
    _fraud("visa", "10.3", "other fraud with the card present"),
    _fraud("visa", "10.4", "other fraud without the card"),
    _fraud("visa", "10.5", "reported by the scheme's fraud monitoring"),
    ReasonCode("visa", "11.1", "card stood in the recovery bulletin"),
    ReasonCode("visa", "11.2", "authorisation was declined"),
    ReasonCode("visa", "11.3", "no authorisation, or too late"),
    ReasonCode("visa", "12.1", "presented too late"),
    ReasonCode("visa", "12.2", "wrong transaction code"),
    ReasonCode("visa", "12.3", "wrong currency"),
    ReasonCode("visa", "12.4", "wrong account number"),
    ReasonCode("visa", "12.5", "wrong amount"),
    ReasonCode("visa", "12.6", "charged twice, or paid by other means"),
    ReasonCode("visa", "12.6.1", "charged twice"),
    ReasonCode("visa", "12.6.2", "paid by other means"),
    ReasonCode("visa", "12.7", "invalid data"),
    ReasonCode("visa", "13.1", "goods or services not received"),
    ReasonCode("visa", "13.2", "cancelled subscription charged"),
    ReasonCode("visa", "13.3", "not as described, or defective"),
    ReasonCode("visa", "13.4", "counterfeit goods"),
    ReasonCode("visa", "13.5", "misrepresented"),
    ReasonCode("visa", "13.6", "credit not processed"),
    ReasonCode("visa", "13.7", "cancelled goods or services"),
    ReasonCode("visa", "13.8", "original credit not accepted"),
    ReasonCode("visa", "13.9", "cash not received"),
    ReasonCode("visa", "33", "request for papers to look into a fraud"),
    _fraud("visa", "57", "several fraudulent transactions, until 2018"),
    _fraud("visa", "62", "counterfeit card, until 2018"),
    ReasonCode("visa", "70", "card stood in the recovery bulletin, until 2018"),
    ReasonCode("visa", "71", "authorisation was declined, until 2018"),
    ReasonCode("visa", "72", "no authorisation, until 2018"),
    ReasonCode("visa", "73", "expired card, until 2018"),
    ReasonCode("visa", "75", "the cardholder does not recognise it, until 2018", "payment_fraud", 0.5),
    _fraud("visa", "81", "fraud with the card present, until 2018"),
    _fraud("visa", "83", "fraud without the card, until 2018"),
    _fraud("visa", "93", "reported by the scheme's fraud monitoring, until 2018"),
    ReasonCode("mastercard", "4801", "papers asked for did not come"),
    ReasonCode("mastercard", "4802", "papers asked for cannot be read"),
    ReasonCode("mastercard", "4835", "card not valid or expired"),
    _fraud("mastercard", "4847", "no authorisation, and a fraudulent transaction"),
    _fraud("mastercard", "4837", "the cardholder did not authorise it"),
    _fraud("mastercard", "4840", "fraudulent processing of transactions"),
    ReasonCode("mastercard", "4849", "questionable activity of the merchant"),
    ReasonCode("mastercard", "4863", "the cardholder does not recognise it", "payment_fraud", 0.5),
    _fraud("mastercard", "4870", "chip liability shift"),
    _fraud("mastercard", "4871", "chip and PIN liability shift, lost or stolen card"),
    ReasonCode("mastercard", "4807", "warning bulletin"),
    ReasonCode("mastercard", "4808", "authorisation"),
    ReasonCode("mastercard", "4812", "account number not on file"),
    ReasonCode("mastercard", "4831", "wrong amount, or paid by other means"),
    ReasonCode("mastercard", "4834", "error at the point of sale: charged twice, wrong amount or currency"),
    ReasonCode("mastercard", "4841", "cancelled recurring or digital goods"),
    ReasonCode("mastercard", "4842", "presented too late"),
    ReasonCode("mastercard", "4846", "wrong currency"),
    ReasonCode("mastercard", "4850", "credit posted as a purchase, or instalment dispute"),
    ReasonCode("mastercard", "4853", "cardholder dispute: goods, services, refunds"),
    ReasonCode("mastercard", "4854", "cardholder dispute not elsewhere classified"),
    ReasonCode("mastercard", "4855", "goods or services not provided"),
    ReasonCode("mastercard", "4859", "no-show, addendum or cash not dispensed"),
    ReasonCode("mastercard", "4860", "credit not processed"),
    _fraud("amex", "F10", "missing imprint"),
    _fraud("amex", "F14", "missing signature"),
    _fraud("amex", "F24", "no card member authorisation"),
    _fraud("amex", "F29", "card not present"),
    _fraud("amex", "F30", "counterfeit chip card"),
    _fraud("amex", "F31", "lost or stolen chip card"),
    _fraud("amex", "FR2", "fraud full recourse programme"),
    # These two let every dispute through at once, whatever its reason: they are the merchant's history, no evidence.
    ReasonCode("amex", "FR4", "immediate chargeback programme"),
    ReasonCode("amex", "FR6", "partial immediate chargeback programme"),
    _fraud("amex", "4540", "card not present, in the older numbers"),
    ReasonCode("amex", "4513", "credit not processed, in the older numbers"),
    ReasonCode("amex", "4554", "goods or services not received, in the older numbers"),
    ReasonCode("amex", "A01", "amount above the authorised one"),
    ReasonCode("amex", "A02", "no valid authorisation"),
    ReasonCode("amex", "A08", "authorisation expired"),
    ReasonCode("amex", "C02", "credit not processed"),
    ReasonCode("amex", "C04", "goods returned or refused"),
    ReasonCode("amex", "C05", "goods or services cancelled"),
    ReasonCode("amex", "C08", "goods or services not received"),
    ReasonCode("amex", "C14", "paid by other means"),
    ReasonCode("amex", "C18", "no-show or deposit cancelled"),
    ReasonCode("amex", "C28", "cancelled recurring billing"),
    ReasonCode("amex", "C31", "not as described"),
    ReasonCode("amex", "C32", "damaged or defective"),
    ReasonCode("amex", "M10", "vehicle rental damages"),
    ReasonCode("amex", "M49", "vehicle rental theft or loss of use"),
    ReasonCode("amex", "P01", "unassigned card number"),
    ReasonCode("amex", "P03", "processed as a charge instead of a credit"),
    ReasonCode("amex", "P04", "processed as a credit instead of a charge"),
    ReasonCode("amex", "P05", "wrong amount"),
    ReasonCode("amex", "P07", "submitted late"),
    ReasonCode("amex", "P08", "charged twice"),
    ReasonCode("amex", "P22", "card numbers do not match"),
    ReasonCode("amex", "P23", "wrong currency"),
    ReasonCode("amex", "R03", "incomplete reply to an inquiry"),
    ReasonCode("amex", "R13", "no reply to an inquiry"),
    _fraud("discover", "UA01", "fraud with the card present"),
    _fraud("discover", "UA02", "fraud without the card"),
    _fraud("discover", "UA05", "counterfeit chip card"),
    _fraud("discover", "UA06", "chip and PIN, lost or stolen"),
    _fraud("discover", "UA10", "request for a sales slip, card present"),
    _fraud("discover", "UA11", "no signature on the slip"),
    _fraud("discover", "UA12", "invalid signature on the slip"),
    ReasonCode("discover", "AA", "the cardholder does not recognise it", "payment_fraud", 0.5),
    _fraud("discover", "7010", "fraud with the card present, in the older numbers"),
    _fraud("discover", "7030", "fraud without the card, in the older numbers"),
    _fraud("discover", "4866", "counterfeit chip card, in the older numbers"),
    _fraud("discover", "4867", "chip and PIN, in the older numbers"),
    ReasonCode("discover", "4752", "the cardholder does not recognise it, in the older numbers", "payment_fraud", 0.5),
    ReasonCode("discover", "DA", "authorisation was declined"),
    ReasonCode("discover", "AP", "recurring payments cancelled"),
    ReasonCode("discover", "AT", "authorisation not complied with"),
    ReasonCode("discover", "AW", "altered amount"),
    ReasonCode("discover", "CD", "credit posted as a charge"),
    ReasonCode("discover", "DP", "charged twice"),
    ReasonCode("discover", "EX", "expired card"),
    ReasonCode("discover", "IC", "illegible sales data"),
    ReasonCode("discover", "IN", "invalid card number"),
    ReasonCode("discover", "LP", "late presentment"),
    ReasonCode("discover", "NA", "no authorisation"),
    ReasonCode("discover", "NC", "not classified"),
    ReasonCode("discover", "NF", "cash not received"),
    ReasonCode("discover", "PM", "paid by other means"),
    ReasonCode("discover", "RG", "goods or services not received"),
    ReasonCode("discover", "RM", "quality of goods or services"),
    ReasonCode("discover", "RN2", "credit not processed"),
)

REASON_CODES = MappingProxyType({(entry.scheme, entry.code): entry for entry in _CODES})
"""Every code that we know, by scheme and code."""

_SCHEMES = MappingProxyType(
    {
        "visa": "visa", "vi": "visa", "mastercard": "mastercard", "mc": "mastercard", "maestro": "mastercard",
        "amex": "amex", "americanexpress": "amex", "ax": "amex", "discover": "discover", "diners": "discover",
        "dinersclub": "discover", "ds": "discover",
    }
)  # fmt: skip


def classify(scheme: str, code: str) -> ReasonCode:
    """What a code says; one that we do not know is evidence of nothing.

    Spelling does not matter: `Visa 10.4`, `american express` `f29`, `Mastercard` `04837` are understood.
    """
    name = _SCHEMES.get("".join(filter(str.isalpha, scheme.lower())), scheme.lower())
    bare = code.strip().upper()
    tries = [bare, bare.lstrip("0"), bare.split(" ")[-1]]
    for attempt in tries:
        found = REASON_CODES.get((name, attempt))
        if found is not None:
            return found
    return ReasonCode(name, bare, "unknown code")


def label_chargeback(scheme: str, code: str, *, order: str, observed_at: int, shop: str = "default") -> Label | None:
    """The label that a chargeback makes of an order, mature at once; None where its code is no evidence of abuse.

    >>> label_chargeback("visa", "10.4", order="o-1", observed_at=5).abuse_type
    'payment_fraud'
    >>> label_chargeback("visa", "13.1", order="o-1", observed_at=5) is None
    True
    """
    found = classify(scheme, code)
    if found.abuse_type is None:
        return None
    return Label(
        shop=shop, subject_kind="order", subject=order, abuse_type=found.abuse_type, value=1.0, source="chargeback",
        observed_at=observed_at, matures_at=observed_at, weight=found.weight, reason=f"{found.scheme}:{found.code}",
    )  # fmt: skip
