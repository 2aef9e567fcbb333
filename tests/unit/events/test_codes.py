"""Codes of words: the same wherever they are made, and of one event as of many."""

import msgspec
import numpy as np

from floorwalker.events.batch import TEXT_FIELDS, make_batch
from floorwalker.events.codes import _KNOWN, CODE_NAMES, CODED, code_of, code_rows
from floorwalker.events.entities import EntityKeyer
from floorwalker.events.event import Event, NetworkFacts
from floorwalker.events.identity import Tokeniser
from floorwalker.events.identity.normalise import normalise
from floorwalker.learning.shop.reading import EventReader

NOW = 1_760_000_000_000_000


def test_codes_are_of_texts_that_a_batch_has():
    assert set(CODED) <= set(TEXT_FIELDS)


def test_a_code_is_never_nobody_and_takes_any_text():
    texts = ["", "web", "grün", "\ud800", "x" * 5000]
    assert len({code_of(text) for text in texts} | {code_of(None)}) == len(texts) + 1
    assert all(code_of(text) > 0 for text in texts)


def test_one_event_has_the_codes_that_it_has_among_others():
    keyer = EntityKeyer(bytes(16))
    events = [
        Event(id="e-1", type="page_view", at=7, user_agent="curl/8", network=NetworkFacts(kind="hosting")),
        Event(id="e-2", type="order", at=8, reason="late", channel="app"),
        *(Event(id=f"e-{place}", type="logout", at=9) for place in range(3, 40)),
    ]
    whole = code_rows(make_batch(events, keyer))
    for place, event in enumerate(events):
        np.testing.assert_array_equal(code_rows(make_batch([event], keyer))[:, 0], whole[:, place])
    assert whole[CODED.index("network_kind"), 0] == code_of("hosting")
    assert not whole[:, 2:].any()


def test_a_full_table_of_codes_begins_anew(monkeypatch):
    monkeypatch.setattr("floorwalker.events.codes._MOST_KNOWN", 3)
    expected = [code_of(f"word {number}") for number in range(10)]
    assert [code_of(f"word {number}") for number in range(10)] == expected


def test_countries_have_no_case_and_no_country_has_no_code():
    def code(country: str | None, seen: str) -> list[int]:
        event = Event(id="e-1", type="logout", at=9, country=country, network=NetworkFacts(country=seen))
        rows = code_rows(make_batch([event], EntityKeyer(bytes(16))))
        return [int(rows[CODED.index(name), 0]) for name in ("country", "network_country")]

    named, seen = code("DE", "de")
    assert named == seen == code_of("DE")
    assert [code("DE", unknown)[1] for unknown in ("XX", "t1", "EU")] == [0, 0, 0]


def test_long_and_ever_new_texts_are_not_kept():
    before = len(_KNOWN)
    texts = [str(number) * 300 for number in range(10)]
    assert len({code_of(text) for text in texts}) == 10
    events = [Event(id=f"e-{n}", type="page_view", at=9, session="s", referrer=f"/from/{n}") for n in range(10)]
    assert (code_rows(make_batch(events, EntityKeyer(bytes(16))))[CODED.index("referrer")] == 1).all()
    assert len(_KNOWN) == before


def test_records_have_the_codes_of_their_texts():
    street = {"postal_code": "LS1 4AP", "country": "GB"}
    sent = {
        "id": "e-1", "type": "checkout", "at": NOW, "account": "a-1", "amount_minor": 100, "currency": "EUR",
        "user_agent": "Schön/1", "language": "de-DE", "channel": "app",
        "country": "DE", "referrer": "/start", "shipping_method": "locker", "reason": "none", "phone": "+442079460000",
        "network": {"ja4": "t13d", "kind": "mobile", "country": "fr"},
        "card": {"funding": "debit", "issuer_country": "PL"},
        "device_facts": {"kind": "phone", "os": "ios", "screen": "390x844", "fingerprint": "f-1"},
        "shipping_address": {"street": "12 High Street", **street},
        "billing_address": {"street": "13 High Street", **street},
    }  # fmt: skip
    packed, faults = EventReader().read([sent])
    event, _ = normalise(msgspec.convert(sent, Event), Tokeniser(bytes(32)))
    expected = code_rows(make_batch([event], EntityKeyer(bytes(16))))
    assert not faults
    np.testing.assert_array_equal(code_rows(packed), expected)
    assert [name for name, code in zip(CODED, expected[:, 0].tolist(), strict=True) if not code] == []
    assert set(CODE_NAMES) < set(packed.keys)
