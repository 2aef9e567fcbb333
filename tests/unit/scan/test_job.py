"""The whole scan on small logs of known content."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from floorwalker.errors import InputError, UsageError
from floorwalker.scan.job import ScanOutcome, ScanRequest, run_scan
from floorwalker.scan.machines import Ignore
from floorwalker.settings import ScanSettings

FIRST = datetime(2021, 11, 4, tzinfo=UTC)
WATCHER = "198.51.100.77"
BROWSERS = [
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{major}.0 Safari/537.36"
    for major in range(90, 100)
]
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def line(at: datetime, client: str, target: str, *, agent: str, referrer: str = "-", method: str = "GET") -> str:
    stamp = at.strftime("%d/%b/%Y:%H:%M:%S +0000")
    return f'{client} - - [{stamp}] "{method} {target} HTTP/1.1" 200 5120 "{referrer}" "{agent}"'


def shop_log(path: Path, *, days: int, customers: int = 60, watcher: bool = True) -> Path:
    """Customers who browse with assets, a verified crawler, perhaps one who watches a deal from the first day on."""
    rng = np.random.default_rng(7)
    rows: list[tuple[datetime, str]] = []
    for day in range(days):
        for customer in range(customers):
            client = f"203.0.113.{customer}"
            agent = BROWSERS[customer % len(BROWSERS)]
            at = FIRST + timedelta(days=day, hours=float(rng.uniform(7, 22)))
            for _ in range(int(rng.integers(4, 16))):
                at += timedelta(seconds=float(rng.lognormal(3.3, 1.0)))
                page = str(rng.choice(["/product/", "/category/", "/search?q="])) + str(rng.integers(1, 300))
                rows.append((at, line(at, client, page, agent=agent, referrer="https://shop.example/")))
                for asset in range(3):
                    target = f"/static/{asset}.css"
                    rows.append((at, line(at, client, target, agent=agent, referrer="https://shop.example/")))
        for step in range(40):
            at = FIRST + timedelta(days=day, minutes=35 * step + 3)
            rows.append((at, line(at, "66.249.66.7", f"/product/{step}", agent=GOOGLEBOT)))
            if watcher:
                rows.append((at, line(at, WATCHER, "/deals/today", agent=BROWSERS[0])))
    path.write_text("\n".join(text for _, text in sorted(rows)) + "\n", "utf-8")
    return path


def scan(path: Path, **options: object) -> ScanOutcome:
    options.setdefault("settings", ScanSettings(map_sample=0))
    return run_scan(ScanRequest(paths=(str(path),), **options))  # type: ignore[arg-type]


def test_a_watcher_from_the_first_day_on_is_found_on_the_last(tmp_path: Path) -> None:
    result = scan(shop_log(tmp_path / "week.log", days=8), detect_day=date(2021, 11, 11)).result
    flagged = result.flagged
    assert flagged["client"].to_list() == [WATCHER]
    assert flagged["tier"].to_list() == ["strong pattern"]
    assert flagged["category"].to_list() == ["monitoring"]
    assert flagged["active_days"].to_list() == [8.0]
    assert "site median" in flagged["reasons"][0][0]
    assert len(result.training_days) == 7


def test_no_hunters_no_flags(tmp_path: Path) -> None:
    result = scan(shop_log(tmp_path / "week.log", days=8, watcher=False)).result
    assert result.flagged.is_empty()
    assert len(result.visitors) == 8 * 60


def test_a_crawler_is_set_apart_and_teaches_nothing(tmp_path: Path) -> None:
    outcome = scan(shop_log(tmp_path / "week.log", days=2, watcher=False))
    machines = outcome.result.machines
    assert machines["client"].to_list() == ["66.249.66.7"]
    assert machines["verdict"].to_list() == ["verified"]
    assert "66.249.66.7" not in outcome.result.visitors["client"].to_list()
    assert outcome.judgement.model.rows == 2 * 60


def test_tomorrow_is_judged_by_what_the_week_taught(tmp_path: Path) -> None:
    week = scan(shop_log(tmp_path / "week.log", days=7))
    whole = shop_log(tmp_path / "whole.log", days=8).read_text("utf-8").splitlines(keepends=True)
    today = tmp_path / "today.log"
    today.write_text("".join(text for text in whole if "[11/Nov/2021" in text), "utf-8")
    saved = tmp_path / "site.npz"
    week.state.save(saved)
    from floorwalker.scan.state import SiteState

    outcome = scan(today, state=SiteState.load(saved))
    assert outcome.result.flagged["client"].to_list() == [WATCHER]
    # The seven days before are remembered, by hashes alone.
    assert outcome.result.flagged["active_days"].to_list() == [8.0]
    assert WATCHER.encode() not in saved.read_bytes()
    assert outcome.result.medians == week.result.medians


def test_the_memory_of_who_came_grows_day_by_day_even_where_logs_are_rotated_within_a_day(tmp_path: Path) -> None:
    rows = shop_log(tmp_path / "whole.log", days=4).read_text("utf-8").splitlines(keepends=True)
    # Rotated at nine: each file holds the end of one day and the begin of the next.
    turn = [i for i, text in enumerate(rows) if i and "2021:09:" in text and "2021:08:" in rows[i - 1]]
    state, seen = None, []
    for part, (begin, end) in enumerate(zip([0, *turn], [*turn, len(rows)], strict=True)):
        path = tmp_path / f"part{part}.log"
        path.write_text("".join(rows[begin:end]), "utf-8")
        outcome = scan(path, state=state)
        state = outcome.state
        watcher = outcome.result.visitors.filter(pl.col("client") == WATCHER)
        seen.append(dict(watcher.select(pl.col("day").cast(pl.String), "active_days").iter_rows()))
    assert len(seen) == 5
    assert seen[-1] == {"2021-11-07": 4.0}
    assert len(state.history.visitor) == len(set(zip(state.history.visitor, state.history.day, strict=True)))


def test_one_line_from_the_far_future_does_not_wipe_the_memory(tmp_path: Path) -> None:
    path = shop_log(tmp_path / "two.log", days=2)
    remembered = len(scan(path).state.history.visitor)
    late = line(FIRST + timedelta(days=20_000), "198.51.100.9", "/product/1", agent=BROWSERS[1])
    path.write_text(path.read_text("utf-8") + late + "\n", "utf-8")
    assert len(scan(path).state.history.visitor) == remembered + 1


def test_sessions_that_the_log_does_not_hold_are_said(tmp_path: Path) -> None:
    warnings = scan(shop_log(tmp_path / "two.log", days=2), visitor="session:PHPSESSID").result.warnings
    assert any("session PHPSESSID" in text for text in warnings)


def test_a_day_that_the_log_does_not_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="2021-11-04 to 2021-11-05"):
        scan(shop_log(tmp_path / "two.log", days=2), detect_day=date(2021, 12, 24))


def test_ignored_paths_and_visitors_are_left_out(tmp_path: Path) -> None:
    ignore = tmp_path / "ignore.toml"
    ignore.write_text(
        '[[ignore]]\nreason = "our price monitor"\naddresses = ["198.51.100.77"]\n'
        '[[ignore]]\nreason = "internal search"\npaths = ["/search*"]\n',
        "utf-8",
    )
    outcome = scan(shop_log(tmp_path / "two.log", days=2), ignore=Ignore.read(ignore))
    assert WATCHER not in outcome.result.visitors["client"].to_list()
    assert WATCHER in outcome.result.machines.filter(pl.col("kind") == "ignored")["client"].to_list()
    assert any(item.reason.startswith("path on the ignore list") for item in outcome.result.cleaned)
    assert not any("search" in route for route in outcome.result.routes["route"].to_list())


def test_a_session_can_be_the_visitor(tmp_path: Path) -> None:
    rows = []
    for session in range(30):
        for step in range(6):
            at = FIRST + timedelta(minutes=session * 7, seconds=step * 40)
            target = f"/product/{step}?sid=s{session:03d}x"
            rows.append((at, line(at, "203.0.113.5", target, agent=BROWSERS[0])))
    path = tmp_path / "sessions.log"
    path.write_text("\n".join(text for _, text in sorted(rows)) + "\n", "utf-8")
    by_address = scan(path).result.visitors
    by_session = scan(path, visitor="session:sid").result.visitors
    assert len(by_address) == 1
    assert len(by_session) == 30
    assert by_session["visits"].to_list() == [6.0] * 30
    assert by_session["client"].unique().to_list() == ["203.0.113.5"]


def test_roles_can_be_told(tmp_path: Path) -> None:
    log = shop_log(tmp_path / "two.log", days=2)
    told = scan(log, roles={"/category/*": "offer"}).result.routes
    assert set(told.filter(pl.col("route").str.starts_with("/category"))["role"]) == {"offer"}


def test_what_makes_a_visitor_is_checked() -> None:
    with pytest.raises(UsageError, match="session:NAME"):
        ScanRequest(paths=("x",), visitor="cookie").visitor_key()


@pytest.mark.parametrize("merge", ["bilstm", "none"])
def test_the_same_log_gives_the_same_result(tmp_path: Path, merge: str) -> None:
    log = shop_log(tmp_path / "two.log", days=2)
    first, second = scan(log, merge_routes=merge).result, scan(log, merge_routes=merge).result
    assert first.visitors.equals(second.visitors)
    assert first.threshold == second.threshold


def odd_line(at: datetime, client: str, request: str, status: int) -> str:
    return f'{client} - - [{at.strftime("%d/%b/%Y:%H:%M:%S +0000")}] "{request}" {status} 150 "-" "-"'


def test_who_sends_nothing_but_abnormal_urls_is_no_less_a_probe(tmp_path: Path) -> None:
    path = shop_log(tmp_path / "a.log", days=1, watcher=False)
    clean = scan(path).result.source
    asked = {
        "198.51.100.5": (r"GET /\x0a{}\x00 HTTP/1.1", 400),
        "198.51.100.6": ("CONNECT mail.example:{} HTTP/1.1", 405),
        "198.51.100.7": (r"GET /answered\x01{} HTTP/1.1", 200),
    }
    with path.open("a") as log:
        for client, (request, status) in asked.items():
            for step in range(8):
                at = FIRST + timedelta(hours=20, seconds=40 * step)
                log.write(odd_line(at, client, request.format(step), status) + "\n")
    result = scan(path).result
    # Every line is a request or set aside, by its reason; the senders are judged all the same.
    assert (result.source.lines, result.source.requests) == (clean.lines + 24, clean.requests)
    assert {part.reason: part.count for part in result.cleaned if part.unit == "lines"} == {
        "control characters in target": 16,
        "abnormal target": 8,
    }
    probes = result.flagged.filter(pl.col("pattern") == "probing.asks_for_secrets")
    assert sorted(probes["client"]) == ["198.51.100.5", "198.51.100.6"]
    assert set(probes["tier"]) == {"proven"}
    assert "8 requests for secrets, known holes or abnormal URLs" in probes["reasons"][0][0]


def test_the_most_specific_pattern_gives_the_name(tmp_path: Path) -> None:
    path = shop_log(tmp_path / "a.log", days=1, watcher=False)
    with path.open("a") as log:
        for step in range(60):
            at = FIRST + timedelta(hours=20, seconds=20 * step)
            log.write(odd_line(at, "198.51.100.9", "POST /login HTTP/1.1", 401) + "\n")
    (flagged,) = scan(path).result.flagged.filter(pl.col("client") == "198.51.100.9").iter_rows(named=True)
    # Sixty forms are farther over their cut-off than sixty sign-ins, and say less.
    assert flagged["reason_codes"][:2] == ["login.tries_credentials", "activity.sends_forms"]
    assert flagged["pattern"] == "login.tries_credentials"
    assert flagged["reasons"][0].startswith("tries sign-ins: 60 sign-ins sent")
