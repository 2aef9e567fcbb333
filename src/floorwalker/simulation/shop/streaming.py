"""The shop sent live to a server that decides, and adversaries who hear the answers.

Honest customers do what they would have done, as far as they are let: what was refused does not happen, nor what
follows from it. Adversaries make up their minds step by step, by what the wire shows them (`adversaries`). Of what was
let happen some comes to light (`outcomes`), and is told as soon as simulated time has come so far (`streamed`).
"""

from __future__ import annotations

import heapq
import secrets
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from floorwalker.errors import InputError, UsageError
from floorwalker.events.event import Event
from floorwalker.events.frames import read_events
from floorwalker.simulation.shop.adversaries import load_adversary
from floorwalker.simulation.shop.adversaries._base import EFFECTS, SOLVES, Adversary, Answer, Effect
from floorwalker.simulation.shop.campaigns import brief_of, plan, row_of
from floorwalker.simulation.shop.diary import Entry, Truth
from floorwalker.simulation.shop.outcomes import LETTERS, SCHEMA
from floorwalker.simulation.shop.scenario import Scenario
from floorwalker.simulation.shop.streamed import Teller, Witness
from floorwalker.simulation.shop.wire import Asked, Wire
from floorwalker.simulation.shop.world import World

DECISION_POINTS: frozenset[str] = frozenset(
    {
        "sign_up", "login_succeeded", "code_sent", "password_reset", "contact_change", "payment_method_added",
        "add_to_cart", "coupon_claim", "coupon_redeem", "group_buy_opened", "group_buy_joined", "top_up", "transfer",
        "withdrawal", "checkout", "order", "refund_requested", "review", "listing", "message", "livestream",
        "decoy_touched",
    }
)  # fmt: skip
"""Types of event at which the shop always waits for a decision."""
LOOKING: frozenset[str] = frozenset({"page_view", "search"})
"""Types at which it waits now and then, as a proxy in front of a shop does: see `Stream`, `ask_pages`."""
_VISITS = 200_000
"""Visits whose pages are counted; the oldest are forgotten first."""
_BUYING: frozenset[str] = frozenset(
    {"coupon_redeem", "checkout", "three_d_secure", "payment_authorised", "payment_declined", "order"}
)
"""Types that belong to one purchase: where one is refused the others do not come."""
HONEST_SOLVES = 0.97
"""Share of challenges and step-ups that honest customers pass; the others leave."""
_ROWS = 20_000


@dataclass
class Streamed:
    """What came of it.

    Parameters
    ----------
    sent, decided : events that went out, and those of them that were decided about.
    prevented : events that did not happen since something before them was refused.
    actions : action -> how often.
    honest_refused, honest_decided : decisions against honest customers, and about them.
    harmful_refused, harmful_passed : harmful events.
    loss_minor, saved_minor : what harmful events took that passed, and would have taken that did not.
    pages_asked : pages and searches that were decided about.
    heard : kind of outcome -> how many there are of what was let happen; the future's included.
    letters, labels : of the bank and of the shop's people, that were sent to the server.
    told_meanwhile : those of them that were sent while events still were.
    outcomes : the table of `outcomes.SCHEMA`, with times as they were sent, and `told_at`: simulated time at which the
        server was told, null where it was not (the run was over, or the outcome says of nobody what he did).
    campaigns : a line each as in `campaigns.parquet`, with what it spent, gained and whether it gave up.
    """

    sent: int = 0
    decided: int = 0
    prevented: int = 0
    actions: Counter[str] = field(default_factory=Counter)
    honest_refused: int = 0
    honest_decided: int = 0
    harmful_refused: int = 0
    harmful_passed: int = 0
    loss_minor: int = 0
    saved_minor: int = 0
    pages_asked: int = 0
    heard: dict[str, int] = field(default_factory=dict)
    letters: int = 0
    labels: int = 0
    told_meanwhile: int = 0
    campaigns: list[dict[str, Any]] = field(default_factory=list)
    outcomes: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SCHEMA))

    def figures(self) -> dict[str, Any]:
        """Everything but the table as plain values."""
        made = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "outcomes"}
        return made | {"actions": dict(sorted(self.actions.items()))}


class Consequences:
    """What no longer happens, because of what was refused before it. Asked from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions: set[str] = set()
        self._carts: set[str] = set()
        self._orders: set[str] = set()
        self._accounts: set[str] = set()

    def happens(self, entry: Entry) -> bool:
        """Whether an event can still happen; if not, nothing that hangs on it can."""
        event = entry.event
        with self._lock:
            gone = (
                event.account in self._accounts
                or event.session in self._sessions
                or event.order in self._orders
                or (event.session in self._carts and event.type in _BUYING)
            )
            if gone and event.order is not None and event.type in _BUYING:
                self._orders.add(event.order)
        return not gone

    def refuse(self, entry: Entry, action: str) -> None:
        """Something was refused: what hangs on it goes with it."""
        event = entry.event
        with self._lock:
            ended = action in ("terminate_session", "freeze") or event.type == "login_succeeded"
            # Whoever is shown a wall in place of a page has seen the last of this visit.
            ended = ended or (event.type in (*LOOKING, "decoy_touched") and action not in ("limit", "review"))
            if ended and event.session:
                self._sessions.add(event.session)
            # Honest owners have their accounts unfrozen when they have proved who they are.
            lasting = action == "freeze" and entry.truth.adversary
            if event.account and (lasting or event.type == "sign_up"):
                self._accounts.add(event.account)
            if event.type in _BUYING:
                if event.session:
                    self._carts.add(event.session)
                if event.order:
                    self._orders.add(event.order)


class Stream:
    """One run against a server.

    Parameters
    ----------
    world : of the scenario that is sent.
    honest : what honest customers do, in the order of the times.
    url, key : of the server.
    clock : microseconds of a clock that never goes back; `wait` sleeps for seconds. Both only for the pace.
    speed : events a second; 0 for as fast as the server takes them.
    times : how many times faster than real time; 0 for no such bound.
    move : microseconds added to every event's time, so that a run of the past looks like today's.
    only : numbers of the campaigns that take part; None for all.
    ask_pages : the server is asked about the first page or search of a visit and about every so-manieth after it, so
        that whoever only looks can be refused; 0 for never.
    """

    def __init__(
        self,
        world: World,
        honest: Iterable[Entry],
        url: str,
        key: str,
        *,
        clock: Callable[[], int],
        wait: Callable[[float], object],
        speed: float = 0.0,
        times: float = 0.0,
        move: int = 0,
        connections: int = 4,
        only: frozenset[int] | None = None,
        ask_pages: int = 10,
        progress: Callable[[int], object] | None = None,
    ) -> None:
        if speed < 0 or times < 0:
            raise UsageError(f"speed is {speed}, times is {times}", allowed="0 and more; 0 means no bound")
        if ask_pages < 0:
            raise UsageError(f"ask_pages is {ask_pages}", allowed="0 and more; 0 means never")
        self.ask_pages, self._looked = ask_pages, OrderedDict[str, int]()
        self._witness = Witness(world.chance)
        # What adversaries do live happens anew: a server that has seen this scenario before must not take it for a
        # repetition. Honest events keep the ids they were written with: sent twice, they are the same events.
        anew = secrets.token_hex(8)
        self._teller = Teller(
            self._witness, url, key, shop=world.scenario.shop, names=world.chance.generator(f"stream/letters/{anew}"),
            end_at=world.scenario.end_at + move,
        )  # fmt: skip
        self.world, self.move, self.progress = world, move, progress
        self.clock, self.wait, self.speed, self.times = clock, wait, speed, times
        self.streamed = Streamed()
        self.consequences = Consequences()
        self._honest: Iterator[Entry] = iter(honest)
        self._rng = world.chance.generator("stream")
        self._names = world.chance.generator(f"stream/ids/{anew}")
        self._result_names = world.chance.generator(f"stream/results/{anew}")
        self._lock = threading.Lock()
        self._planned = {one.number: one for one in plan(world.scenario) if only is None or one.number in only}
        self._live: dict[int, Adversary] = {}
        self._due = [(one.starts_at, one.number) for one in self._planned.values()]
        heapq.heapify(self._due)
        self._heap: list[tuple[int, int, Entry]] = []
        self._number = 0
        self._now = 0
        self.wire = Wire(url, key, self.consequences.happens, self._settle, connections)

    def run(self) -> Streamed:
        """Send everything; answers when the last event was answered and what is known by then was told."""
        try:
            self._send_all()
            self.wire.finish()
            self._hear()
            for number, adversary in sorted(self._live.items()):
                row = row_of(self._planned[number], adversary, [])
                del row["accounts"], row["events"], row["loss_minor"]
                self.streamed.campaigns.append(row | {"caused": adversary.caused, "harmful": adversary.caused_harm})
            table = self.streamed.outcomes = self._teller.finish()
        finally:
            self._teller.close()
        self.streamed.heard = dict(table["kind"].value_counts().sort("kind").iter_rows())
        for name in ("letters", "labels", "told_meanwhile"):
            setattr(self.streamed, name, getattr(self._teller, name))
        return self.streamed

    def _send_all(self) -> None:
        began, first = self.clock(), None
        upcoming = next(self._honest, None)
        while upcoming is not None or self._due or self._heap:
            self._hear()
            at = min(
                upcoming.event.at if upcoming is not None else 1 << 62,
                self._due[0][0] if self._due else 1 << 62,
                self._heap[0][0] if self._heap else 1 << 62,
            )
            if self._due and self._due[0][0] == at:
                self._step(*heapq.heappop(self._due))
                continue
            if self._heap and self._heap[0][0] == at:
                entry = heapq.heappop(self._heap)[2]
            else:
                assert upcoming is not None
                entry, upcoming = upcoming, next(self._honest, None)
            first = at if first is None else first
            self._pace(began, at - first)
            self._send(entry)

    def _step(self, now: int, number: int) -> None:
        adversary = self._live.get(number)
        if adversary is None:
            planned = self._planned[number]
            adversary = self._live[number] = load_adversary(planned.adversary)(brief_of(self.world, planned))
        with self._lock:
            step = adversary.step(now)
        for entry in step.entries:
            self._number += 1
            heapq.heappush(self._heap, (max(entry.event.at, now), self._number, entry))
        if step.next_at is not None:
            heapq.heappush(self._due, (max(step.next_at, now + 1), number))

    def _send(self, entry: Entry) -> None:
        event = entry.event
        name = event.id if event.id != "-" else f"{int(self._names.integers(1 << 44)):011x}"
        shop = self.world.scenario.shop
        entry.event = msgspec.structs.replace(event, id=name, at=event.at + self.move, shop=shop)
        self.wire.send(Asked(entry, self._asks(event)))
        self.streamed.sent += 1
        if self.progress is not None and self.streamed.sent % 1_000 == 0:
            self.progress(self.streamed.sent)

    def _asks(self, event: Event) -> bool:
        """Whether the shop waits for a decision about this event."""
        if event.type not in LOOKING:
            return event.type in DECISION_POINTS
        if not self.ask_pages:
            return False
        visit = event.session or event.device or event.ip or ""
        seen = self._looked.pop(visit, 0)
        self._looked[visit] = seen + 1
        if len(self._looked) > _VISITS:
            self._looked.popitem(last=False)
        return seen % self.ask_pages == 0

    def _pace(self, began: int, simulated: int) -> None:
        """Wait until this event is due; what is late is sent at once."""
        due = 0.0
        if self.speed:
            due = self.streamed.sent / self.speed
        if self.times:
            due = max(due, simulated / 1e6 / self.times)
        ahead = due - (self.clock() - began) / 1e6
        while ahead > 0.002:
            # Answers come in meanwhile, and adversaries shall not hear of them late.
            self.wait(min(ahead, 0.2))
            self._hear()
            self.wire.check()
            ahead = due - (self.clock() - began) / 1e6

    def _settle(self, asked: Asked) -> Sequence[Event]:
        """What follows from a decision, in the thread that got it: nothing of the actor is sent before."""
        effect = EFFECTS.get(asked.action)
        if effect is None:
            raise InputError(f"the server answered with an unknown action {asked.action!r}")
        told: Sequence[Event] = ()
        if effect in ("challenged", "stepped_up"):
            with self._lock:
                passed = self._responds(asked.entry, effect)
                told = (self._challenge_result(asked, passed),)
            if passed:
                asked.action = f"{asked.action}:passed"
                return told
        if effect not in ("passed", "throttled"):
            self.consequences.refuse(asked.entry, asked.action)
        return told

    def _responds(self, entry: Entry, effect: Effect) -> bool:
        adversary = self._live.get(entry.truth.campaign)
        if adversary is not None:
            return adversary.respond(Answer(entry, effect))
        # In a replay adversaries hear nothing, and solve what such people solve.
        solves = SOLVES.get(entry.truth.skill, HONEST_SOLVES)
        return bool(self._rng.random() < solves)

    def _challenge_result(self, asked: Asked, passed: bool) -> Event:
        event = asked.entry.event
        return Event(
            id=f"{int(self._result_names.integers(1 << 44)):011x}",
            type="challenge_result",
            shop=event.shop,
            at=event.at + int(self._rng.lognormal(2.2, 0.6) * 1e6),
            account=event.account,
            session=event.session,
            device=event.device,
            ip=event.ip,
            result="passed" if passed else "failed",
            decision=asked.decision or None,
        )

    def _hear(self) -> None:
        """Take in the answers that have come, and pass on to adversaries what the wire showed of them."""
        while not self.wire.answers.empty():
            asked = self.wire.answers.get()
            plain, _, solved = asked.action.partition(":")
            effect: Effect = "passed" if solved or not plain else EFFECTS[plain]
            if not asked.happened:
                effect = "refused"
            self._count(asked, plain, effect)
            # What the server has not seen yet is not past, however much waits to be sent.
            self._now = max(self._now, asked.entry.event.at)
            adversary = self._live.get(asked.entry.truth.campaign)
            if adversary is not None:
                with self._lock:
                    adversary.hear([Answer(asked.entry, effect)])
        if self._now:
            self._teller.pass_to(self._now)

    def _count(self, asked: Asked, action: str, effect: Effect) -> None:
        streamed, truth = self.streamed, asked.entry.truth
        passed = effect in ("passed", "throttled")
        if asked.happened:
            self._witness.see(asked.entry, passed=passed and action != "quarantine")
        if not asked.happened:
            streamed.prevented += 1
            streamed.sent -= 1
        if action:
            streamed.decided += 1
            streamed.pages_asked += asked.entry.event.type in LOOKING
            streamed.actions[action] += 1
            if not truth.adversary:
                streamed.honest_decided += 1
                streamed.honest_refused += not passed
        if truth.phase == "harmful":
            # Taken but shown to nobody: the adversary does not know, and takes nothing.
            kept = action == "quarantine"
            streamed.harmful_passed += passed and not kept
            streamed.harmful_refused += not passed or kept
            if passed and not kept:
                streamed.loss_minor += truth.loss_minor
            else:
                streamed.saved_minor += truth.loss_minor


def read_honest(folder: Path, *, everybody: bool = False) -> Iterator[Entry]:
    """The honest entries of a simulation that was written to a folder, in the order of their times.

    Parameters
    ----------
    folder : with `events.parquet` and `truth.parquet`, as `floorwalker simulate` writes them.
    everybody : the adversaries' as well, as they went when nobody defended himself.

    Letters of banks are left out: what was refused now brings none, and the others come of what is let happen.
    """
    for name in ("events.parquet", "truth.parquet"):
        if not (folder / name).is_file():
            raise InputError(f"{folder} has no {name}", fix="write it with floorwalker simulate --out")
    events, truth = pl.scan_parquet(folder / "events.parquet"), pl.scan_parquet(folder / "truth.parquet")
    known = truth.select("id", *Truth.__dataclass_fields__)
    rows = events.select(pl.len()).collect().item()
    for start in range(0, rows, _ROWS):
        piece, facts = events.slice(start, _ROWS).collect(), known.slice(start, _ROWS).collect()
        if not piece["id"].equals(facts["id"]):
            raise InputError(
                f"events.parquet and truth.parquet in {folder} tell of different events",
                fix="write both with one run of floorwalker simulate --out",
            )
        mine = ~piece["type"].is_in(list(LETTERS.values()))
        mine = mine if everybody else mine & (facts["adversary"] == "")
        told = facts.drop("id").filter(mine).iter_rows(named=True)
        for event, one in zip(read_events(piece.filter(mine)), told, strict=True):
            yield Entry(event, Truth(**one))


def stream(
    scenario: Scenario,
    honest: Iterable[Entry],
    url: str,
    key: str,
    *,
    clock: Callable[[], int],
    wait: Callable[[float], object],
    **options: Any,
) -> Streamed:
    """Send a scenario's shop to a server, its adversaries live: see `Stream`.

    Parameters
    ----------
    scenario : the one that `honest` was simulated with.
    honest : by `read_honest`, or any entries in the order of their times.
    url, key : of the server; the key needs the scopes `decide` and `ingest`.
    clock, wait, options : as `Stream` takes them.
    """
    return Stream(World(scenario), honest, url, key, clock=clock, wait=wait, **options).run()


__all__ = ["DECISION_POINTS", "LOOKING", "Consequences", "Stream", "Streamed", "read_honest", "stream"]
