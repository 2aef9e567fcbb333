"""SMS pumping: codes are asked for, to numbers whose operator shares the toll; nobody ever types them in.

Naive ones ask hundreds of times for one block of numbers. Experts ask once or twice for each number, over many
blocks, after a visit that would lead anybody to ask for a code.
"""

from __future__ import annotations

from dataclasses import replace

from floorwalker.simulation.shop import honest
from floorwalker.simulation.shop.adversaries._base import Adversary, Economics, Member
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.adversaries.fake_accounts import OPENING
from floorwalker.simulation.shop.diary import Entry
from floorwalker.simulation.shop.honest.shelf import HOST
from floorwalker.simulation.shop.scenario import DAY, SECOND

_ASKING = OPENING | {
    "advanced": tuple(replace(tactic, volume=2) for tactic in OPENING["advanced"]),
    "expert": tuple(replace(tactic, volume=2) for tactic in OPENING["expert"]),
}
"""As accounts are opened; the careful come back another day and ask for a code to log in."""


class SmsPumping(Adversary):
    """Makes the shop send codes to numbers that earn by receiving them."""

    title = "SMS pumping"
    owasp = "OAT-019"
    abuse_type = "fake_account"
    harmful = frozenset({"code_sent"})
    economics = Economics(gain_minor=60)
    tactics = _ASKING
    sizes = by_skill(150, 90, 50, 40)
    harmful_share = by_skill(0.98, 0.98, 0.26, 0.22)
    ripens = False

    def prepare(self) -> None:
        """Whoever comes back to log in does so days later."""
        self.crew.rest = by_skill(0, 0, 2, 3)[self.skill] * DAY

    def act(self, member: Member, at: int) -> list[Entry]:
        """Codes for one number, until the next one is cheaper."""
        entries: list[Entry] = []
        session = self.hands.session()
        if self.skill in ("advanced", "expert"):
            # The form is opened, the code is sent, and nobody ever comes back.
            member.opened = True
            before: list[Entry] = []
            if self.rng.random() < 0.3:
                done = self.hands.visit(member, at, "browse", login=False)
                # The collector reports when somebody leaves.
                before = [entry for entry in done.entries if entry.event.type != "client_signals"]
                at, session = before[-1].event.at + self.hands.pause(member), done.session
            form = "/login" if member.used else "/register"
            entries = [*before, *self.hands.come_to_form(member, at, session=session, form=form, first=not before)]
            at = entries[-1].event.at + int(float(self.rng.lognormal(3.4, 0.45)) * SECOND)
        again = 1 + int(self.rng.poisson(by_skill(6.0, 3.0, 0.4, 0.02)[self.skill]))
        phone = member.persona.phone
        if self.skill == "naive":
            phone = f"{getattr(self, '_block', phone[:-3])}{int(self.rng.integers(1000)):03d}"
            self._block = phone[:-3]
        reason = "login" if member.used or self.rng.random() < by_skill(0.0, 0.2, 0.0, 0.0)[self.skill] else "sign_up"
        for _ in range(again):
            entries.append(
                self.hands.write(
                    member,
                    "code_sent",
                    at,
                    session=session,
                    phone=phone,
                    method="sms",
                    reason=reason,
                    url=f"{HOST}/api/code",
                )
            )
            at += 30_000_000 + self.hands.pause(member)
        if member.tactic.looks_human:
            honest.link(entries, self.rng)
        return entries
