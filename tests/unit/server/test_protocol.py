"""What a connection may send: nothing without end, and no byte of one request is another's."""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from floorwalker.server.direct import DirectProtocol
from floorwalker.server.protocol import MOST_HEAD_BYTES, MOST_HEADERS

Message = MutableMapping[str, Any]
HOST = b" HTTP/1.1\r\nHost: x\r\n"
CLOSE = b"Connection: close\r\n\r\n"
UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAI\r\n"
MANY = b"X-Y: 1\r\n" * (MOST_HEADERS + 20)


@dataclass
class Heard:
    """An application that answers with what it was sent, slowly where the path says so."""

    bodies: list[tuple[str, bytes]] = field(default_factory=list)
    names: list[bytes] = field(default_factory=list)

    async def __call__(self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message["body"]
            if not message["more_body"]:
                break
        if scope["path"] == "/slow":
            await asyncio.sleep(0.2)
        self.bodies.append((scope["path"], body))
        self.names += [name for name, _ in scope["headers"]]
        head = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": body})


async def exchange(heard: Heard, parts: tuple[bytes, ...], between: float) -> bytes:
    config = uvicorn.Config(heard, lifespan="off", log_config=None, ws="none")
    config.load()
    server = await asyncio.get_running_loop().create_server(
        lambda: DirectProtocol(config=config, server_state=ServerState(), app_state={}), "127.0.0.1", 0
    )
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    answer = b""
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(between)
        while piece := await asyncio.wait_for(reader.read(65_536), 3):
            answer += piece
    except ConnectionError:
        answer += b"hung up"
    except TimeoutError:
        answer += b"<still open>"
    finally:
        writer.close()
        server.close()
    return answer


def send(heard: Heard, *parts: bytes, between: float = 0.02) -> bytes:
    """What is answered to these writes, to the end of the connection."""
    return asyncio.run(exchange(heard, parts, between))


def post(path: bytes, body: bytes, more: bytes = b"") -> bytes:
    return b"POST " + path + HOST + more + b"Content-Length: %d\r\n\r\n" % len(body) + body


def problem_of(answer: bytes) -> Message:
    """The problem with which a connection ends, after whatever was answered before."""
    head, body = answer[answer.rindex(b"HTTP/1.1 4") :].split(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    assert {"content-type: application/problem+json", f"content-length: {len(body)}", "connection: close"} <= {*lines}
    found: Message = json.loads(body)
    assert found["title"]
    assert found["detail"]
    return found


LAST = b"GET /last" + HOST + CLOSE


@pytest.mark.parametrize("cut", [0, 5, -13, -7], ids=["whole", "in the line", "before the body", "in the body"])
@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
def test_a_body_is_read_whatever_else_the_client_would_rather_speak(cut: int, version: bytes) -> None:
    heard = Heard()
    inner = b"GET /inner \r\n"
    request = post(b"/a", inner, UPGRADE).replace(b"HTTP/1.1", b"HTTP/" + version, 1)
    answer = send(heard, *((request[:cut], request[cut:]) if cut else (request,)), LAST if version == b"1.1" else b"")
    assert heard.bodies[0] == ("/a", inner)
    assert [path for path, _ in heard.bodies[1:]] == (["/last"] if version == b"1.1" else [])
    assert answer.count(b"HTTP/1.1 200") == len(heard.bodies)
    assert b"upgrade" not in heard.names


def test_a_smuggled_request_is_a_body() -> None:
    heard = Heard()
    inner = b"GET /smuggled" + HOST + b"\r\n"
    request = post(b"/a", inner, UPGRADE)
    send(heard, request[: -len(inner)], inner, LAST)
    assert heard.bodies == [("/a", inner), ("/last", b"")]


def test_requests_that_would_upgrade_may_be_in_chunks_without_body_and_pipelined() -> None:
    heard = Heard()
    chunked = b"POST /c" + HOST + UPGRADE + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    answer = send(heard, b"GET /a" + HOST + UPGRADE + b"\r\n" + post(b"/b", b"one", UPGRADE) + chunked + LAST)
    assert heard.bodies == [("/a", b""), ("/b", b"one"), ("/c", b"abc"), ("/last", b"")]
    assert answer.count(b"HTTP/1.1 200") == 4
    assert send(heard, b"CONNECT a:1" + HOST + b"Content-Length: 3\r\n\r\nabc").startswith(b"HTTP/1.1 400")


CHUNKED = b"POST /a" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "without_end",
    [b"X: a\r\n" * 1_000, b"X" * 6_000, b"X: " + b"a" * 6_000],
    ids=["trailers", "a trailer's name", "a trailer's value"],
)
@pytest.mark.parametrize("body", [b"", b"3\r\nabc\r\n"], ids=["no body", "a body"])
def test_trailers_without_end_are_hung_up_on(without_end: bytes, body: bytes) -> None:
    heard = Heard()
    more = without_end if without_end.endswith(b"\n") else without_end[-1:] * 6_000
    answer = send(heard, CHUNKED + body + b"0\r\n", without_end, *[more] * (MOST_HEAD_BYTES // 6_000 + 2))
    assert answer.startswith((b"HTTP/1.1 431", b"hung up")), answer[:100]
    assert not answer.endswith(b"<still open>")
    assert heard.bodies == []


def test_trailers_are_no_headers_and_extensions_of_chunks_are_bounded() -> None:
    heard = Heard()
    send(heard, CHUNKED + b"3\r\nabc\r\n0\r\nX-Role: admin\r\n", b"X-More: y\r\n\r\n" + LAST)
    assert heard.bodies == [("/a", b"abc"), ("/last", b"")]
    assert not {b"x-role", b"x-more"} & set(heard.names)
    answer = send(heard, CHUNKED + b"3;a=", *[b"b" * 6_000] * (MOST_HEAD_BYTES // 6_000 + 2))
    assert answer.startswith((b"HTTP/1.1 431", b"hung up")), answer[:100]


@pytest.mark.parametrize("is_split", [False, True])
@pytest.mark.parametrize("path", [b"/a", b"/slow"])
def test_a_refused_head_alters_no_request_before_it(path: bytes, is_split: bool) -> None:
    heard = Heard()
    requests = (post(path, b"mine"), post(b"/b", b"second"), post(b"/c", b"smuggled", MANY) + LAST)
    answer = send(heard, *(requests if is_split else (b"".join(requests),)))
    assert heard.bodies == [(path.decode(), b"mine"), ("/b", b"second")]
    assert answer.count(b"HTTP/1.1 200") == 2
    assert answer.index(b"second") < answer.index(b"HTTP/1.1 431")
    assert problem_of(answer)["status"] == 431


def test_what_is_no_http_alters_no_request_before_it_either() -> None:
    heard = Heard()
    answer = send(heard, post(b"/slow", b"mine") + b"no HTTP at all\r\n\r\n" + LAST)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"HTTP/1.1 400" in answer
    heard = Heard()
    answer = send(heard, post(b"/slow", b"mine") + CHUNKED + b"no length\r\n" + LAST)
    assert answer.startswith(b"HTTP/1.1 200")
    assert problem_of(answer)["status"] == 400
    assert heard.bodies == [("/slow", b"mine")]
    assert send(Heard(), CHUNKED + b"no length\r\n").startswith(b"HTTP/1.1 400")


def head_of(length: int) -> bytes:
    start, end = b"GET /a" + HOST + b"X-A: ", b"\r\n" + CLOSE
    return start + b"a" * (length - len(start) - len(end)) + end


@pytest.mark.parametrize("pieces", [1, 2, 7])
@pytest.mark.parametrize(("length", "is_taken"), [(MOST_HEAD_BYTES, True), (MOST_HEAD_BYTES + 1, False),
                                                  (120_000, False)])  # fmt: skip
def test_a_head_has_the_same_bound_however_it_arrives(length: int, is_taken: bool, pieces: int) -> None:
    head, size = head_of(length), -(-length // pieces)
    answer = send(Heard(), *(head[at : at + size] for at in range(0, length, size)))
    assert answer.startswith(b"HTTP/1.1 200") if is_taken else answer.startswith((b"HTTP/1.1 431", b"hung up"))


def test_bytes_of_bodies_are_none_of_a_head() -> None:
    heard = Heard()
    body = b"b" * 60_000
    # The last bytes of the body come with a part of the next head, and the rest of that head with its own body.
    first, second = post(b"/a", body), post(b"/b", body, b"X-A: " + b"a" * 30_000 + b"\r\n")
    send(heard, first[:-50_000], first[-50_000:] + second[:20_000], second[20_000:] + LAST)
    assert heard.bodies == [("/a", body), ("/b", body), ("/last", b"")]
