"""What a live run keeps of its events, and what comes to light of them."""

from __future__ import annotations

import select
import socket

import msgspec
import numpy as np
import polars as pl
import pytest

from floorwalker.errors import InputError, UsageError
from floorwalker.events.event import CardFacts
from floorwalker.simulation.shop import streamed
from floorwalker.simulation.shop.chance import Chance
from floorwalker.simulation.shop.diary import Diary, Entry, Truth
from floorwalker.simulation.shop.outcomes import make_outcomes
from floorwalker.simulation.shop.scenario import DAY, Scenario
from floorwalker.simulation.shop.streamed import Teller, Witness, is_letter, labels_of
from floorwalker.simulation.shop.streaming import Consequences, Stream
from floorwalker.simulation.shop.world import World

START = 1_761_523_200_000_000
STOLEN = Truth("payment_fraud", "carding", "carding", "naive", 3, "harmful", 4_000)


def orders(count: int, truth: Truth) -> list[Entry]:
    diary = Diary(truth)
    for number in range(count):
        entry = diary.write(
            "order", START + number * 1_000, account=f"a{number}", session=f"s{number}",
            order=f"o{truth.campaign}-{number}", payment=f"p{number}", amount_minor=4_000, currency="EUR",
            card=CardFacts(scheme="visa"),
        )  # fmt: skip
        entry.event = type(entry.event)(
            **{name: getattr(entry.event, name) for name in entry.event.__struct_fields__ if name != "id"},
            id=f"{number * 2654435761 % 2**40:x}{truth.campaign}",
        )
    return diary.entries


@pytest.mark.parametrize("rows", [20_000, 7])
def test_what_was_refused_leaves_no_trace(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamed, "_ROWS", rows)
    witness = Witness(Chance(1))
    entries = orders(600, STOLEN)
    for number, entry in enumerate(entries):
        witness.see(entry, passed=number % 2 == 0)
    found = witness.outcomes(START + 200 * DAY)
    blocked = {entry.event.id for entry in entries[1::2]}
    assert len(found.table) > 100
    assert not blocked & set(found.table["event"])
    assert not {entry.event.order for entry in entries[1::2]} & {entry.event.order for entry in found.entries}
    # Of what was let happen the same is heard as if it had been written to a file.
    events = pl.DataFrame(
        [{"id": one.event.id, "at": one.event.at, "type": "order", "account": one.event.account,
          "order": one.event.order, "payment": one.event.payment, "amount_minor": 4_000, "currency": "EUR",
          "card.scheme": "visa"} for one in entries]
    )  # fmt: skip
    truth = events.select("id", abuse_type=pl.lit("payment_fraud"), phase=pl.lit("harmful"), skill=pl.lit("naive"))
    written = make_outcomes(events, truth, Chance(1), end_at=START, refused=blocked).table
    assert found.table.equals(written)


@pytest.mark.parametrize("size", [90, 400])
def test_piece_by_piece_the_same_comes_to_light(size: int) -> None:
    entries = [*orders(300, STOLEN), *orders(2_000, Truth(segment="regular"))]
    end_at = START + 60 * DAY
    whole, pieces = Witness(Chance(1)), Witness(Chance(1))
    for entry in entries:
        whole.see(entry, passed=True)
    expected = whole.outcomes(end_at)
    found = []
    for start in range(0, len(entries), size):
        for entry in entries[start : start + size]:
            pieces.see(entry, passed=True)
        found.append(pieces.outcomes(end_at))
    assert len(expected.table) > 200
    assert pl.concat([one.table for one in found]).sort("at", "event", "kind").equals(expected.table)
    letters = [
        sorted((one.event.at, str(one.event.order)) for one in some)
        for some in ([entry for one in found for entry in one.entries], expected.entries)
    ]
    assert letters[0] == letters[1]
    assert len(letters[0]) > 100


def test_as_many_honest_verdicts_are_owed_however_small_the_pieces() -> None:
    """An hour with one guilty order and three honest ones cannot pay what is owed; the next hours do."""
    scalped = Truth("inventory_abuse", "scalping", "scalping", "naive", 3, "harmful", 100)
    bad, good = orders(320, scalped), orders(6_400, Truth(segment="regular"))
    witness = Witness(Chance(2))
    tables = []
    for start in range(0, len(bad), 8):
        for one in (*bad[start : start + 8], *good[20 * start : 20 * start + 160]):
            witness.see(one, passed=True)
        tables.append(witness.outcomes(START).table)
    verdicts = pl.concat(tables).filter(pl.col("kind") == "verdict", pl.col("abuse_type") == "inventory_abuse")
    guilty = verdicts.filter(pl.col("event").is_in([entry.event.id for entry in bad]))
    assert len(guilty) > 50
    assert abs(len(verdicts) - 3 * len(guilty)) <= 0.05 * len(verdicts)


def test_letters_name_the_scheme_of_a_card_that_was_seen_before() -> None:
    witness = Witness(Chance(1))
    paid = orders(400, Truth(segment="regular"))
    for entry in paid:
        entry.event = msgspec.structs.replace(entry.event, card=CardFacts(scheme="mastercard"))
        witness.see(entry, passed=True)
    witness.outcomes(START)
    diary = Diary(Truth("return_abuse", "refund_only", "refund_only", "naive", 3, "harmful", 4_000))
    for entry in paid:
        claim = diary.write("refund_requested", START + DAY, order=entry.event.order, account=entry.event.account)
        claim.event = msgspec.structs.replace(claim.event, id=f"c{entry.event.id}")
        witness.see(claim, passed=True)
    letters = witness.outcomes(START + 200 * DAY).table.filter(pl.col("kind") == "chargeback")
    assert len(letters) > 20
    assert set(letters["scheme"]) == {"mastercard"}


def test_nobody_waits_for_a_server_that_does_not_answer() -> None:
    """Events go on while one answer is waited for, and what is handed over does not pile up."""
    witness = Witness(Chance(1))
    paid = orders(400, STOLEN)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        teller = Teller(
            witness, f"http://127.0.0.1:{silent.getsockname()[1]}", "k", shop="default",
            names=np.random.default_rng(1), end_at=START + 90 * DAY,
        )  # fmt: skip
        for entry in paid:
            witness.see(entry, passed=True)
        passes = after = 0
        while after < 1_000:
            # A day passes each time: had anybody to wait for the answer, this would never end.
            teller.pass_to(START + passes * DAY)
            assert teller._jobs.qsize() <= 1
            passes += 1
            after += bool(after or select.select([silent], [], [], 0.0005)[0])
        connection = silent.accept()[0]
    # The server is gone: whoever asks next is told so.
    connection.close()
    with pytest.raises(InputError, match="does not answer"):
        teller.finish()
    assert teller.labels == teller.letters == 0


def test_letters_are_the_banks_whoever_ordered() -> None:
    witness = Witness(Chance(1))
    for entry in (*orders(200, STOLEN), *orders(20_000, Truth(segment="regular"))):
        witness.see(entry, passed=True)
    letters = witness.outcomes(START + 200 * DAY).entries
    assert {entry.truth.campaign for entry in letters} == {-1, 3}
    assert {(entry.truth.segment, entry.truth.adversary) for entry in letters} == {("bank", "")}
    assert all(is_letter(entry.event) for entry in letters)


def test_labels_are_entered_of_what_is_known_by_now() -> None:
    witness = Witness(Chance(1))
    for entry in orders(800, STOLEN):
        witness.see(entry, passed=True)
    table = witness.outcomes(START).table
    early, late = (list(labels_of(table, "mine", START + days * DAY)) for days in (10, 200))
    assert 0 < len(early) < len(late)
    assert {body["shop"] for body in late} == {"mine"}
    assert {body["source"] for body in late} == {"chargeback", "issuer_alert", "analyst"}
    for body in late:
        assert body["observed_at"] <= START + 200 * DAY
        assert ("abuse_type" in body) != ("reason_code" in body)


def test_what_tells_nothing_is_not_kept() -> None:
    witness = Witness(Chance(1))
    diary = Diary(Truth(segment="regular"))
    witness.see(diary.write("page_view", START), passed=True)
    assert len(witness.outcomes(START).table) == 0


@pytest.mark.parametrize(("action", "ends"), [("block", True), ("challenge", True), ("limit", False)])
def test_who_meets_a_wall_sees_no_further_page(action: str, *, ends: bool) -> None:
    diary = Diary(Truth(segment="regular"))
    pages = [diary.write("page_view", START + number, session="s", ip="203.0.113.9") for number in range(2)]
    other = diary.write("page_view", START, session="t", ip="203.0.113.9")
    consequences = Consequences()
    consequences.refuse(pages[0], action)
    assert consequences.happens(pages[1]) is not ends
    assert consequences.happens(other)


def test_the_first_page_of_a_visit_and_every_tenth_is_asked_about() -> None:
    world = World(Scenario(events=2_000, days=3, only=("carding",)))
    options = {"clock": lambda: 0, "wait": lambda seconds: None, "connections": 1}
    with pytest.raises(UsageError, match="ask_pages"):
        Stream(world, [], "http://127.0.0.1:9", "k", ask_pages=-1, **options)  # type: ignore[arg-type]
    diary = Diary()
    visits = np.repeat(["s", "t"], [21, 3]).tolist()
    events = [diary.write("page_view", START, session=visit).event for visit in visits]
    order, trap, told = (diary.write(kind, START).event for kind in ("order", "decoy_touched", "logout"))
    asked = {}
    for ask in (10, 0):
        stream = Stream(world, [], "http://127.0.0.1:9", "k", ask_pages=ask, **options)  # type: ignore[arg-type]
        asked[ask] = [place for place, event in enumerate(events) if stream._asks(event)]
        assert stream._asks(order)
        assert stream._asks(trap)
        assert not stream._asks(told)
        stream.wire.finish()
    assert asked == {10: [0, 10, 20, 21], 0: []}


def test_adversaries_prey_on_the_scenarios_own_shop() -> None:
    world = World(Scenario(events=2_000, days=3, only=("carding",), shop="mine"))
    options = {"clock": lambda: 0, "wait": lambda seconds: None, "connections": 1}
    stream = Stream(world, [], "http://127.0.0.1:9", "k", move=5, **options)  # type: ignore[arg-type]
    entry = Diary(STOLEN).write("logout", START)
    stream._send(entry)
    assert (entry.event.shop, entry.event.at) == ("mine", START + 5)
    with pytest.raises(InputError, match="does not answer"):
        stream.wire.finish()
