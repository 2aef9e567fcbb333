"""Short visits for one purpose, as customers make them: a log-in where needed, a page or two, the deed.

The crowd's own errands (`honest.crowd`) are columns; these are the same steps with the same pauses for one person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from numpy.random import Generator

from floorwalker.simulation.shop import honest
from floorwalker.simulation.shop.diary import Diary, Entry
from floorwalker.simulation.shop.honest.shelf import HOST
from floorwalker.simulation.shop.honest.visiting import (
    REMEMBERED,
    REMEMBERED_ELSEWHERE,
    SIGNALS_SHARE,
)
from floorwalker.simulation.shop.persona import Persona
from floorwalker.simulation.shop.scenario import SECOND

if TYPE_CHECKING:
    from floorwalker.simulation.shop.world import World

FORMS = {
    "refund_requested": "/account/returns",
    "review": "/account/reviews/new",
    "rating": "/account/reviews/new",
    "support_contact": "/help",
}
"""Type of a deed that follows an order -> the page with its form; other deeds begin at the list of orders."""

_TAPS = frozenset({"page_view", "add_to_cart"})
"""Deeds without a form."""


class Errand:
    """Writes one short visit into a diary.

    Parameters
    ----------
    world, diary, persona, rng : whose visit it is.
    device : place in the persona's devices.
    session : its name.
    remembered : logged in from the beginning, as after an account was opened in the same visit.
    """

    def __init__(
        self, world: World, diary: Diary, persona: Persona, rng: Generator, *, device: int, session: str,
        remembered: bool = False,
    ) -> None:  # fmt: skip
        self.world, self.diary, self.persona, self.rng = world, diary, persona, rng
        self.device, self.session, self.remembered = device, session, remembered

    def write(self, kind: str, at: float, *, known: bool = True, **fields: Any) -> Entry:
        """One event of it."""
        facts = honest.common(
            self.world, self.persona, int(at), device=self.device, network=0, session=self.session, login=known,
            kind=kind,
        )  # fmt: skip
        return self.diary.write(kind, at, **{**facts, **fields})

    def page(self, at: float, path: str, *, known: bool = True, item: int = -1) -> None:
        """A page."""
        fields: dict[str, Any] = {"method": "GET", "status": 200}
        if item >= 0:
            shelf = self.world.items
            path += str(shelf.id[item])
            fields |= {"item": str(shelf.id[item]), "seller": str(shelf.seller[item])}
        self.write("page_view", at, known=known, url=HOST + path, **fields)

    def log_in(self, before: float) -> bool:
        """A log-in that is complete before a time, unless the client remembers the person; whether it does."""
        channel = self.persona.devices[self.device].channel
        if not self.persona.account or self.persona.guest:
            return False
        if self.remembered or self.rng.random() < REMEMBERED.get(channel, REMEMBERED_ELSEWHERE):
            return True
        honest.log_in(
            self.world, self.diary, self.persona, int(before), self.rng, device=self.device, session=self.session
        )
        return False

    def report(self, at: float, seconds: float, *, form: bool = True) -> None:
        """What the collector sends of four visits in five."""
        if self.rng.random() >= SIGNALS_SHARE:
            return
        seen = honest.signals(
            self.world, self.persona, int(at), self.rng, device=self.device, form=form, pages=2.0, seconds=seconds
        )
        when = at + int(self.rng.uniform(0.5, 4.0) * SECOND)
        self.write("client_signals", when, signals=seen, url=f"{HOST}/api/signals")

    def run(self, kind: str, at: int, path: str, *, about: int = -1, rest: float = 0.0, **fields: Any) -> int:
        """The page at `at`, the deed `rest` seconds after the collector has reported; answers when it was done."""
        self.log_in(at - 2 * SECOND)
        self.page(at, path, item=about)
        seconds = float(self.rng.lognormal(2.9, 0.8))
        done = at + int(seconds * SECOND)
        self.report(done, seconds, form=kind not in _TAPS)
        done += int(rest * SECOND)
        self.write(kind, done, **fields)
        return done

    def round_off(self, entry: Entry) -> None:
        """Pages and log-in before a deed that follows an order and stands alone so far."""
        event = entry.event
        page = event.at - int(self.rng.lognormal(3.6, 0.6) * SECOND)
        opened = page - int(self.rng.lognormal(2.3, 0.6) * SECOND)
        # Whoever has to log in for it is led back to the form, not to the list of orders.
        if self.log_in(page - 2 * SECOND) and self.rng.random() < 0.8:
            self.page(opened, "/account/orders")
        self.page(page, FORMS.get(event.type, "/account/orders"))
        self.report(event.at, (event.at - page) / SECOND)
        entry.event = msgspec.structs.replace(event, session=self.session)
