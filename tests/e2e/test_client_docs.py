"""The examples of docs/client.md and docs/collector.md run as they stand, and the tables name what there is."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from floorwalker_client import Client
from floorwalker_client.web.asgi import ASGIGuard
from floorwalker_client.web.guard import NETWORK_FIELDS

from floorwalker.events.event import ClientSignals, DeviceFacts, NetworkFacts
from floorwalker.server.collector.settings import CollectorSettings
from floorwalker.testing.shop_server import Shop

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = ("client.md", "collector.md")


def _examples() -> Iterator[Any]:
    for page in PAGES:
        blocks = re.findall(r"```python\n(.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL)
        assert blocks
        for number, block in enumerate(blocks, 1):
            yield pytest.param(block, id=f"{page} {number}")


@pytest.mark.parametrize("block", list(_examples()))
def test_an_example_runs(block: str, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOORWALKER_URL", str(shop.client.base_url).rstrip("/"))
    monkeypatch.setenv("FLOORWALKER_KEY", shop.key)
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(block, "example", "exec"), names)
    app = names.get("app")
    if isinstance(app, ASGIGuard):

        async def visit() -> int:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://shop.example.com") as web:
                status = (await web.get("/")).status_code
            await app.client.close()
            return status

        assert asyncio.run(visit()) == 200
    elif app is not None:
        with httpx.Client(transport=httpx.WSGITransport(app), base_url="http://shop.example.com") as web:
            assert web.get("/").status_code == 200
            if "Collector" in block:
                assert b"Floorwalker" in web.get("/_fw/collector.js").content
        app.client.close()
    if app is not None:
        app.background.close(20.0)
        assert app.background.figures.rejected == 0
        app.background.client.close()


def test_the_collectors_page_names_every_field() -> None:
    text = (DOCS / "collector.md").read_text("utf-8")
    named = set(re.findall(r"`((?:signals|device_facts|network)?\.[a-z0-9_]+)`", text))
    for room, kind in (("signals", ClientSignals), ("device_facts", DeviceFacts), ("network", NetworkFacts)):
        for name in kind.__struct_fields__:
            assert {f"{room}.{name}", f".{name}"} & named, f"{room}.{name}"
    for name in CollectorSettings.__struct_fields__:
        assert f"\n{name} = " in text
    script = (DOCS.parent / "src/floorwalker/server/collector/collector.js").read_text("utf-8")
    for name in re.findall(r"\bset\.([a-z]+)", script):
        assert f"data-{name}" in text
    for name, confidence in re.findall(r"^    ([a-z]+): \[.*, (0\.\d)\],$", script, re.MULTILINE):
        assert f"`{name}` {confidence}" in text


def test_the_clients_page_names_every_call_and_action() -> None:
    text = (DOCS / "client.md").read_text("utf-8")
    calls = [name for name in vars(Client) if not name.startswith("_") and name != "close"]
    assert len(calls) == 8
    for name in calls:
        assert f"`{name}(" in text
    for action in ("allow", "throttle", "challenge", "step_up", "limit", "review", "quarantine", "freeze", "block"):
        assert f"`{action}`" in text
    assert set(NETWORK_FIELDS) <= set(NetworkFacts.__struct_fields__)
