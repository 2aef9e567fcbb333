"""The demonstration's second part: a server, a shop that asks it, and decisions as they arrive."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from floorwalker.cli._demo_server import Till, opened_till
from floorwalker.cli._demo_shop import LIVE_HOURS, SHOP, SHOWN, SKILLS, Traced, make_shop
from floorwalker.cli._output import note
from floorwalker.events.abuse import ACTIONS
from floorwalker.events.event import Event
from floorwalker.simulation.shop.scenario import HOUR, Scenario

TOLD = frozenset(
    {
        "client_signals", "code_checked", "payment_authorised", "payment_captured", "payment_voided", "order_shipped",
        "order_delivered", "refund_issued", "return", "dispute", "seller_payout", "three_d_secure", "challenge_result",
    }
)  # fmt: skip
"""Nobody waits at these: the shop only tells of them. It asks about everything else."""
MET = frozenset(ACTIONS[ACTIONS.index("throttle") :])
"""Whoever gets one of these was recognised: slowed down, challenged, or worse."""


class Screen(Protocol):
    """Shows decisions as they arrive."""

    def show(self, one: Traced, decision: dict[str, Any]) -> None:
        """A decision other than `allow` arrived."""

    def tick(self, one: Traced, questions: int) -> None:
        """Another question was answered."""


@dataclass
class Campaign:
    """What became of one campaign while the shop asked.

    Parameters
    ----------
    adversary, skill : whose.
    actors, met : accounts (sessions, where there is none) that were asked about, and those that were recognised.
    asked, recognised : questions about them, and those answered with one of `MET`.
    noticed_at : which of its questions was the first of these, 1 and up; 0 where none was.
    """

    adversary: str
    skill: str
    actors: set[str] = field(default_factory=set)
    met: set[str] = field(default_factory=set)
    asked: int = 0
    recognised: int = 0
    noticed_at: int = 0


@dataclass
class Ledger:
    """What was asked and answered, beside the truth.

    Parameters
    ----------
    campaigns : by number.
    honest, touched : honest accounts that were asked about, and those that would have met one of `MET`.
    honest_asked, honest_met : questions.
    kinds : kind of honest customer -> how many of them were touched.
    actions : intended action -> how often.
    """

    campaigns: dict[int, Campaign] = field(default_factory=dict)
    honest: set[str] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)
    honest_asked: int = 0
    honest_met: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)

    def count(self, one: Traced, intended: str) -> None:
        """Take in the answer to one question."""
        met = intended in MET
        self.actions[intended] += 1
        if one.campaign < 0:
            self.honest_asked += 1
            self.honest_met += met
            self.honest.add(one.who)
            if met and one.who not in self.touched:
                self.touched.add(one.who)
                self.kinds[one.segment] += 1
            return
        campaign = self.campaigns.setdefault(one.campaign, Campaign(one.adversary, one.skill))
        campaign.asked += 1
        campaign.actors.add(one.who)
        if met:
            campaign.recognised += 1
            campaign.met.add(one.who)
            campaign.noticed_at = campaign.noticed_at or campaign.asked


def run_live(
    out: Path,
    seed: int,
    screen: Screen,
    *,
    scenario: Scenario = SHOP,
    hours: int = LIVE_HOURS,
    kinds: Sequence[str] = SHOWN,
) -> dict[str, Any]:
    """Simulate a shop, start a server, tell it the past, ask it about the last hours; answers what came of it.

    Parameters
    ----------
    out : the shop goes into `simulated-shop` below it, the installation into `floorwalker-demo-shop`; both made anew.
    seed : of the shop.
    screen : is shown what arrives.
    scenario : of the honest customers. hours : at its end that the server is asked about. kinds : of campaigns.
    """
    scenario = replace(scenario, seed=seed)
    note(
        f"simulating {scenario.days} days of a shop, and {len(kinds) * len(SKILLS)} campaigns against it in the last "
        f"{hours} hours: {len(kinds)} kinds, each once by somebody clumsy and once by an expert"
    )
    traced = make_shop(out / "simulated-shop", scenario, time.time_ns() // 1000, hours=hours, kinds=kinds)
    since = traced[-1].event.at - hours * HOUR
    past = [one.event for one in traced if one.event.at < since]
    live = [one for one in traced if one.event.at >= since]
    truth = out / "simulated-shop" / "truth.parquet"
    note(f"{len(traced):,} events; who is who stands in {truth}, which no server reads")
    note("starting a server (the first start on a machine compiles for a minute or two)")
    with opened_till(out / "floorwalker-demo-shop") as till:
        begin = time.perf_counter()
        till.tell(past)
        seconds = time.perf_counter() - begin
        note(f"told it {len(past):,} past events in {seconds:.1f} s; now the last {hours} hours, as they come:")
        ledger = ask(till, live, screen)
        return {
            "events": len(traced),
            "told": len(past),
            "told_per_second": round(len(past) / max(seconds, 1e-9)),
            "live_hours": hours,
            **_summary(ledger, till.milliseconds),
        }


def ask(till: Till, live: Sequence[Traced], screen: Screen) -> Ledger:
    """Ask about every event at which somebody waits, one question after the other; tell of the others before it."""
    ledger = Ledger()
    waiting: list[Event] = []
    for one in live:
        if one.event.type in TOLD:
            waiting.append(one.event)
            continue
        if waiting:
            till.tell(waiting)
            waiting = []
        decision = till.ask(one.event)
        ledger.count(one, decision["intended"])
        screen.tick(one, len(till.milliseconds))
        if decision["intended"] != "allow":
            screen.show(one, decision)
    till.tell(waiting)
    return ledger


def _summary(ledger: Ledger, milliseconds: Sequence[float]) -> dict[str, Any]:
    every = sorted(milliseconds) or [0.0]
    campaigns = [
        {
            "adversary": one.adversary, "skill": one.skill, "actors": len(one.actors), "actors_met": len(one.met),
            "asked": one.asked, "recognised": one.recognised, "noticed_at": one.noticed_at,
        }
        for one in sorted(ledger.campaigns.values(), key=lambda one: (one.adversary, one.skill))
    ]  # fmt: skip
    return {
        "questions": len(milliseconds),
        "median_ms": round(every[len(every) // 2], 2),
        "p99_ms": round(every[int(0.99 * (len(every) - 1))], 2),
        "actions": {action: ledger.actions[action] for action in ACTIONS if ledger.actions[action]},
        "campaigns": campaigns,
        "honest": {
            "people": len(ledger.honest), "touched": len(ledger.touched), "asked": ledger.honest_asked,
            "met": ledger.honest_met, "kinds": dict(ledger.kinds.most_common()),
        },
    }  # fmt: skip
