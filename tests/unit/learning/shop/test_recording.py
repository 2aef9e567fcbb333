"""A history recorded as columns is what the live features saw."""

import json

import numpy as np
import pytest

from floorwalker.errors import ArtefactError, InputError
from floorwalker.features.live import LiveFeatures
from floorwalker.learning.shop.recording import EventReader, is_recorded, open_recording, record

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
