"""How many decimal places an amount of a currency has.

>>> exponent("EUR"), exponent("JPY"), exponent("KWD")
(2, 0, 3)

Source: ISO 4217, list one (active codes), amendment 176; the four fund codes of Chile and Uruguay included.
"""

from __future__ import annotations

from types import MappingProxyType

_BY_PLACES = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
    2: (
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE "
        "CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL "
        "HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR "
        "MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK "
        "SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD "
        "XCG YER ZAR ZMW ZWG"
    ),
}

EXPONENTS = MappingProxyType({code: places for places, codes in _BY_PLACES.items() for code in codes.split()})
"""Decimal places by currency code."""


def exponent(currency: str) -> int:
    """Decimal places of this currency's amounts; 2 for a code that the list does not hold."""
    return EXPONENTS.get(currency, 2)
