"""One telephone, one number: E.164, whatever was typed.

>>> read_phone("07911 123456", "GB").canonical, read_phone("+44 (0)7911-123456", None).canonical
('+447911123456', '+447911123456')
>>> phone = read_phone("０１３８ ００１３ ８０００", "CN")
>>> phone.canonical, phone.prefix, phone.country
('+8613800138000', '+861380013', 'CN')
>>> read_phone("call me", "GB").canonical is None
True

Source: ITU-T E.164; the numbering plans are those of the `phonenumbers` package.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from floorwalker.errors import MissingExtraError


@dataclass(frozen=True)
class Phone:
    """What a telephone number says.

    Parameters
    ----------
    canonical : in E.164 form; None where the text holds no number that could be dialled.
    prefix : without its last four digits: numbers are sold and rented in such blocks.
    country : of its numbering plan, ISO 3166 alpha-2; None where several share it and nothing tells which.
    kind : `mobile`, `fixed`, `fixed_or_mobile`, `voip`, `toll_free`, `premium`, `pager`, `personal`, `other`, or
        `invalid` where no operator hands such a number out.
    """

    canonical: str | None
    prefix: str | None = None
    country: str | None = None
    kind: str | None = None


_NOTHING = Phone(None)
_KINDS = (
    "fixed", "mobile", "fixed_or_mobile", "toll_free", "premium", "other", "voip", "personal", "pager", "other",
    "other",
)  # fmt: skip
"""By the values of `phonenumbers.PhoneNumberType` from 0."""


@lru_cache(maxsize=1 << 14)
def read_phone(text: str, region: str | None) -> Phone:
    """The telephone number that a text holds; never raises but `MissingExtraError`.

    Parameters
    ----------
    text : as typed.
    region : ISO 3166 alpha-2 of the country whose habits a number without a country code follows; None for none.
    """
    try:
        import phonenumbers
    except ImportError as error:
        raise MissingExtraError("phonenumbers", "serve") from error
    plain = unicodedata.normalize("NFKC", text).strip()

    def parse(*attempts: tuple[str, str | None]) -> phonenumbers.PhoneNumber | None:
        for attempt, where in attempts:
            try:
                found = phonenumbers.parse(attempt, where)
            except phonenumbers.NumberParseException:
                continue
            if phonenumbers.is_possible_number(found):
                found.extension = None
                return found
        return None

    number = parse((plain, region), ("+" + plain, None))
    canonical = ""
    while number is not None:
        kind = phonenumbers.number_type(number)
        before, canonical = canonical, phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        # A number that no operator hands out may lose a zero each time that it is read: it is what stays.
        if 0 <= kind < len(_KINDS) or canonical == before:
            break
        number = parse((canonical, None))
    if number is None:
        return _NOTHING
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(number.country_code or 0, ())
    country = regions[0] if len(regions) == 1 else phonenumbers.region_code_for_number(number)
    return Phone(
        canonical=canonical,
        prefix=canonical[:-4],
        country=country if country not in (None, "001") else None,
        kind=_KINDS[kind] if 0 <= kind < len(_KINDS) else "invalid",
    )
