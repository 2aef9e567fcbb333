"""Files: kinds, packing, growth, replacement, broken CSV, dead letters, checkpoints."""

from __future__ import annotations

import gzip
import json
import os
import stat
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import zstandard

from floorwalker.errors import InputError, UsageError
from floorwalker.sources.feeds import Checkpoint, CheckpointFile, DeadLetters, Refused, pump
from floorwalker.sources.feeds._csv import CsvReader
from floorwalker.sources.feeds._dead_letters import why_withheld
from floorwalker.sources.feeds._file_examples import order_mapping
from floorwalker.sources.feeds._lines import LINE_BYTES, LineReader
from floorwalker.sources.feeds.files import STILL_SECONDS, FilesFeed
from floorwalker.sources.mapping import parse_mapping

NOW = 1_760_000_000_000_000


def event(number: int, **more: Any) -> str:
    return json.dumps({"id": f"e-{number}", "type": "logout", "at": NOW, "account": f"a-{number}", **more})


def read(feed: FilesFeed, after: Checkpoint | None = None) -> tuple[list[str], list[Refused], Checkpoint | None]:
    deliveries = list(feed.read(after))
    ids = [one.id for delivery in deliveries for one in delivery.events]
    refused = [one for delivery in deliveries for one in delivery.refused]
    return ids, refused, deliveries[-1].checkpoint if deliveries else after


def test_globs_in_the_order_of_names_whatever_the_packing(tmp_path: Path) -> None:
    lines = [f"{event(number)}\n".encode() for number in range(3)]
    (tmp_path / "a.jsonl").write_bytes(b"\xef\xbb\xbf" + lines[0])
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(lines[1]))
    (tmp_path / "c.jsonl.zst").write_bytes(zstandard.compress(lines[2]))
    (tmp_path / "d.jsonl").write_bytes(b"\n\n")
    assert read(FilesFeed([tmp_path / "*.jsonl*"], clock=lambda: NOW))[0] == ["e-0", "e-1", "e-2"]


def test_a_packed_file_that_is_cut_off_is_said_once(tmp_path: Path) -> None:
    text = "".join(event(number, text=f"{number * 7919}") + "\n" for number in range(5000)).encode()
    packed = gzip.compress(text)
    (tmp_path / "a.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    feed = FilesFeed([tmp_path / "a.jsonl.gz"], clock=lambda: NOW)
    ids, refused, place = read(feed)
    assert 1000 < len(ids) < 5000
    assert "is cut off" in refused[-1].reason
    assert read(feed, place)[1] == []


def test_a_file_that_grows_is_read_on_and_a_half_written_line_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(event(1) + "\n" + event(2)[:20])
    feed = FilesFeed([path], clock=lambda: NOW, follow=True)
    ids, refused, place = read(feed)
    assert (ids, refused) == (["e-1"], [])
    path.write_text(event(1) + "\n" + event(2) + "\n" + event(3) + "\n")
    ids, refused, place = read(feed, place)
    assert (ids, refused) == (["e-2", "e-3"], [])
    assert read(feed, place)[0] == []


def test_a_file_that_was_replaced_is_read_anew_and_new_files_are_found(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(event(1) + "\n" + event(2) + "\n")
    feed = FilesFeed([tmp_path / "*.jsonl"], clock=lambda: NOW)
    _, _, place = read(feed)
    path.write_text(event(7) + "\n")
    (tmp_path / "0.jsonl").write_text(event(8) + "\n")
    assert read(feed, place)[0] == ["e-8", "e-7"]


def export(letter: str, count: int) -> bytes:
    """A CSV export whose header is always the same."""
    rows = [f"{letter}-{number},logout,1760000000000000,a" for number in range(count)]
    return ("id,type,at,account\n" + "".join(f"{row}\n" for row in rows)).encode()


@pytest.mark.parametrize("ending", ["csv", "csv.gz"])
@pytest.mark.parametrize(
    "fresh",
    [
        export("n", 5),
        export("n", 10),
        export("nn", 12),
        export("old", 10).replace(b"old-0", b"new-0"),
        export("old", 10).replace(b"old-9", b"new-9"),
        export("old", 9),
    ],
)
def test_a_fresh_export_with_the_same_header_is_read_from_its_start(tmp_path: Path, ending: str, fresh: bytes) -> None:
    path = tmp_path / f"a.{ending}"
    pack = gzip.compress if ending.endswith("gz") else bytes
    path.write_bytes(pack(export("old", 10)))
    ids, _, place = read(FilesFeed([path], clock=lambda: NOW))
    assert len(ids) == 10
    path.write_bytes(pack(fresh))
    feed = FilesFeed([path], clock=lambda: NOW)
    ids, refused, place = read(feed, place)
    assert ids == [line.partition(",")[0] for line in fresh.decode().splitlines()[1:]]
    assert refused == []
    assert read(feed, place)[0] == []
    path.write_bytes(pack(fresh + b"more,logout,1760000000000000,a\n"))
    assert read(feed, place)[0] == ["more"]


def test_checkpoints_that_know_the_first_line_alone_are_read_on_from(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(export("a", 3))
    feed = FilesFeed([path], clock=lambda: NOW)
    _, _, place = read(feed)
    assert place is not None
    note = {name: place.position["files"][str(path)][name] for name in ("head", "head_bytes", "offset", "record")}
    before = Checkpoint(place.feed, {"files": {str(path): note}})
    path.write_bytes(export("a", 5))
    assert read(feed, before)[0] == ["a-3", "a-4"]
    path.write_bytes(export("a", 2))
    assert read(feed, before)[0] == ["a-0", "a-1"]


def test_a_long_line_and_a_last_one_without_its_end_are_known_again(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(f"{event(1)}\n{'x' * (LINE_BYTES + 300_000)}\n".encode())
    feed = FilesFeed([path], clock=lambda: NOW)
    _, _, place = read(feed)
    with path.open("a") as file:
        file.write(event(2))
    ids, _, place = read(feed, place)
    assert ids == ["e-2"]
    with path.open("a") as file:
        file.write("\n" + event(3))
    assert read(feed, place)[0] == ["e-3"]


def test_the_last_group_of_a_growing_file_waits_for_its_next_lines(tmp_path: Path) -> None:
    path, now = tmp_path / "orders.csv", NOW // 1_000_000
    rows = [f"{order},2025-10-01 08:00,c,i,1,{price}\n" for order, price in (("1", "1.50"), ("1", "2.50"), ("2", "4"))]
    path.write_text("order,time,customer,item,pieces,price\n" + rows[0] + "too,few\n")
    feed = FilesFeed([path], clock=lambda: NOW, mapping=order_mapping(), follow=True)
    os.utime(path, (now, now))
    assert list(feed.read()) == []
    with path.open("a") as file:
        file.write(rows[1] + rows[2])
    os.utime(path, (now, now))
    deliveries = list(feed.read())
    assert [(one.id, one.amount_minor) for delivery in deliveries for one in delivery.events] == [("1", 400)]
    assert len(deliveries[0].refused) == 1
    place = deliveries[-1].checkpoint
    assert list(feed.read(place)) == []
    os.utime(path, (now - STILL_SECONDS, now - STILL_SECONDS))
    assert read(feed, place)[0] == ["2"]
    os.utime(path, (now, now))
    ended = FilesFeed([path], clock=lambda: NOW, mapping=order_mapping())
    assert read(ended)[0] == ["1", "2"]


def test_a_later_file_that_does_not_fit_is_refused_once_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("type,at,account\nlogout,1760000000000000,a\n")
    (tmp_path / "b.csv").write_text("foo,bar\n1,2\n")
    (tmp_path / "c.csv").write_text("type,at,account\nlogout,1760000000000000,c\n")
    feed = FilesFeed([tmp_path / "*.csv"], clock=lambda: NOW)
    ids, refused, place = read(feed)
    assert len(ids) == 2
    assert len(refused) == 1
    assert "no columns named 'type' and 'at'" in refused[0].reason
    assert read(feed, place)[1] == []


def test_a_header_that_is_none_costs_its_file_alone(tmp_path: Path) -> None:
    row = "logout,1760000000000000"
    (tmp_path / "a.csv").write_text(f"type,at,account\n{row},a\n")
    (tmp_path / "b.csv").write_bytes(f"type,at,account\r{row},b\r".encode())
    (tmp_path / "c.csv").write_text("x" * 140_000 + "\n1\n")
    (tmp_path / "d.csv").write_text("type,at,account," + ",".join(f"c{n}" for n in range(25_000)) + f"\n{row},d\n")
    (tmp_path / "e.csv").write_text(f"type,at,account\n{row},e\n")
    feed = FilesFeed([tmp_path / "*.csv"], clock=lambda: NOW)
    ids, refused, place = read(feed)
    assert len(ids) == 2
    reasons = {Path(one.place.partition(",")[0]).name: one.reason for one in refused}
    assert "carriage returns alone" in reasons["b.csv"]
    assert "no CSV header" in reasons["c.csv"]
    assert "3 cells where the header has 25003" in reasons["d.csv"]
    assert len(refused) == 3
    assert read(feed, place)[:2] == ([], [])
    (tmp_path / "b.csv").write_text(f"type,at,account\n{row},b\n")
    assert len(read(feed, place)[0]) == 1


def test_a_first_file_that_does_not_fit_is_said_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("foo,bar\n1,2\n")
    with pytest.raises(UsageError, match="no columns named 'type' and 'at'"):
        FilesFeed([tmp_path / "b.csv"], clock=lambda: NOW)
    with pytest.raises(InputError, match="no file matches"):
        FilesFeed([tmp_path / "none*"], clock=lambda: NOW)
    (tmp_path / "array.json").write_text("[1, 2]")
    with pytest.raises(InputError, match="one JSON array"):
        FilesFeed([tmp_path / "array.json"], clock=lambda: NOW)


def test_events_without_an_id_get_one_made_of_their_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    line = '{"type": "logout", "at": 1760000000000000, "account": "a", "dispute": {"id": "d"}}'
    path.write_text(f"{line}\n{line}\n{line.replace('a', 'b', 1)[:-1]}}}\n")
    ids, _, _ = read(FilesFeed([path], clock=lambda: NOW))
    assert ids[0] == ids[1]
    assert ids[0].startswith("d_")


def test_an_id_that_is_null_or_empty_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    rest = '"type": "logout", "at": 1760000000000000, "account": "a", "attributes": {"id": null}'
    named = [f'"id": null, {rest}', f'{rest}, "id": ""', f'"id": 7, {rest}', f'"id": null, "id": null, {rest}']
    texts = [f"{{{text}}}" for text in named]
    path.write_text("".join(f"{text}\n" for text in texts))
    feed = FilesFeed([path], clock=lambda: NOW)
    ids, refused, _ = read(feed)
    assert len(set(ids)) == 2
    assert all(name.startswith("d_") for name in ids)
    assert [(one.place, one.field) for one in refused] == [("a.jsonl, line 3", "id"), ("a.jsonl, line 4", "id")]
    assert read(feed)[0] == ids


def test_json_with_a_mapping_reads_nested_names_and_lists(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    rows = [{"user": {"id": 7}, "ts": "2025-10-01T08:00:00Z", "codes": ["A", "B"], "ok": True}, {"user": 1}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + "nonsense\n[1]\n")
    mapping = parse_mapping(
        {
            "fields": {
                "type": {"constant": "coupon_claim"}, "at": "ts", "account": "user.id", "coupons": "codes",
                "guest": "ok",
            }
        },
        name="m",
    )  # fmt: skip
    feed = FilesFeed([path], clock=lambda: NOW, mapping=mapping)
    (delivery,) = feed.read()
    (event_,) = delivery.events
    assert (event_.account, event_.coupons, event_.guest) == ("7", ("A", "B"), True)
    assert [one.place for one in delivery.refused] == ["a.jsonl, line 3", "a.jsonl, line 4", "a.jsonl, line 2"]


def test_receipts_are_ours_unless_somebody_judges_the_data(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(event(1, received_at=NOW + 5) + "\n" + event(2, received_at="2025-10-09T08:53:21Z") + "\n")
    (ours,) = FilesFeed([path], clock=lambda: NOW).read()
    (theirs,) = FilesFeed([path], clock=lambda: NOW, keep_received=True).read()
    assert [one.received_at for one in ours.events] == [NOW, NOW]
    assert [one.received_at for one in theirs.events] == [NOW + 5, NOW + 1_000_000]


ODD_CELLS = {
    "bytes": ("text", pl.Series([b"hello", b"\xff\x00", None])),
    "duration": ("text", pl.Series([None, 90_000_000, None], dtype=pl.Duration("us"))),
    "endless": ("list_price_minor", pl.Series([1.0, -1e30, None])),
    "huge": ("list_price_minor", pl.Series(["1", "9" * 28, None])),
    "beyond": ("attributes.delivered", pl.Series([NOW, 2**63 - 1, None]).cast(pl.Datetime("us", "UTC"))),
    "list": ("coupons", pl.Series([[b"A"], [b"B", b"\xff"], None], dtype=pl.List(pl.Binary))),
    "lists": ("text", pl.Series([None, [[1]], None], dtype=pl.List(pl.List(pl.Int64)))),
}


@pytest.mark.parametrize("name", ODD_CELLS)
@pytest.mark.parametrize("on_bad", ["refuse", "drop"])
def test_a_parquet_cell_that_cannot_be_read_costs_its_record_alone(tmp_path: Path, name: str, on_bad: str) -> None:
    field, column = ODD_CELLS[name]
    table = {"id": ["1", "2", "3"], "at": [NOW] * 3, "odd": column}
    pl.DataFrame(table).write_parquet(tmp_path / "t.parquet")
    cell = {"column": "odd", "on_bad": on_bad} | ({"unit": "major"} if "minor" in field else {})
    fields = {"type": {"constant": "logout"}, "at": "at", "id": "id", "account": "id", field: cell}
    mapping = parse_mapping({"fields": fields, "read": {"time_zone": "UTC"}}, name="m")
    (delivery,) = FilesFeed([tmp_path / "t.parquet"], clock=lambda: NOW, mapping=mapping).read()
    kept = [one.id for one in delivery.events]
    if on_bad == "drop":
        assert (kept, dict(delivery.dropped)) == (["1", "2", "3"], {field: 1})
    else:
        assert kept == ["1", "3"]
        (refused,) = delivery.refused
        assert (refused.place, refused.field) == ("t.parquet, row 2", field)
        assert "what stands in odd does not fit" in refused.reason
        assert '"id":"2"' in refused.record


def test_a_parquet_record_whose_id_or_group_is_no_text_is_refused(tmp_path: Path) -> None:
    table = {"key": [b"a", b"a", b"\xff", b"\xfe", b"b"], "at": [NOW] * 5, "account": ["x"] * 5}
    pl.DataFrame(table).write_parquet(tmp_path / "t.parquet")
    for extra, ids, count in (({"group": "key"}, ["a", "b"], 2), ({}, ["a", "a", "b"], 2)):
        fields = {"type": {"constant": "logout"}, "at": "at", "id": "key", "account": "account"}
        feed = FilesFeed(
            [tmp_path / "t.parquet"], clock=lambda: NOW, mapping=parse_mapping({"fields": fields, **extra}, name="m")
        )
        found, refused, _ = read(feed)
        assert (found, len(refused)) == (ids, count)
        assert all("is no text" in one.reason for one in refused)


def test_long_parquet_files_are_read_in_stretches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from floorwalker.sources.feeds import _tables

    monkeypatch.setattr(_tables, "_PARQUET_ROWS", 10)
    frame = pl.DataFrame({"id": [f"p-{n}" for n in range(25)], "type": "logout", "at": NOW, "account": "a"})
    frame.write_parquet(tmp_path / "t.parquet")
    feed = FilesFeed([tmp_path / "t.parquet"], clock=lambda: NOW, batch=7)
    deliveries = list(feed.read())
    assert [one.id for delivery in deliveries for one in delivery.events] == [f"p-{n}" for n in range(25)]
    assert len(deliveries) == 4
    assert len(read(feed, deliveries[1].checkpoint)[0]) == 11


def test_a_quote_that_is_never_closed_costs_one_record() -> None:
    text = b'a,"b\nc,d\ne,"f\ng"\nh,i\n"j" x,k\nl,m,n\n'
    lines = []
    offset = 0
    for line in text.split(b"\n")[:-1]:
        offset += len(line) + 1
        lines.append((line, offset, False))
    records = list(CsvReader(",", "utf-8", 2).read(iter(lines)))
    good = [one.cells for one in records if isinstance(one.cells, list)]
    bad = [(one.line, one.cells) for one in records if isinstance(one.cells, str)]
    assert ["h", "i"] in good
    assert ["c", "d"] in good
    assert bad[0][0] == 1
    assert "3 cells where the header has 2" in bad[-1][1]
    assert records[-1].end == len(text)


def test_encodings_delimiters_and_repeated_columns(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("wer;wann;wer\nJürgen;2025-10-01 08:00;x\n".encode("latin-1"))
    table = {
        "read": {"encoding": "latin-1", "time_zone": "Europe/Berlin", "delimiter": ";"},
        "fields": {"type": {"constant": "logout"}, "account": "wer", "session": "wer.2", "at": "wann"},
    }
    (delivery,) = FilesFeed([path], clock=lambda: NOW, mapping=parse_mapping(table, name="m")).read()
    assert (delivery.events[0].account, delivery.events[0].session) == ("Jürgen", "x")


def test_lines_of_any_length_keep_their_places(tmp_path: Path) -> None:
    path = tmp_path / "long"
    path.write_bytes(b"a\n" + b"x" * (LINE_BYTES + 300_000) + b"\nb\n")
    found = list(LineReader(path))
    assert [(line[:1], is_cut) for line, _, is_cut in found] == [(b"a", False), (b"x", True), (b"b", False)]
    assert found[-1][1] == path.stat().st_size
    assert list(LineReader(path, found[1][1])) == [found[2]]


def test_dead_letters_name_place_and_reason_and_hold_no_card_and_no_password(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    card = event(1, text="4111 1111 1111 1111")
    path.write_text(
        card + "\n" + event(2, password="hunter2") + "\n" + event(3, amount_minor=-1) + "\n" + event(4) + "\n"
    )
    dead = DeadLetters(tmp_path / "sub" / "dead.jsonl")
    taken: list[str] = []
    passed = pump(
        FilesFeed([path], clock=lambda: NOW),
        lambda events: taken.extend(one.id for one in events),
        checkpoints=CheckpointFile(tmp_path / "place"),
        dead_letters=dead,
        clock=lambda: NOW,
    )
    assert (taken, passed.refused, passed.records) == (["e-4"], 3, 4)
    assert passed.refused_fields == {"text": 1, "password": 1, "amount_minor": 1}
    text = dead.path.read_text()
    assert "4111" not in text
    assert "hunter2" not in text
    entries = [json.loads(line) for line in text.splitlines()]
    assert [one.get("withheld") for one in entries] == ["it may hold a card number", "it may hold a password", None]
    assert json.loads(entries[2]["record"])["id"] == "e-3"
    assert [one["place"] for one in entries] == [f"in.jsonl, line {number}" for number in (1, 2, 3)]
    assert stat.S_IMODE(dead.path.stat().st_mode) == 0o600


def test_records_can_be_left_out_of_dead_letters(tmp_path: Path) -> None:
    dead = DeadLetters(tmp_path / "dead.jsonl", keep_records=False)
    dead.write("f", [Refused("p", "f", "r", "jane@example.com")], now=NOW)
    assert "jane" not in dead.path.read_text()
    assert why_withheld('[{"inner": {"cvv": "123"}}]') == "it may hold a password"


def run_pump(tmp_path: Path, feed: FilesFeed) -> tuple[list[str], str]:
    """Ids that were taken, and the text of the dead letters."""
    taken: list[str] = []
    dead = DeadLetters(tmp_path / "dead.jsonl")
    pump(
        feed, lambda events: taken.extend(one.id for one in events), checkpoints=CheckpointFile(tmp_path / "place"),
        dead_letters=dead, clock=lambda: NOW,
    )  # fmt: skip
    return taken, dead.path.read_text()


@pytest.mark.parametrize("column", ["password", "New Password", "PIN", "login.pin"])
def test_broken_rows_under_a_secret_column_are_withheld(tmp_path: Path, column: str) -> None:
    path = tmp_path / "in.csv"
    row = "logout,1760000000000000,a1"
    path.write_text(f'type,at,account,{column}\n{row},hunter2,extra\n{row},"hunter3\n{row}\n')
    mapping = parse_mapping({"fields": {"type": "type", "at": "at", "account": "account"}}, name="m")
    _, text = run_pump(tmp_path, FilesFeed([path], clock=lambda: NOW, mapping=mapping))
    entries = [json.loads(line) for line in text.splitlines()]
    assert [one.get("withheld") for one in entries] == ["it may hold a password"] * 3
    assert "hunter" not in text
    assert [one["place"] for one in entries] == [f"in.csv, line {number}" for number in (2, 3, 4)]


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"sign_up","cvv":"123","account":"a"',
        '{"a":1, "PIN"  \t: 9876',
        '{"a": "x, "Card-CVC" : 9}',
        "{'pin': '9876'}",
        "{pin: 9876",
        '{"s": "{\\"cvv\\": 1}',
        '{"\\u0070in": 9876',
        '{"mot de passe": "x"',
        '{"login.pin": "9876"}',
        "{\"cards\": \"{'cvv': '123'}\"}",
    ],
)
def test_what_cannot_be_taken_apart_is_searched_for_names_of_secrets(text: str) -> None:
    assert why_withheld(text) == "it may hold a password"


@pytest.mark.parametrize("text", ['{"pinned":1, "opinion": "x"', '{"a": "my pin is lost"', "a,b", '{"spin":1', "::=="])
def test_other_broken_records_are_written(text: str) -> None:
    assert why_withheld(text) == ""


def test_a_record_that_is_nested_too_deep_stops_nothing(tmp_path: Path) -> None:
    path = tmp_path / "deep.jsonl"
    deep = "[" * 3000 + "]" * 3000
    path.write_text(f'{{"type":"sign_up","x":{deep}}}\n{{"pin":"9876","x":{deep}}}\n{event(1)}\n')
    taken, text = run_pump(tmp_path, FilesFeed([path], clock=lambda: NOW))
    assert taken == ["e-1"]
    assert len(text.splitlines()) == 2
    assert "9876" not in text


def test_a_mapped_record_of_any_depth_stops_nothing(tmp_path: Path) -> None:
    path = tmp_path / "deep.jsonl"
    line = '{"who":"a-%d","when":"2025-10-01 08:00:00","x":%s%s}\n'
    depths = (0, 10, 200, 400, 600, 800, 950, 1100, 3000)
    path.write_text("".join(line % (depth, "[" * depth + ("" if depth else "1"), "]" * depth) for depth in depths))
    mapping = parse_mapping(
        {"read": {"time_zone": "UTC"}, "fields": {"type": {"constant": "logout"}, "account": "who", "at": "when"}},
        name="m",
    )
    (delivery,) = FilesFeed([path], clock=lambda: NOW, mapping=mapping).read()
    assert len(delivery.events) + len(delivery.refused) == len(depths)
    assert [each.account for each in delivery.events][:2] == ["a-0", "a-10"]
    assert delivery.refused


def test_the_checkpoint_moves_only_when_the_events_are_safe(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("".join(event(number) + "\n" for number in range(10)))
    parts = {
        "checkpoints": CheckpointFile(tmp_path / "place"), "dead_letters": DeadLetters(tmp_path / "dead"),
        "clock": lambda: NOW,
    }  # fmt: skip
    taken: list[str] = []

    def take(events: Any) -> None:
        if len(taken) >= 6:
            raise OSError("disk full")
        taken.extend(one.id for one in events)

    with pytest.raises(OSError, match="disk full"):
        pump(FilesFeed([path], clock=lambda: NOW, batch=3), take, **parts)
    assert len(taken) == 6
    rest: list[str] = []
    pump(FilesFeed([path], clock=lambda: NOW, batch=3), lambda events: rest.extend(one.id for one in events), **parts)
    assert taken + rest == [f"e-{number}" for number in range(10)]


def test_following_ends_when_it_is_told_to(tmp_path: Path) -> None:
    import threading

    path = tmp_path / "a.jsonl"
    path.write_text(event(1) + "\n")
    stop = threading.Event()
    seen: list[str] = []

    def take(events: Any) -> None:
        seen.extend(one.id for one in events)
        if len(seen) == 1:
            with path.open("a") as file:
                file.write(event(2) + "\n")
        else:
            stop.set()

    pump(
        FilesFeed([path], clock=lambda: NOW, follow=True), take, checkpoints=CheckpointFile(tmp_path / "place"),
        dead_letters=DeadLetters(tmp_path / "dead"), clock=lambda: NOW, follow_seconds=0.01, stop=stop,
    )  # fmt: skip
    assert seen == ["e-1", "e-2"]


def test_damaged_checkpoints_are_said(tmp_path: Path) -> None:
    file = CheckpointFile(tmp_path / "place")
    assert file.load() is None
    file.save(Checkpoint("f", {"a": 1}))
    assert file.load() == Checkpoint("f", {"a": 1})
    for text in (b"{", b"[]", b'{"version": 2, "feed": "f", "position": {}}'):
        file.path.write_bytes(text)
        with pytest.raises(InputError, match="is damaged"):
            file.load()
