"""A kept connection is given up after its time and not before; at once where an answer cannot be sent."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
import uvicorn
from uvicorn.server import ServerState

from floorwalker.server.direct import DirectProtocol, PlainRequest
from floorwalker.server.engine import Outcome

KEPT_SECONDS = 0.3


async def with_connection(scenario: Callable[[DirectProtocol, asyncio.StreamReader], Awaitable[None]]) -> None:
    """A real connection to the protocol, without anything behind it."""

    async def nothing(scope: object, receive: object, send: object) -> None:
        raise AssertionError("no request was sent")

    config = uvicorn.Config(nothing, lifespan="off", log_config=None)
    config.load()
    made: list[DirectProtocol] = []

    def make() -> DirectProtocol:
        made.append(DirectProtocol(config=config, server_state=ServerState(), app_state={}))
        made[0].timeout_keep_alive = KEPT_SECONDS  # type: ignore[assignment]
        return made[0]

    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    while not made or made[0].transport is None:
        await asyncio.sleep(0.01)
    try:
        await asyncio.wait_for(scenario(made[0], reader), 20)
    finally:
        writer.close()
        server.close()


def test_who_sends_nothing_after_a_reply_is_hung_up_on() -> None:
    async def scenario(protocol: DirectProtocol, reader: asyncio.StreamReader) -> None:
        protocol._end_response()
        began = asyncio.get_running_loop().time()
        assert await reader.read() == b""
        assert asyncio.get_running_loop().time() - began >= 0.9 * KEPT_SECONDS

    asyncio.run(with_connection(scenario))


def test_who_is_being_served_is_not_and_the_time_begins_again_with_the_next_reply() -> None:
    async def scenario(protocol: DirectProtocol, reader: asyncio.StreamReader) -> None:
        protocol._end_response()
        # Bytes of the next request arrived.
        protocol._unset_keepalive_if_required()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(), 3 * KEPT_SECONDS)
        began = asyncio.get_running_loop().time()
        protocol._end_response()
        assert await reader.read() == b""
        assert asyncio.get_running_loop().time() - began >= 0.9 * KEPT_SECONDS

    asyncio.run(with_connection(scenario))


def test_who_cannot_be_answered_is_hung_up_on() -> None:
    async def scenario(protocol: DirectProtocol, reader: asyncio.StreamReader) -> None:
        reported: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
        # A protocol without a service makes no reply of it.
        PlainRequest(protocol).set_result(cast(Outcome, None))
        assert await reader.read() == b""
        assert [context["message"] for context in reported] == ["an answer was not sent"]

    asyncio.run(with_connection(scenario))
