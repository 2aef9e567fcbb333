"""`floorwalker scan` as a user runs it: a process, files, pipes."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from floorwalker.cli import main
from floorwalker.simulation.access_log import Scenario, generate, write_log

DETECT_DAY = "2021-11-07"


@dataclass(frozen=True)
class Done:
    """What a finished command left: exit code, standard output, standard error."""

    returncode: int
    stdout: bytes
    stderr: bytes


def scan_process(*arguments: str | Path, cwd: Path, stdin: bytes | None = None) -> Done:
    """A real process, for what pipes do."""
    command = [sys.executable, "-m", "floorwalker.cli", "scan", *map(str, arguments)]
    done = subprocess.run(command, input=stdin, capture_output=True, cwd=cwd, timeout=120, check=False)
    return Done(done.returncode, done.stdout, done.stderr)


Scan = Callable[..., Done]


@pytest.fixture
def scan(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Scan:
    """The command within this process: the same entry point without the seconds that a start takes."""

    def run(*arguments: str | Path, cwd: Path) -> Done:
        monkeypatch.chdir(cwd)
        monkeypatch.setattr(sys, "argv", ["floorwalker", "scan", *map(str, arguments)])
        capfdbinary.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        sys.stdout.flush()
        written = capfdbinary.readouterr()
        return Done(int(left.value.code or 0), written.out, written.err)

    return run


@pytest.fixture(scope="module")
def shop_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    scenario = Scenario(
        site_family="english_rest", seed=3, days=4, visitors_per_day=400, first_day=date(2021, 11, 4), hunters=25
    )
    log = generate(scenario)
    path = tmp_path_factory.mktemp("shop") / "access.log.gz"
    write_log(log, path)
    log.truth.write_parquet(path.with_name("truth.parquet"))
    return path


@pytest.fixture(scope="module")
def lines(shop_log: Path) -> list[bytes]:
    return gzip.decompress(shop_log.read_bytes()).splitlines(keepends=True)


def test_json_is_one_document_and_a_report_stands_beside(scan: Scan, shop_log: Path, tmp_path: Path) -> None:
    done = scan(shop_log, "--detect-day", DETECT_DAY, "--json", "--report", "out.html", cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    result = json.loads(done.stdout)
    assert result["judged_days"] == [DETECT_DAY]
    assert len(result["training_days"]) == 3
    assert result["flagged"]
    assert all(visitor["reasons"] for visitor in result["flagged"])
    assert (tmp_path / "out.html").stat().st_size > 10_000


def test_the_table_names_the_report(scan: Scan, shop_log: Path, tmp_path: Path) -> None:
    done = scan(shop_log, cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    assert b"report.html" in done.stdout
    assert (tmp_path / "report.html").exists()


def test_standard_input_to_a_blocklist(shop_log: Path, tmp_path: Path) -> None:
    done = scan_process("-", "--blocklist", "plain", stdin=shop_log.read_bytes(), cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    entries = [line for line in done.stdout.decode().splitlines() if line and not line.startswith("#")]
    assert entries
    assert b"would have hit" in done.stderr
    assert not (tmp_path / "report.html").exists()


def test_what_was_learned_is_used_tomorrow(scan: Scan, shop_log: Path, tmp_path: Path) -> None:
    first = scan(shop_log, "--save", "site.npz", "--no-report", "--json", cwd=tmp_path)
    assert first.returncode == 0, first.stderr.decode()
    again = scan(shop_log, "--load", "site.npz", "--no-report", "--json", cwd=tmp_path)
    assert again.returncode == 0, again.stderr.decode()
    key = ("client", "user_agent", "day", "score")
    told = [{tuple(v[k] for k in key) for v in json.loads(run.stdout)["flagged"]} for run in (first, again)]
    assert told[0] == told[1]
    assert told[0]


def test_several_detectors_are_asked_together_today_and_tomorrow(scan: Scan, shop_log: Path, tmp_path: Path) -> None:
    told = []
    for arguments in (["--detector", "knn,histogram", "--save", "site.npz"], ["--load", "site.npz"]):
        done = scan(shop_log, "--no-report", "--json", *arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr.decode()
        result = json.loads(done.stdout)
        assert result["threshold"]["detector"] == "knn,histogram"
        told.append([(visitor["client"], visitor["score"]) for visitor in result["flagged"]])
    assert told[0]
    assert told[0] == told[1]


def test_mask_leaves_no_address(scan: Scan, shop_log: Path, tmp_path: Path) -> None:
    plain = json.loads(scan(shop_log, "--no-report", "--json", cwd=tmp_path).stdout)
    clients = {visitor["client"] for visitor in plain["flagged"]}
    masked = scan(shop_log, "--mask", "--json", "--report", "m.html", "-o", "m.csv", "--sample", "20", cwd=tmp_path)
    assert masked.returncode == 0, masked.stderr.decode()
    written = masked.stdout + (tmp_path / "m.html").read_bytes() + (tmp_path / "m.csv").read_bytes()
    written += (tmp_path / "sample.csv").read_bytes()
    assert clients
    assert not [client for client in clients if f'"{client}"'.encode() in written or f",{client},".encode() in written]


def test_labels_judge_every_detector(scan: Scan, shop_log: Path, tmp_path: Path) -> None:
    import csv

    import polars as pl

    made = scan(shop_log, "--no-report", "--sample", "60", cwd=tmp_path)
    assert made.returncode == 0, made.stderr.decode()
    sheet = tmp_path / "sample.csv"
    truth = pl.read_parquet(shop_log.with_name("truth.parquet"))
    abusive = {
        (client, agent) for client, agent, bad in truth.select("client", "user_agent", "abusive").iter_rows() if bad
    }
    text = sheet.read_text("utf-8").splitlines()
    head = [line for line in text if line.startswith('"#')]
    rows = list(csv.DictReader(line for line in text if not line.startswith('"#')))
    for row in rows:
        row["label"] = "abuse" if (row["client"], row["user_agent"]) in abusive else "honest"
    with sheet.open("w", encoding="utf-8", newline="") as file:
        file.write("\n".join(head) + "\n")
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    judged = scan(shop_log, "--labels", "sample.csv", "--json", cwd=tmp_path)
    assert judged.returncode == 0, judged.stderr.decode()
    figures = json.dumps(json.loads(judged.stdout))
    for name in ("isolation_forest", "lof", "dbscan", "precision", "recall", "roc_auc"):
        assert name in figures


def damaged_inputs(lines: list[bytes]) -> dict[str, bytes]:
    body = b"".join(lines[:2000])
    stamp = lines[0].split(b"[")[1].split(b"]")[0]
    return {
        "truncated gzip": gzip.compress(body)[:-200],
        "long lines": body + b"x" * 1_000_000 + b"\n" + body,
        "invalid utf-8": body.replace(b"Mozilla", b"Moz\xff\xfeilla"),
        "mixed formats": body + b'{"time":"2021-11-04T10:00:00+08:00","remote_addr":"192.0.2.1"}\n' * 50,
        "clock jump": body + body.replace(stamp, b"04/Nov/1999:00:00:01 +0800"),
        "one visitor": b"".join(line for line in lines if line.split(b" ")[0] == lines[0].split(b" ")[0]),
        "one line": lines[0],
        "no line end": body.rstrip(b"\n"),
        "windows line ends": body.replace(b"\n", b"\r\n"),
        "nothing but assets": b"".join(line for line in lines[:4000] if b".css" in line or b".js" in line),
    }


@pytest.mark.parametrize("kind", sorted(damaged_inputs([b"192.0.2.1 - - [04/Nov/2021:00:00:01 +0800] x\n"])))
def test_damaged_logs_get_a_report(scan: Scan, kind: str, lines: list[bytes], tmp_path: Path) -> None:
    log = tmp_path / "damaged.log"
    log.write_bytes(damaged_inputs(lines)[kind])
    done = scan(log, cwd=tmp_path)
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    assert done.returncode == 0, done.stderr.decode()
    assert (tmp_path / "report.html").exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", b"empty"),
        (bytes(range(256)) * 400, b"binary"),
        (b"hello\nworld\n" * 30, b"format"),
        (gzip.compress(b"", mtime=0), b"empty"),
    ],
    ids=["empty", "binary", "prose", "empty gzip"],
)
def test_what_is_no_log_is_refused_clearly(scan: Scan, content: bytes, says: bytes, tmp_path: Path) -> None:
    log = tmp_path / "no.log"
    log.write_bytes(content)
    done = scan(log, cwd=tmp_path)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert says in done.stderr.lower()
    assert b"no.log" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--detect-day", "1999-01-01"], b"1999-01-01"),
        (["--features", "visit"], b"did you mean"),
        (["--detector", "isolaton_forest"], b"did you mean"),
        (["--detector", "knn,histogramm"], b"did you mean"),
        (["--visitor", "cookie"], b"session:NAME"),
        (["--trusted-proxy", "10.0.0.0/99"], b"10.0.0.0/99"),
        (["--false-alarm-budget", "3"], b"false_alarm_budget"),
        (["--load", "nowhere.npz"], b"--save"),
        (["--load", "nowhere.npz", "--detector", "knn", "--routes", "none"], b"--detector, --routes"),
        (["--blocklist", "iptables"], b"nginx"),
        (["--routes", "trie"], b"bilstm"),
        (["--format", "nonsense"], b"combined"),
        (["-o", "out.xlsx"], b".csv"),
        (["-o", "nowhere/out.csv"], b"nowhere/out.csv"),
        (["--sample", "3", "--sample-file", "nowhere/sheet.csv"], b"nowhere/sheet.csv"),
        (["--seed", "-1"], b"seed"),
        (["--block-hours", "1e12", "--blocklist", "plain"], b"block-hours"),
        (["--nonsense"], b"nonsense"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_wrong_use_is_said_clearly(
    scan: Scan, arguments: list[str], says: bytes, shop_log: Path, tmp_path: Path
) -> None:
    done = scan(shop_log, "--no-report", *arguments, cwd=tmp_path)
    # A day that the log does not hold is no fault of the command line.
    assert done.returncode == (1 if arguments[0] == "--detect-day" else 2), done.stdout
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    assert says in done.stderr
    assert done.stdout == b""


@pytest.mark.parametrize(
    ("option", "content", "says"),
    [
        ("--own-address", "300.1.1.1", (b"--own-address '300.1.1.1'", b"192.0.2.0/24")),
        ("--roles", '"/a" = "offer"\n"/deals/*" = "ofer"\n', (b"file.txt", b"ofer", b"line 2", b"offer, login")),
        ("--roles", "nonsense\n", (b"file.txt", b"line 1", b'"/deals/*" = "offer"')),
        ("--roles", None, (b"file.txt", b"cannot be read")),
        ("--networks", "own,192.0.2.0/24\nour edge,192.0.2.0/24\n", (b"file.txt", b"line 2", b"'our edge'", b"cdn")),
        ("--networks", None, (b"file.txt", b"cannot be read: No such file")),
        ("--ignore", "[[ignore]]\naddresses = []\n", (b"file.txt", b"entry 1", b"user_agents")),
        ("--settings", "[scan]\nmin_visit = 3\n", (b"min_visit", b"did you mean")),
    ],
)
def test_wrong_option_files_are_wrong_use(
    scan: Scan, option: str, content: str | None, says: tuple[bytes, ...], shop_log: Path, tmp_path: Path
) -> None:
    value = content or "file.txt"
    if option != "--own-address":
        value = "file.txt"
        if content is not None:
            (tmp_path / value).write_text(content)
    done = scan(shop_log, "--no-report", option, value, cwd=tmp_path)
    assert done.returncode == 2, done.stderr.decode()
    for part in says:
        assert part in done.stderr, done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert done.stdout == b""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--report", "a.log"],
        ["--no-report", "--save", "a.log"],
        ["--no-report", "--sample", "3", "--sample-file", "a.log"],
    ],
)
def test_no_output_goes_over_the_log(scan: Scan, arguments: list[str], lines: list[bytes], tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(b"".join(lines[:500]))
    done = scan("a.*", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert b"a.log is a log that is read" in done.stderr
    assert log.read_bytes() == b"".join(lines[:500])


def test_labels_are_read_before_the_log(scan: Scan, shop_log: Path, tmp_path: Path) -> None:
    done = scan(shop_log, "--labels", "nowhere.csv", cwd=tmp_path)
    assert done.returncode == 1
    assert b"labels nowhere.csv: No such file" in done.stderr


def test_a_saved_state_that_is_none_is_refused(scan: Scan, shop_log: Path, tmp_path: Path) -> None:
    for content in (b"", b"PK\x03\x04 no", b"\x80\x04\x95pickle"):
        (tmp_path / "bad.npz").write_bytes(content)
        done = scan(shop_log, "--no-report", "--load", "bad.npz", cwd=tmp_path)
        assert done.returncode == 1
        assert b"Traceback" not in done.stderr
        assert b"bad.npz" in done.stderr


def test_a_missing_file_is_named(scan: Scan, tmp_path: Path) -> None:
    done = scan("nowhere.log", cwd=tmp_path)
    assert done.returncode != 0
    assert b"nowhere.log" in done.stderr
    assert b"Traceback" not in done.stderr


def test_labels_and_other_outputs_are_not_mixed(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text('192.0.2.1 - - [10/Oct/2021:13:55:36 +0000] "GET / HTTP/1.1" 200 5 "-" "x"\n')
    sheet = tmp_path / "s.csv"
    sheet.write_text("visitor,day,label\n")
    done = subprocess.run(
        [sys.executable, "-m", "floorwalker.cli", "scan", str(log), "--labels", str(sheet), "--blocklist", "nginx"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr


def test_a_packed_log_cut_off_in_its_first_block_is_not_called_empty_alone(tmp_path: Path) -> None:
    import bz2

    line = '192.0.2.1 - - [10/Oct/2021:13:55:36 +0000] "GET /{} HTTP/1.1" 200 5 "-" "x"\n'
    packed = bz2.compress("".join(line.format(number * 7919 % 100_003) for number in range(60_000)).encode())
    log = tmp_path / "a.log.bz2"
    log.write_bytes(packed[:300])
    done = subprocess.run(
        [sys.executable, "-m", "floorwalker.cli", "scan", str(log), "--no-report"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "cut off" in done.stderr
