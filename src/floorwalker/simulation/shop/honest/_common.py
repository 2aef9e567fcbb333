"""What the events of one person's visit carry, in the scalar writers; `facts` makes the same as columns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.random import Generator

from floorwalker.events.event import ClientSignals, Event, NetworkFacts
from floorwalker.simulation.shop.diary import Entry
from floorwalker.simulation.shop.honest.shelf import HOST, RATES, shelf_of
from floorwalker.simulation.shop.honest.signalling import draw_signals
from floorwalker.simulation.shop.persona import Persona
from floorwalker.simulation.shop.scenario import MINUTE, SECOND
from floorwalker.simulation.shop.world.devices import RENEWED_APPS

if TYPE_CHECKING:
    from floorwalker.simulation.shop.world import World

WITH_DEVICE_FACTS = frozenset({"client_signals", "login_succeeded", "login_failed", "sign_up", "checkout"})
"""Types that also carry `device_facts`."""
IN_TABS, SAYS_NOTHING = 0.06, 0.04
"""Shares of pages that name the page before the one before as the one they come from, and that name none."""
_HELD = 20 * MINUTE
_AHEAD = 3
_MOST_KEPT = 50_000
_TOUCHED = frozenset({"phone", "tablet"})


def common(
    world: World,
    persona: Persona,
    at: int,
    *,
    device: int = 0,
    network: int = 0,
    session: str = "",
    login: bool = True,
    kind: str = "",
) -> dict[str, Any]:
    """The fields that every event of a visit carries.

    Parameters
    ----------
    at : microseconds; networks change their addresses with time.
    device, network : places in the persona's devices and networks.
    session : name of the visit, "" for none.
    login : whether the person is logged in.
    kind : type of the event: some also carry what is known of the device.
    """
    seen = persona.devices[device]
    address, known = _connection(world, persona.networks[network], at)
    facts: dict[str, Any] = {
        "ip": address,
        "user_agent": seen.user_agent,
        "channel": seen.channel,
        "language": seen.language,
        "country": persona.country,
        "network": known if not seen.ja4 else msgspec.structs.replace(known, ja4=seen.ja4),
    }
    if session:
        facts["session"] = session
    if seen.id:
        facts["device"] = seen.id
    if login and persona.account and not persona.guest:
        facts["account"] = persona.account
    if kind in WITH_DEVICE_FACTS and seen.facts is not None:
        facts["device_facts"] = seen.facts
    return facts


def _connection(world: World, name: str, at: int) -> tuple[str, NetworkFacts]:
    """Address and what is known of it; a connection keeps its address for minutes, so it is asked for once in them.

    Whoever comes stays for a while: the next minutes' addresses are asked for in the same breath.
    """
    kept = shelf_of(world).connections
    key = (name, at // _HELD)
    found = kept.get(key)
    if found is None:
        if len(kept) > _MOST_KEPT:
            kept.clear()
        # The organisation's name says no more than its number, and takes more room.
        facts = msgspec.structs.replace(world.networks.facts(name, at), organisation=None)
        held = range(key[1], key[1] + _AHEAD)
        for place, address in zip(held, world.networks.addresses_at(name, [one * _HELD for one in held]), strict=True):
            kept[name, place] = (address, facts)
        found = kept[key]
    return found


def touches(persona: Persona, device: int) -> bool:
    """Whether the device is touched rather than pointed at."""
    facts = persona.devices[device].facts
    return facts is not None and facts.kind in _TOUCHED


def is_renewed(persona: Persona, device: int) -> bool:
    """Whether the device has the app's new release."""
    facts = persona.devices[device].facts
    return facts is not None and facts.app_version in RENEWED_APPS


def signals(
    world: World, persona: Persona, at: int, rng: Generator, *, device: int = 0, form: bool = False, pages: float = 5.0,
    seconds: float = 120.0,
) -> ClientSignals:  # fmt: skip
    """What the collector sees of a person.

    Parameters
    ----------
    form : something was typed.
    pages, seconds : what the report is about.
    """
    drawn = draw_signals(
        rng,
        touch=np.array([touches(persona, device)]),
        pointer=np.array([float(persona.attributes.get("pointer", 1.0))]),
        form=np.array([form]),
        pages=np.array([pages]),
        seconds=np.array([seconds]),
        renewed=np.array([is_renewed(persona, device)]),
    )
    fields = {name: column[0].item() for name, column in drawn.items()}
    return ClientSignals(**{name: value for name, value in fields.items() if value == value and value != -1})


def rate_of(persona: Persona) -> tuple[str, float]:
    """The currency that a person pays in, and what one main unit of the shop's is in it."""
    currency = {"GB": "GBP", "US": "USD", "CN": "CNY", "PL": "PLN"}.get(persona.country, "EUR")
    return currency, RATES[currency]


def address_of(path: str) -> str:
    """The full address of a path."""
    return HOST + path


def session_name(rng: Generator) -> str:
    """A name that tells nothing."""
    return f"{int(rng.integers(1 << 44)):011x}"


def later(at: float, seconds: float) -> int:
    """Microseconds a while later."""
    return int(at + seconds * SECOND)


def link(entries: Iterable[Entry], rng: Generator) -> None:
    """Pages say which page of the same visit came before them, in whatever order they were written.

    As with the crowd's (`frame`), some were opened in tabs from the page before that one, and some say nothing.
    """
    before: dict[str, list[str | None]] = {}
    looks = [entry for entry in entries if entry.event.type in ("page_view", "search") and entry.event.session]
    for entry in sorted(looks, key=lambda entry: entry.event.at):
        event = entry.event
        seen = before.setdefault(event.session or "", [])
        if event.type == "page_view":
            in_tab = len(seen) > 1 and rng.random() < IN_TABS
            named = None if not seen or rng.random() < SAYS_NOTHING else seen[-2 if in_tab else -1]
            entry.event = msgspec.structs.replace(event, referrer=named)
        seen.append(event.url)


def stay(entries: Iterable[Entry]) -> None:
    """Whoever is in a visit stays at the address from which it began."""
    first: dict[str, Event] = {}
    for entry in sorted(entries, key=lambda entry: entry.event.at):
        event = entry.event
        if not event.session or event.ip is None:
            continue
        begun = first.setdefault(event.session, event)
        if event.ip != begun.ip:
            entry.event = msgspec.structs.replace(event, ip=begun.ip, network=begun.network)


def tongue(persona: Persona) -> str:
    """The language that a person writes in, as the writers of text name it."""
    start = persona.language[:2]
    return start if start in ("de", "zh") else "en"
