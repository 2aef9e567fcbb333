"""Sockets: TLS, names that are slow to look up, forked processes, servers that come back."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import ipaddress
import json
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from floorwalker_client import (
    AsyncClient,
    Background,
    Client,
    DeadlineError,
    PartlySentError,
    UnavailableError,
    UnreachableError,
    UsageError,
)
from floorwalker_client.wire import Address

PATIENT = 20.0
DECISION = {
    "decision_id": "dc_1_1",
    "event_id": "e-1",
    "action": "allow",
    "private": {"risk": 0, "level": "low", "intended": "allow"},
}


class _Server(ThreadingHTTPServer):
    """Answers what the test puts into `statuses` first, then 200."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.statuses: list[tuple[int, dict[str, str]]] = []
        self.seen: list[tuple[str, str | None, bytes]] = []
        self.connections = 0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        self.server.connections += 1
        super().setup()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, self.headers.get("Idempotency-Key"), body))
        status, headers = self.server.statuses.pop(0) if self.server.statuses else (200, {})
        many = {"accepted": len(body.split(b"\n")), "duplicates": 0, "rejected": 0, "faults": []}
        answer = json.dumps(many if self.path == "/v1/events" else DECISION).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        pass


@contextlib.contextmanager
def _serve(context: ssl.SSLContext | None = None, port: int = 0) -> Iterator[_Server]:
    with _Server(port) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def _make_certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


def test_tls_is_checked_and_has_the_same_deadline(tmp_path: Path) -> None:
    certificate, key = _make_certificate(tmp_path)
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(certificate, key)
    ours = ssl.create_default_context(cafile=str(certificate))
    with _serve(theirs) as server:
        url = f"https://127.0.0.1:{server.server_port}"
        with Client(url, "fw_key", timeout=PATIENT, context=ours) as client:
            assert all(client.decide({"type": "logout"}).answered for _ in range(3))
        with Client(url, "fw_key", timeout=PATIENT) as stranger:
            assert "certificate" in stranger.decide({"type": "logout"}).failure.lower()

        async def use() -> None:
            async with AsyncClient(url, "fw_key", timeout=PATIENT, context=ours) as client:
                assert (await client.decide({"type": "logout"})).answered
            async with AsyncClient(url, "fw_key", timeout=PATIENT) as client:
                assert not (await client.decide({"type": "logout"})).answered

        asyncio.run(use())
    # A listener that accepts and never shakes hands.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        with Client(f"https://127.0.0.1:{silent.getsockname()[1]}", "fw_key", timeout=0.3, context=ours) as client:
            assert not client.decide({"type": "logout"}).answered
        assert time.monotonic() - started < 5.0


def test_a_name_that_is_not_found_in_time_keeps_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()

    def look_up(*_: Any, **__: Any) -> Any:
        ended.wait(PATIENT)
        raise OSError("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with Client("http://floorwalker.example.com", "fw_key", patience=0.3) as client:
        started = time.monotonic()
        with pytest.raises(DeadlineError):
            client.decision("dc_1_1")
        assert time.monotonic() - started < 5.0
    ended.set()


def test_a_name_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with (
        Client("http://floorwalker.example.com", "fw_key", patience=0.2) as client,
        pytest.raises(UnreachableError, match="not found"),
    ):
        client.decision("dc_1_1")


def test_a_busy_server_is_asked_again_with_the_same_words() -> None:
    with _serve() as server, Client(f"http://127.0.0.1:{server.server_port}", "fw_key", patience=PATIENT) as client:
        server.statuses = [(503, {}), (429, {"Retry-After": "1"}), (502, {})]
        started = time.monotonic()
        assert client.send([{"type": "logout", "account": "a"}]).accepted == 1
        assert time.monotonic() - started >= 1.0
        assert len(server.seen) == 4
        assert len({(key, body) for _, key, body in server.seen}) == 1
        assert server.seen[0][1]


def test_a_wait_that_would_be_too_long_is_not_begun() -> None:
    with _serve() as server, Client(f"http://127.0.0.1:{server.server_port}", "fw_key", patience=2.0) as client:
        server.statuses = [(503, {"Retry-After": "600"})]
        started = time.monotonic()
        with pytest.raises(UnavailableError) as met:
            client.send([{"type": "logout"}])
        assert met.value.retry_after == 600.0
        assert time.monotonic() - started < 1.5


def test_what_was_sent_before_the_end_is_said() -> None:
    with _serve() as server, Client(f"http://127.0.0.1:{server.server_port}", "fw_key", patience=0.5) as client:
        server.statuses = [(200, {}), (200, {}), (503, {"Retry-After": "600"})]
        with pytest.raises(PartlySentError) as met:
            client.send([{"type": "logout", "account": str(n)} for n in range(10)], piece=3)
        assert (met.value.sent, met.value.receipt.accepted) == (6, 6)
        assert isinstance(met.value.__cause__, UnavailableError)


def test_what_waited_is_sent_once_the_server_is_back() -> None:
    with _serve() as server:
        port = server.server_port
    client = Client(f"http://127.0.0.1:{port}", "fw_key", patience=0.2)
    background = Background(client, most=30, piece=7, every=0.02)
    assert all(background.tell({"type": "logout", "account": str(n)}) for n in range(20))
    time.sleep(0.3)
    assert background.figures.sent == 0
    with _serve(port=port) as server:
        deadline = time.monotonic() + PATIENT
        while background.figures.sent < 20 and time.monotonic() < deadline:
            background.flush(0.5)
        told = [json.loads(line)["account"] for _, _, body in server.seen for line in body.split(b"\n")]
        background.close()
    client.close()
    assert told == [str(n) for n in range(20)]  # in order, none lost, none twice
    assert background.figures.dropped == 0
    assert not background.tell({"type": "logout"})


def test_what_is_no_event_is_dropped_and_nothing_is_raised() -> None:
    with Client("http://127.0.0.1:9", "fw_key") as client:
        background = Background(client)
        odd: list[Any] = [None, 5, {}, {"type": 3}, [("type", "logout")]]
        assert not any(background.tell(event) for event in odd)
        assert background.figures.dropped == 5
        assert all(client.decide(event).action == "allow" for event in odd)
        assert client.decide({"type": "logout", "attributes": {"x": float("nan")}}).answered is False
        assert client.decide({"type": "logout", "attributes": {"x": object()}}).answered is False


FORK = """
import os, sys, time
from floorwalker_client import Background, Client
client = Client(sys.argv[1], "fw_key", timeout=20.0)
background = Background(client, every=0.02)
assert client.decide({"type": "logout", "account": "parent"}).answered
background.tell({"type": "logout", "account": "parent"})
assert background.flush(20)
child = os.fork()
name = "parent" if child else "child"
for _ in range(5):
    assert client.decide({"type": "logout", "account": name}).answered
background.tell({"type": "logout", "account": name})
assert background.flush(20), background.figures
assert background.figures.sent == (2 if child else 1), background.figures
background.close()
if child == 0:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""


HALF: str = json.loads('"nice \\ud83d"')
"""Half a character, as a shop gets it from a phone that cuts texts; it cannot be written as UTF-8."""


def test_an_event_that_cannot_be_written_keeps_no_other_back() -> None:
    with _serve() as server, Client(f"http://127.0.0.1:{server.server_port}", "fw_key", timeout=PATIENT) as client:
        background = Background(client, most=50, piece=10, every=0.05)
        assert not background.tell({"type": "review", "account": "a", "text": HALF})
        assert not background.tell({"type": "review", "attributes": {HALF: 1}})
        assert not background.tell({"type": "review", "rating": float("nan")})
        assert not background.report("d-1", "allow", reason=HALF)
        assert not background.report(HALF, "allow")
        assert all(background.tell({"type": "search", "session": f"s-{number}"}) for number in range(40))
        assert background.flush(PATIENT)
        figures = background.figures
        assert (figures.taken, figures.sent, figures.rejected, figures.dropped) == (40, 40, 0, 5)
        background.close()
        # Whoever waits for a decision gets the failure policy's.
        decision = client.decide({"type": "review", "text": HALF})
        assert (decision.action, decision.answered) == ("allow", False)
        with pytest.raises(UsageError, match="cannot be written as JSON"):
            client.send([{"type": "review", "text": HALF}])
    assert all(HALF.encode("utf-8", "surrogatepass") not in body for _, _, body in server.seen)


def test_a_fault_of_the_client_itself_costs_only_the_event_that_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with _serve() as server, Client(f"http://127.0.0.1:{server.server_port}", "fw_key", timeout=PATIENT) as client:
        background = Background(client, every=60.0)
        monkeypatch.setattr(type(client.core), "check", lambda core, told: None)
        for number in range(9):
            assert background.tell({"type": "review", "text": HALF if number == 4 else "nice"})
        assert background.report(HALF, "allow")
        monkeypatch.undo()
        assert background.flush(PATIENT)
        figures = background.figures
        assert (figures.taken, figures.sent, figures.rejected, figures.dropped) == (10, 8, 2, 0)
        background.close()
    with pytest.raises(UsageError, match="piece is 0"):
        Background(client, piece=0)


def test_a_forked_process_has_connections_and_a_thread_of_its_own() -> None:
    with _serve() as server:
        url = f"http://127.0.0.1:{server.server_port}"
        done = subprocess.run(
            [sys.executable, "-c", FORK, url], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        assert len(server.seen) == 11 + 3
        assert server.connections >= 2


def test_the_end_of_a_process_sends_what_waits() -> None:
    script = (
        "import sys; from floorwalker_client import Background, Client;"
        "background = Background(Client(sys.argv[1], 'fw_key'), every=60.0);"
        "[background.tell({'type': 'logout'}) for _ in range(5)]"
    )
    with _serve() as server:
        url = f"http://127.0.0.1:{server.server_port}"
        subprocess.run([sys.executable, "-c", script, url], check=True, timeout=60)
        assert sum(len(body.split(b"\n")) for _, _, body in server.seen) == 5


@pytest.mark.parametrize(
    "url", ["", "floorwalker", "ftp://a", "http://", "http://ann:pw@a", "http://a:port", "http://a?x=1", "http://[::1"]
)
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(UsageError, match="allowed"):
        Address.parse(url)


def test_addresses() -> None:
    assert Address.parse("http://[2001:db8::1]:8080").authority == "[2001:db8::1]:8080"
    assert Address.parse("https://floorwalker.example.com").authority == "floorwalker.example.com"


@pytest.mark.parametrize(
    "settings", [{"timeout": 0.0}, {"timeout": -1.0}, {"patience": 1e9}, {"timeout": float("nan")}]
)
def test_time_limits_that_are_none(settings: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="allowed"):
        Client("http://127.0.0.1:9", "fw_key", **settings)


@pytest.mark.parametrize("key", ["", "fw key", "fw_\r\nX: y", "fw_é"])
def test_keys_that_are_none_are_not_quoted(key: str) -> None:
    with pytest.raises(UsageError) as met:
        Client("http://127.0.0.1:9", key)
    assert not key or key not in str(met.value)
