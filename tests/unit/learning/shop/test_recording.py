"""A history recorded as columns is what the live features saw."""

import json

import numpy as np
import polars as pl
import pytest

from floorwalker.errors import ArtefactError, InputError
from floorwalker.events.frames import nest_rows
from floorwalker.events.types import EVENT_TYPES
from floorwalker.features.live import LiveFeatures
from floorwalker.learning.shop.reading import EventReader
from floorwalker.learning.shop.recording import is_recorded, open_recording, record, record_frames

START = 1_760_000_000_000_000
MINUTE = 60_000_000


def history(count: int = 120) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for number in range(count):
        row: dict[str, object] = {
            "id": f"e-{number}", "type": ("login_succeeded", "order", "review")[number % 3],
            "at": START + number * MINUTE, "account": f"a-{number % 7}", "session": f"s-{number % 11}",
            "device": f"d-{number % 5}", "amount_minor": 100 * number, "currency": "EUR",
        }  # fmt: skip
        if number % 3 == 1:
            row |= {"order": f"o-{number}", "lines": [
                {"item": f"i-{number % 4}", "seller": "x", "quantity": 1, "price_minor": 100 * number},
                {"item": f"i-{number % 5}", "seller": "y", "quantity": 2, "price_minor": 5},
            ]}  # fmt: skip
        if number % 3 == 2:
            row |= {"text": f"nice {number}", "item": f"i-{number % 4}"}
        rows.append(row)
    return rows


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("recorded")
    rows = history()
    record([rows[:50], rows[50:51], rows[51:]], place / "columns")
    return place / "columns"


def test_it_holds_what_live_features_gave(folder):
    recording = open_recording(folder)
    rows = history()
    batch, faults = EventReader().read(rows)
    features = LiveFeatures(seed=1).advance(batch)
    assert not faults
    np.testing.assert_array_equal(recording.features, features.values)
    events, again = recording.batch(0, len(recording))
    np.testing.assert_array_equal(events.keys["account"], batch.keys["account"])
    np.testing.assert_array_equal(events.keys["route"], batch.keys["route"])
    np.testing.assert_array_equal(events.parts.key, batch.parts.key)
    np.testing.assert_array_equal(events.parts.row, batch.parts.row)
    np.testing.assert_array_equal(again.values, features.values)
    np.testing.assert_allclose(events.numbers["amount_minor"], batch.numbers["amount_minor"])


def test_pieces_of_it_are_the_whole_in_order(folder):
    recording = open_recording(folder)
    pieces = [(place, events, features) for place, events, features in recording.batches(size=17)]
    assert sum(len(events) for _, events, _ in pieces) == len(recording) == 120
    np.testing.assert_array_equal(np.concatenate([features.values for _, _, features in pieces]), recording.features)
    for place, events, _ in pieces:
        assert (events.parts.row < place.stop - place.start).all()
        np.testing.assert_array_equal(events.at, recording.at[place])


def test_names_and_texts_are_kept_beside(folder):
    recording = open_recording(folder)
    assert recording.named()["id"].to_list() == [f"e-{number}" for number in range(120)]
    assert recording.named()["order"][4] == "o-4"
    texts = recording.texts()
    assert texts["row"].to_list()[:2] == [2, 5]
    assert texts["text"][0] == "nice 2"
    events, _ = recording.batch(1, 10)
    assert events.texts["written"] == [None, "nice 2", None, None, "nice 5", None, None, "nice 8", None]
    assert events.texts["currency"][1] == "EUR"
    assert events.texts["currency"][0] is None


ODD = 'say "hi", \\ {"a":null}, \n\t 🙂 [null] ,"at":null'


def table(count: int = 240) -> pl.DataFrame:
    """Events of every type, with records and lists, texts that look like JSON, and nulls in odd places."""
    number = pl.int_range(count, eager=True).to_list()
    sometimes = lambda value, step: [value(n) if n % step else None for n in number]  # noqa: E731
    return pl.DataFrame({
        "id": [f"e-{n}" for n in number],
        "type": [EVENT_TYPES[n % len(EVENT_TYPES)].name for n in number],
        "at": [START + n * MINUTE for n in number],
        "account": [f"a-{n % 7}" for n in number], "session": [f"s-{n % 5}" for n in number],
        "device": sometimes(lambda n: f"d-{n % 9}", 4), "order": [f"o-{n}" for n in number],
        "item": [f"i-{n % 6}" for n in number], "seller": ["seller"] * count,
        "payment": [f"p-{n % 8}" for n in number], "recipient": ["a-1"] * count, "inviter": ["a-2"] * count,
        "ip": sometimes(lambda n: f"203.0.113.{n % 200}" if n % 2 else f"2001:db8:{n:x}::1", 3),
        "email": sometimes(lambda n: f"jane{n}@example.com", 2), "phone": sometimes(lambda n: f"+4479111{n:05}", 5),
        "amount_minor": [100 * n for n in number], "currency": ["EUR"] * count, "rating": [n % 5 / 4 for n in number],
        "country": ["DE"] * count, "quantity": [1] * count, "result": ["passed"] * count, "method": ["sms"] * count,
        "text": sometimes(lambda n: ODD if n % 2 else "", 3), "url": [f"/x?q={n}" for n in number],
        "reason": ["why"] * count, "group": ["g"] * count, "promotion": ["p"] * count,
        "status": [200 + 900 * (n == 100) for n in number],
        "coupons": [["TEN", "TWO"][: n % 3] if n % 4 else None for n in number],
        "lines": [
            [{"item": "i-1", "seller": None, "quantity": n}, {"item": f"i-{n}", "seller": "y", "quantity": None}]
            if n % 3 else None for n in number
        ],
        "card.scheme": sometimes(lambda n: "visa", 4), "card.last_four": sometimes(lambda n: "4242", 8),
        "device_facts.kind": sometimes(lambda n: "phone", 2), "network.asn": sometimes(lambda n: n, 2),
        "shipping_address.city": sometimes(lambda n: ODD[:20], 3), "dispute.kind": ["chargeback"] * count,
        "signals.key_gap_ms": sometimes(lambda n: n / 7, 2), "balance_kind": ["points"] * count,
    })  # fmt: skip


def test_tables_and_dictionaries_give_the_same_recording(tmp_path):
    frame = table()
    one = record_frames([frame[:100], frame[100:101], frame[101:]], tmp_path / "frames")
    rows = nest_rows(frame)
    other = record([rows[:100], rows[100:101], rows[101:]], tmp_path / "rows")
    assert len(one) > 200
    assert one.left_out == other.left_out > 0
    assert sorted(file.name for file in one.folder.iterdir()) == sorted(file.name for file in other.folder.iterdir())
    for file in one.folder.iterdir():
        assert file.read_bytes() == (other.folder / file.name).read_bytes(), file.name
    assert one.texts()["text"].to_list().count(ODD) > 40
    assert one.named()["scheme"].null_count() < len(one)


def test_a_table_that_holds_no_events_is_refused(tmp_path):
    with pytest.raises(InputError, match="no column 'at'"):
        record_frames([pl.DataFrame({"id": ["e"], "type": ["logout"]})], tmp_path / "one")
    with pytest.raises(InputError, match="the column 'at' holds String"):
        record_frames([pl.DataFrame({"id": ["e"], "type": ["logout"], "at": ["now"]})], tmp_path / "two")


def test_what_is_no_event_is_left_out_and_counted(tmp_path):
    rows = history(6)
    rows[2] = rows[2] | {"amount_minor": -5}
    recording = record([rows], tmp_path / "columns")
    assert len(recording) == 5
    assert recording.left_out == 1
    assert "amount_minor" in recording.first_fault
    assert "e-2" not in recording.named()["id"].to_list()


def test_nothing_to_record_is_said(tmp_path):
    with pytest.raises(InputError, match="there are no events"):
        record([], tmp_path / "none")
    with pytest.raises(InputError, match="none of 1 events can be read"):
        record([[{"id": "e-1", "type": "order", "at": -1}]], tmp_path / "bad")


def test_a_recording_of_other_features_or_half_of_one_is_refused(folder, tmp_path):
    assert is_recorded(folder)
    assert not is_recorded(tmp_path)
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in folder.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    facts = json.loads((copy / "recording.json").read_text())
    (copy / "recording.json").write_text(json.dumps(facts | {"features": ["other"]}))
    with pytest.raises(ArtefactError, match="other columns"):
        open_recording(copy)
    (copy / "recording.json").write_text(json.dumps(facts))
    (copy / "keys").write_bytes((copy / "keys").read_bytes()[:-8])
    with pytest.raises(ArtefactError, match="not whole"):
        open_recording(copy)


def test_stragglers_do_not_move_the_edges(tmp_path):
    rows = history(10)
    rows[7] = rows[7] | {"at": START - MINUTE}
    recording = record([rows], tmp_path / "columns")
    assert recording.place_of(START + 5 * MINUTE) == 5
    assert recording.place_of(START + 9 * MINUTE) == 9


def test_events_out_of_order_are_refused_with_the_first(tmp_path):
    rows = history(12)
    rows[7]["at"] = START - 86_400_000_000 + 6 * MINUTE
    # As late as live features still count it.
    assert len(record([rows[:5], rows[5:]], tmp_path / "late")) == 12
    rows[7]["at"] = int(rows[7]["at"]) - 1
    for pieces in ([rows], [rows[:7], rows[7:]]):
        with pytest.raises(InputError, match=r"event 8 \('e-7'.* is out of order.*sort the events by `at`"):
            record(pieces, tmp_path / "unordered")
    assert not is_recorded(tmp_path / "unordered")
