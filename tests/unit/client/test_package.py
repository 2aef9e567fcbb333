"""The package as a whole: its doctests, its weight, its words against the server's."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import subprocess
import sys
import typing

import floorwalker_client
import pytest
from floorwalker_client import fields
from floorwalker_client.failing import ACTIONS
from floorwalker_client.web import collector as client_collector

from floorwalker.events import abuse
from floorwalker.events.event import (
    Address,
    CardFacts,
    ClientSignals,
    DeviceFacts,
    Discount,
    Dispute,
    Event,
    NetworkFacts,
    OrderLine,
    ThreeDSecure,
)
from floorwalker.server.collector import signing
from floorwalker.server.collector.message import BrowserDevice

MODULES = sorted(module.name for module in pkgutil.walk_packages(floorwalker_client.__path__, "floorwalker_client."))


@pytest.mark.parametrize("name", ["floorwalker_client", *MODULES])
def test_examples_in_docstrings(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_importing_it_brings_nothing_heavy() -> None:
    script = "import sys, floorwalker_client.web.wsgi; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in found.stdout.split()}
    assert loaded & {"numpy", "asyncio", "ssl", "httpx", "msgspec", "floorwalker", "uuid"} <= {"uuid"}
    assert {name for name in loaded if name in ("h11", "floorwalker_client")} == {"h11", "floorwalker_client"}


def test_it_knows_the_servers_actions() -> None:
    assert ACTIONS == abuse.ACTIONS


@pytest.mark.parametrize(
    ("ours", "theirs", "missing"),
    [
        # `received_at` and `identity` are the server's own to fill in.
        (fields.EventFields, Event, {"received_at", "identity"}),
        (fields.AddressFields, Address, set()),
        (fields.LineFields, OrderLine, set()),
        (fields.DiscountFields, Discount, set()),
        (fields.CardFields, CardFacts, set()),
        (fields.ThreeDSecureFields, ThreeDSecure, set()),
        (fields.DisputeFields, Dispute, set()),
        (fields.DeviceFields, DeviceFacts, set()),
        (fields.SignalFields, ClientSignals, set()),
        (fields.NetworkFields, NetworkFacts, set()),
    ],
)
def test_its_fields_are_the_servers(ours: type, theirs: type, missing: set[str]) -> None:
    assert set(typing.get_type_hints(ours)) == set(theirs.__struct_fields__) - missing


def test_the_collectors_names_are_the_servers() -> None:
    assert set(client_collector._SIGNALS) == set(ClientSignals.__struct_fields__)
    assert set(client_collector._DEVICE) == set(BrowserDevice.__struct_fields__)


@pytest.mark.parametrize("shop", ["default", "north\x00south", "é"])
def test_both_make_the_same_signatures(shop: str) -> None:
    secret = b"sixteen bytes or more"
    for kind, value in (("device", "fd1_x"), ("session", "s-1"), ("session", "")):
        assert client_collector.sign(secret, kind, shop, value) == signing.sign(secret, kind, shop, value)
    assert client_collector.sign(secret, "device", shop, "a") != client_collector.sign(secret, "session", shop, "a")
