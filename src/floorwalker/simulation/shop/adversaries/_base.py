"""What every adversary is: somebody with a goal, a budget and a craft, who sees nothing but the answers on the wire.

An adversary is asked again and again what it does next (`step`) and is told what became of it (`hear`). When its events
are written to a file everything passes; when they are sent to a server the answers decide how it goes on.
"""

from __future__ import annotations

import heapq
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Literal

from numpy.random import Generator

from floorwalker.simulation.shop import honest
from floorwalker.simulation.shop.adversaries._crew import Crew, Member
from floorwalker.simulation.shop.adversaries._hands import Hands
from floorwalker.simulation.shop.adversaries._learning import make_learner
from floorwalker.simulation.shop.adversaries._market import (
    NETWORK_PRICES,
    PACE_PRICES,
    SOLVING_PRICE,
    TACTICS,
    OutOfBudgetError,
    Purse,
    Tactic,
)
from floorwalker.simulation.shop.adversaries._skills import SKILLS, by_skill
from floorwalker.simulation.shop.adversaries._timing import slots
from floorwalker.simulation.shop.diary import Entry, Truth
from floorwalker.simulation.shop.scenario import DAY, HOUR

if TYPE_CHECKING:
    from floorwalker.simulation.shop.world import World

Effect = Literal["passed", "challenged", "stepped_up", "refused", "logged_out", "throttled"]
EFFECTS: Mapping[str, Effect] = MappingProxyType(
    {
        "allow": "passed",
        "observe": "passed",
        "quarantine": "passed",
        "throttle": "throttled",
        "challenge": "challenged",
        "step_up": "stepped_up",
        "limit": "refused",
        "review": "refused",
        "terminate_session": "logged_out",
        "freeze": "refused",
        "block": "refused",
    }
)
"""Action of a decision -> what the wire shows of it: who is observed or quarantined sees nothing."""

SOLVES = by_skill(0.15, 0.6, 0.85, 0.97)
"""Share of challenges (puzzles, proofs of work) that an adversary of this skill gets solved."""
PROVES = MappingProxyType(
    {"none": 0.0, "leaked": 0.0, "fresh": 0.5, "hijacked": 0.1, "aged": 0.6, "lived": 0.95, "extension": 0.2}
)
"""Share of step-ups that can be answered, by how the account was come by: a rented customer holds his own telephone."""


@dataclass(frozen=True)
class Answer:
    """What became of one event: all that the wire shows."""

    entry: Entry
    effect: Effect


@dataclass(frozen=True)
class Step:
    """What is done now.

    Parameters
    ----------
    entries : in the order of their times; later ones of the same session do not happen where an earlier one is refused.
    next_at : when to ask again; None where it has ended or given up.
    """

    entries: Sequence[Entry]
    next_at: int | None


@dataclass(frozen=True)
class Economics:
    """What a family earns and what it needs beside accounts, networks, devices and minutes (`_market`).

    Parameters
    ----------
    gain_minor : of one harmful event that passes.
    extra_minor : goods, gift cards, postage, cards for one deed.
    per_deed : harmful events that one deed brings, about.
    """

    gain_minor: int
    extra_minor: int = 0
    per_deed: int = 1


@dataclass(frozen=True)
class Brief:
    """What an adversary is sent out with.

    Parameters
    ----------
    world : the shop as everybody can see it.
    skill : one of `SKILLS`.
    campaign : its number.
    starts_at, ends_at : when it may act; the end is excluded.
    budget_minor : what it may spend.
    rng : its own source of chance.
    harmful : how many harmful events it is after.
    most : events that it may cause at the most.
    """

    world: World
    skill: str
    campaign: int
    starts_at: int
    ends_at: int
    budget_minor: int
    rng: Generator
    harmful: int = 50
    most: int = 2_000


@dataclass
class _Deed:
    """One thing done, until its answers are known."""

    tactic: int
    open: set[int] = field(default_factory=set)
    harmful: int = 0
    passed: float = 0.0
    done: bool = False


class Adversary(ABC):
    """One campaign.

    A family defines `title`, `abuse_type`, `harmful`, `economics` and `act`; it may define its own `tactics`, how many
    harmful events its campaigns have by skill (`sizes`), how they lie in time (`hurry`) and `loss`.

    Parameters
    ----------
    brief : skill, time, budget.
    """

    id: ClassVar[str] = ""
    """The file's name, set when it is loaded."""
    title: ClassVar[str] = ""
    owasp: ClassVar[str] = ""
    """Number in the OWASP Automated Threat Handbook, "" where it has none."""
    abuse_type: ClassVar[str] = ""
    harmful: ClassVar[frozenset[str]] = frozenset()
    """Types of events that take value; all others prepare."""
    economics: ClassVar[Economics] = Economics(1_000)
    needs_minor: ClassVar[int] = 0
    """Minor units for what a deed needs beside its tactic: a card."""
    skills: ClassVar[tuple[str, ...]] = SKILLS
    tactics: ClassVar[Mapping[str, tuple[Tactic, ...]]] = TACTICS
    sizes: ClassVar[Mapping[str, int]] = by_skill(60, 50, 40, 30)
    """Harmful events of an ordinary campaign."""
    harmful_share: ClassVar[Mapping[str, float]] = by_skill(0.3, 0.25, 0.15, 0.1)
    """About how many of its events are harmful; `campaigns` plans with it, tests hold it to what happens."""
    ripens: ClassVar[bool] = True
    """Whether accounts of its own are kept warm before they are used."""
    early: ClassVar[float] = 1.0
    """Share of the campaign's time in which deeds begin, where they take days to end."""
    waits_for: ClassVar[str] = ""
    """Kind of the calendar's moments that its campaigns are about; "" for those who choose their own time."""
    hurry: ClassVar[bool] = False
    """Whether it must happen within hours (a sale, a price error), not days."""

    def __init__(self, brief: Brief) -> None:
        self.brief = brief
        self.world = brief.world
        self.rng = brief.rng
        self.skill = brief.skill
        self.known = tuple(type(self).tactics[brief.skill])
        self.purse = Purse(brief.budget_minor)
        extra = self.economics.extra_minor + self.needs_minor
        self.learner = make_learner(
            brief.skill,
            [tactic.cost + extra for tactic in self.known],
            self.economics.gain_minor * self.economics.per_deed,
            [tactic.belief for tactic in self.known],
        )
        self.truth = Truth(
            abuse_type=self.abuse_type,
            adversary=self.id,
            family=self.id,
            skill=brief.skill,
            campaign=brief.campaign,
            phase="preparatory",
        )
        self.crew = Crew(brief.world, brief.rng, self.purse, brief.skill, brief.starts_at, brief.ends_at)
        self.hands = Hands(brief.world, brief.rng, self.truth, self.crew)
        self.crew.ripens = self.ripens
        self.caused = 0
        self.caused_harm = 0
        self.gave_up = False
        self._deeds: dict[int, _Deed] = {}
        self._agenda: list[tuple[int, int, Member | None]] = []
        self._numbered = 0
        self.prepare()
        open_ = self.opening()
        count = max(2, round(brief.harmful * 1.5) + 2)
        for at in slots(brief.rng, *open_, count, brief.skill, hurry=self.hurry) if open_ else ():
            self._plan(at, None)

    # What a family writes.

    @abstractmethod
    def act(self, member: Member, at: int) -> list[Entry]:
        """One deed of one member of the crew that begins at this time."""

    def prepare(self) -> None:  # noqa: B027, for many there is nothing to prepare
        """Choose targets, promotions, sellers; called once, before anything happens."""

    def loss(self, entry: Entry) -> int | None:
        """What an event costs the shop, its customers or sellers, minor units; None where it only prepares."""
        return self.economics.gain_minor if entry.event.type in self.harmful else None

    def opening(self) -> tuple[int, int] | None:
        """From when until when deeds begin; None where there is no occasion for any."""
        brief = self.brief
        return brief.starts_at, brief.starts_at + int((brief.ends_at - brief.starts_at) * self.early)

    def due(self, member: Member, now: int) -> int:
        """When somebody hired now does the deed: now, or when the account has been kept warm for long enough."""
        return min(member.ripe_at, self._late(now)) if member.ripe_at > now else now

    def hour_of(self, member: Member, now: int) -> int:
        """A time near `now` for what is done now: people keep their hours."""
        return self.crew.hour_of(member, now)

    def warm(self, member: Member, at: int) -> list[Entry]:
        """What a member does before it is used, so that it has a past: one ordinary visit."""
        return self.hands.visit(member, at, "browse").entries

    # What the campaign does.

    def step(self, now: int) -> Step:
        """What is done at this time.

        Parameters
        ----------
        now : microseconds; the first call is made at `brief.starts_at`.
        """
        while True:
            if self._is_over() or not self._agenda:
                return Step((), None)
            at, _, member = heapq.heappop(self._agenda)
            now = max(now, at)
            if now >= self.brief.ends_at:
                return Step((), None)
            try:
                entries = self._turn(now, member)
            except OutOfBudgetError:
                return Step((), None)
            if entries is None:
                self.gave_up = True
                return Step((), None)
            if entries:
                self.caused += len(entries)
                over = self._is_over() or not self._agenda
                # Even whoever has done all waits for the answers; an ended campaign has no next time.
                return Step(entries, None if over else max(now, self._agenda[0][0]))

    def hear(self, answers: Iterable[Answer]) -> None:
        """Learn from the answers to some of the entries."""
        for answer in answers:
            deed = self._deeds.pop(id(answer.entry), None)
            if deed is None or deed.done:
                continue
            harmful = answer.entry.truth.phase == "harmful"
            worked = 1.0 if answer.effect == "passed" else 0.7 if answer.effect == "throttled" else 0.0
            if harmful:
                deed.open.discard(id(answer.entry))
                deed.passed += worked
                if worked:
                    self.purse.gained_minor += worked * self.economics.gain_minor
            over = answer.effect in ("refused", "logged_out", "challenged", "stepped_up")
            if over:
                # What was refused, and what would have come after it, has not happened.
                self.caused_harm -= len(deed.open) + (harmful and not worked)
            if over or (harmful and not deed.open):
                self._close(deed)

    def respond(self, answer: Answer, member_account: str = "") -> bool:
        """Whether a challenge or a step-up is answered as the shop wishes; solving costs money."""
        if answer.effect == "challenged":
            try:
                self.purse.pay(SOLVING_PRICE)
            except OutOfBudgetError:
                return False
            return bool(self.rng.random() < SOLVES[self.skill])
        how = self.crew.came_by(answer.entry.event.account or "")
        return bool(self.rng.random() < PROVES.get(how, 0.0))

    @property
    def spent_minor(self) -> int:
        """What has been spent so far."""
        return round(self.purse.spent_minor)

    # Inside.

    def _is_over(self) -> bool:
        return self.gave_up or self.caused_harm >= self.brief.harmful or self.caused >= self.brief.most

    def _plan(self, at: int, member: Member | None) -> None:
        self._numbered += 1
        heapq.heappush(self._agenda, (at, self._numbered, member))

    def _turn(self, now: int, member: Member | None) -> list[Entry] | None:
        """The entries of one line of the agenda; empty where it only led to a later one, None for giving up."""
        if member is not None:
            # Whoever waited with many for one moment sees there whether it pays.
            if self.waits_for and self.learner.choose(self.rng) is None:
                return None
            return self._do(member, now)
        place = self.learner.choose(self.rng)
        if place is None:
            return None
        tactic = self.known[place]
        hired = self.crew.member(tactic, place, now)
        due = self.due(hired, now)
        if due > now:
            self._plan(due, hired)
            warmed = self.warm(hired, self.hour_of(hired, now)) if hired.ripe_at > now else []
            if tactic.looks_human:
                honest.stay(warmed)
            if self.waits_for:
                # Nobody else's deed is given to an account that waits for its own.
                hired.last_at = due
            return self._finish(warmed, None)
        return self._do(hired, now)

    def _late(self, now: int) -> int:
        """A time between now and the end that leaves an hour for the deed."""
        left = max(self.brief.ends_at - HOUR - now, 1)
        return now + int(left * (0.5 + 0.5 * self.rng.random()))

    def _do(self, member: Member, now: int) -> list[Entry]:
        tactic = self.known[member.place]
        self.purse.pay(NETWORK_PRICES[tactic.network] + PACE_PRICES[tactic.pace] + self.economics.extra_minor)
        at = self.hour_of(member, now)
        entries = self.act(member, at)
        if tactic.looks_human:
            honest.stay(entries)
        member.used += 1
        member.last_at = at
        return self._finish(entries, _Deed(member.place))

    def _finish(self, entries: list[Entry], deed: _Deed | None) -> list[Entry]:
        """Mark what is harmful, cut what lies outside the campaign's time, and remember who is to be learned from."""
        kept: list[Entry] = []
        for entry in sorted(entries, key=lambda entry: entry.event.at):
            if len(kept) >= self.brief.most - self.caused:
                break
            if not self.brief.starts_at <= entry.event.at < self.brief.ends_at:
                continue
            if entry.truth.adversary == self.id and deed is not None:
                loss = self.loss(entry)
                if loss is not None:
                    if self.caused_harm >= self.brief.harmful:
                        break
                    entry.truth = replace(self.truth, phase="harmful", loss_minor=loss)
                    self.caused_harm += 1
                    deed.harmful += 1
                    deed.open.add(id(entry))
            if deed is not None and entry.truth.adversary:
                self._deeds[id(entry)] = deed
            kept.append(entry)
        return kept

    def _close(self, deed: _Deed) -> None:
        deed.done = True
        self.learner.update(deed.tactic, deed.passed / max(deed.harmful, 1))


def run(adversary: Adversary) -> list[Entry]:
    """The whole campaign where nobody defends himself: all entries in the order of their times."""
    entries: list[Entry] = []
    now: int | None = adversary.brief.starts_at
    while now is not None:
        step = adversary.step(now)
        entries += step.entries
        adversary.hear(Answer(entry, "passed") for entry in step.entries)
        now = step.next_at
    entries.sort(key=lambda entry: entry.event.at)
    return entries


def span_of(skill: str, days: float, *, hurry: bool, early: float = 1.0) -> float:
    """How long a campaign lasts in days, of those that its split has."""
    if early < 1.0:
        return days
    if hurry:
        return min(days, by_skill(0.1, 0.25, 0.5, 1.0)[skill])
    return min(days, by_skill(0.3, 1.5, 6.0, 30.0)[skill])


__all__ = [
    "DAY",
    "EFFECTS",
    "PROVES",
    "SKILLS",
    "SOLVES",
    "Adversary",
    "Answer",
    "Brief",
    "Economics",
    "Effect",
    "Member",
    "Step",
    "run",
    "span_of",
]
