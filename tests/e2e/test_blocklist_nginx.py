"""A real nginx loads the blocklist and turns the blocked away."""

import http.client
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from floorwalker.sinks.blocklist import BlockEntry, write_entries

NOW = datetime(2024, 7, 2, 22, 0, tzinfo=UTC)
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/bin")

pytestmark = pytest.mark.skipif(
    NGINX is None, reason="no nginx binary on this machine (Debian: apt install nginx-light)"
)

HOSTILE = 'claims\n} http { server { listen 1; } }\r\ndeny all;\\ \u2028 "${x}" `id`'


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [
        str(NGINX),
        "-p",
        str(folder),
        "-c",
        str(folder / "nginx.conf"),
        "-e",
        str(folder / "error.log"),
        *options,
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """A folder with a blocklist of 127.0.0.2 and ::2, loaded by a server on a free port; stopped afterwards."""
    # Made by hand: the blocklist builder would rightly refuse loopback addresses.
    entries = [
        BlockEntry("127.0.0.2", "proven", HOSTILE, HOSTILE, NOW + timedelta(hours=1)),
        BlockEntry("2001:db8::/64", "strong pattern", "too many pages", "pace.fast", NOW + timedelta(hours=1)),
    ]
    (tmp_path / "deny.conf").write_text(write_entries(entries, "nginx", made_at=NOW), "utf-8")
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "index.html").write_text("welcome")
    port = free_port()
    temporary = "".join(
        f"{kind}_temp_path {tmp_path}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if hasattr(os, "geteuid") and os.geteuid() == 0 else ""
    (tmp_path / "nginx.conf").write_text(
        f"{user}\ndaemon on;\nworker_processes 1;\npid {tmp_path}/nginx.pid;\nerror_log {tmp_path}/error.log;\n"
        f"events {{ worker_connections 64; }}\nhttp {{\naccess_log off;\n{temporary}"
        f"server {{ listen 127.0.0.1:{port}; root {tmp_path}/page; include {tmp_path}/deny.conf; }}\n}}\n"
    )
    yield tmp_path, port
    if (tmp_path / "nginx.pid").exists():
        run(tmp_path, "-s", "stop")


def ask(port: int, source: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5, source_address=(source, 0))
    try:
        connection.request("GET", "/")
        return connection.getresponse().status
    finally:
        connection.close()


def can_use(source: str) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((source, 0))
        except OSError:
            return False
    return True


def test_nginx_takes_the_file_and_enforces_it(server: tuple[Path, int]) -> None:
    folder, port = server
    checked = run(folder, "-t")
    assert checked.returncode == 0, checked.stderr
    if not can_use("127.0.0.2"):
        pytest.skip("this system has no address 127.0.0.2 (macOS: ifconfig lo0 alias 127.0.0.2)")
    started = run(folder)
    assert started.returncode == 0, started.stderr
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            status = ask(port, "127.0.0.1")
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
    assert status == 200
    assert ask(port, "127.0.0.2") == 403
    assert ask(port, "127.0.0.3") == 200


def test_a_broken_file_would_be_noticed(server: tuple[Path, int]) -> None:
    folder, _ = server
    with (folder / "deny.conf").open("a") as stream:
        stream.write("deny nobody at all;\n")
    assert run(folder, "-t").returncode != 0
