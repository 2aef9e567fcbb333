"""All honest customers of a shard: their visits, orders and what follows, as rows of numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.shop.honest.acts import Act
from floorwalker.simulation.shop.honest.browsing import Plan, plan_visits
from floorwalker.simulation.shop.honest.calling import Calls, draw_calls, errands, join
from floorwalker.simulation.shop.honest.fitted import Floats, Ints, fitted, pick
from floorwalker.simulation.shop.honest.fulfilment import plan_aftermath
from floorwalker.simulation.shop.honest.ordering import Offers, Orders, list_offers, make_orders
from floorwalker.simulation.shop.honest.paying import CHECK_FAILS, DECLINED
from floorwalker.simulation.shop.honest.rows import Rows
from floorwalker.simulation.shop.honest.shelf import Shelf, shelf_of
from floorwalker.simulation.shop.honest.visiting import (
    LOGIN_SHARES,
    NEVER,
    REMEMBERED_ELSEWHERE,
    SENT_AGAIN,
    SIGNALS_SHARE,
)
from floorwalker.simulation.shop.scenario import SECOND
from floorwalker.simulation.shop.world.segments import place_of

if TYPE_CHECKING:
    from floorwalker.simulation.shop.world import People, World

_REMEMBERED_APP = 0.93
TAKES_MORE = 0.12
"""Share of those who take a coupon who take a second one in the same visit."""
_LOGS_IN = 0.4
"""Share of the visits that begin logged out and log in at once; the others do so when they must."""
_OFFICE = (Act.CAPTURED, Act.VOIDED, Act.SHIPPED, Act.DELIVERED, Act.REFUND_ISSUED, Act.RETURN)


@dataclass
class Crowd:
    """What a shard makes: rows, and the tables that they point into.

    Parameters
    ----------
    world, people : who.
    rows : what happens.
    calls : every visit that the rows point to.
    orders : one table of all orders, in the order in which they were made.
    login_at : microseconds from when a visit is logged in; a very large number for never.
    segment : of each person, for the truth.
    """

    world: World
    people: People
    shelf: Shelf
    offers: Offers
    rng: Generator
    rows: Rows = field(default_factory=Rows)
    calls: list[Calls] = field(default_factory=list)
    login_at: list[Ints] = field(default_factory=list)
    label: list[Ints] = field(default_factory=list)
    orders: list[Orders] = field(default_factory=list)
    visits: int = 0
    ordered: int = 0

    def open_visits(
        self, calls: Calls, *, known: float | None = None, since: Ints | None = None, label: Ints | int = -1
    ) -> Ints:
        """Take visits into the table; answers their places.

        `known` is the share that begins logged in; `since`, where given, says from when each one is.
        """
        first = self.visits
        self.visits += len(calls)
        self.calls.append(calls)
        share = np.where(calls.app, _REMEMBERED_APP, REMEMBERED_ELSEWHERE) if known is None else known
        member = ~self.people.guest[calls.person]
        remembered = member & (self.rng.random(len(calls)) < share)
        never = np.where(remembered, np.int64(0), np.int64(NEVER))
        self.login_at.append(never if since is None else since.astype(np.int64))
        self.label.append(np.full(len(calls), label, dtype=np.int64))
        return np.arange(first, self.visits)

    def relabel(self, visit: Ints, label: int) -> None:
        """Say that visits belong to a scene."""
        starts = np.cumsum([0, *(len(one) for one in self.label)])
        table = np.searchsorted(starts, visit, side="right") - 1
        for one, place in zip(table.tolist(), visit.tolist(), strict=True):
            self.label[one][place - starts[one]] = label

    def log_in(self, visit: Ints, calls: Calls, rows: Ints, at: Ints) -> None:
        """Log-ins of some visits of the table opened last, complete before `at`."""
        table = self.login_at[-1]
        needs = rows[(table[rows] > at) & ~self.people.guest[calls.person[rows]]]
        at = at[(table[rows] > at) & ~self.people.guest[calls.person[rows]]]
        if not len(needs):
            return
        rng, rowset = self.rng, self.rows
        person = calls.person[needs]
        place = visit[needs]
        method = pick(rng.random(len(needs)), np.array(LOGIN_SHARES))
        forgets = self.people.segment[person] == place_of("forgetful")
        fails = np.where(method == 0, rng.geometric(1.0 - np.where(forgets, 0.45, 0.07)) - 1, 0)
        fails = np.minimum(fails, 6)
        resets = (fails >= 2) & (rng.random(len(needs)) < np.where(forgets, 0.75, 0.4))
        done = at - self.seconds(0.5, 3.0, len(needs))
        table[needs] = done
        rowset.add(visit=place, person=person, at=done, act=Act.LOGIN, code=method)
        step = (rng.lognormal(2.3, 0.5, len(needs)) * SECOND).astype(np.int64)
        before = done - step
        some = np.flatnonzero(resets)
        if len(some):
            by_phone = (rng.random(len(some)) < 0.4).astype(np.int64)
            reset = before[some]
            rowset.add(visit=place[some], person=person[some], at=reset, act=Act.PASSWORD_RESET, code=by_phone)
            reset = reset - (rng.lognormal(2.9, 0.4, len(some)) * SECOND).astype(np.int64)
            rowset.add(visit=place[some], person=person[some], at=reset, act=Act.CODE_CHECKED, code=by_phone)
            reset = reset - (rng.lognormal(3.0, 0.5, len(some)) * SECOND).astype(np.int64)
            rowset.add(visit=place[some], person=person[some], at=reset, act=Act.CODE_SENT, code=by_phone)
            before[some] = reset - (rng.lognormal(2.3, 0.5, len(some)) * SECOND).astype(np.int64)
        coded = np.flatnonzero(method == 2)
        rowset.add(visit=place[coded], person=person[coded], at=before[coded], act=Act.CODE_CHECKED, code=1)
        sent = before[coded] - (rng.lognormal(2.8, 0.4, len(coded)) * SECOND).astype(np.int64)
        sent = self.send_codes(place[coded], person[coded], sent, code=1)
        before[coded] = sent + 3 * SECOND - (rng.lognormal(1.6, 0.6, len(coded)) * SECOND).astype(np.int64)
        for attempt in range(int(fails.max(initial=0))):
            some = np.flatnonzero(fails > attempt)
            rowset.add(visit=place[some], person=person[some], at=before[some], act=Act.LOGIN_FAILED, code=0)
            before[some] -= (rng.lognormal(2.2, 0.5, len(some)) * SECOND).astype(np.int64)
        rowset.add(visit=place, person=person, at=before - self.seconds(2.0, 9.0, len(needs)), act=Act.LOGIN_PAGE)

    def send_codes(self, visit: Ints, person: Ints, at: Ints, *, code: Ints | int) -> Ints:
        """Codes that are typed in afterwards, the last one sent at `at`; answers when the first one was.

        What does not come is asked for again; what was sent first nobody ever types in.
        """
        code = np.broadcast_to(np.asarray(code), len(at))
        self.rows.add(visit=visit, person=person, at=at, act=Act.CODE_SENT, code=code)
        again = np.flatnonzero(self.rng.random(len(at)) < SENT_AGAIN)
        first = at.copy()
        first[again] -= ((self.rng.lognormal(3.4, 0.5, len(again)) + 10.0) * SECOND).astype(np.int64)
        self.rows.add(visit=visit[again], person=person[again], at=first[again], act=Act.CODE_SENT, code=code[again])
        return first

    def seconds(self, low: float, high: float, count: int) -> Ints:
        """So many pauses between two lengths in seconds, in microseconds: nobody's are whole seconds."""
        return (self.rng.uniform(low, high, count) * SECOND).astype(np.int64)

    def visit(
        self,
        calls: Calls,
        *,
        since: Ints | None = None,
        label: Ints | int = -1,
        check_fails: float = CHECK_FAILS,
        **wishes: Any,
    ) -> tuple[Ints, Plan, Orders]:
        """Visits as they come, with everything that belongs to them.

        `since` as `open_visits` takes it, `wishes` as `plan_visits`.
        """
        rng = self.rng
        visit = self.open_visits(calls, since=since, label=label)
        plan = plan_visits(rng, calls.app, items=len(self.shelf), pace=self.people.pace[calls.person], **wishes)
        begin = calls.at
        rows = np.flatnonzero((self.login_at[-1] > begin) & (rng.random(len(calls)) < _LOGS_IN))
        self.log_in(visit, calls, rows, begin[rows])
        # What is popular is so on the day of the visit.
        item = np.where(plan.item >= 0, self.shelf.on_day(np.maximum(plan.item, 0), begin[plan.visit]), -1)
        at = begin[plan.visit] + (plan.at * SECOND).astype(np.int64)
        # Whoever is about to pay logs in, unless as a guest.
        buyers = plan.order_visit
        checkout = begin[buyers] + ((plan.order_at - plan.order_span * 0.85) * SECOND).astype(np.int64)
        first = np.unique(buyers, return_index=True)[1]
        self.log_in(visit, calls, buyers[first], checkout[first])
        orders = self.order(
            person=calls.person[buyers],
            visit=visit[buyers],
            at=begin[buyers] + (plan.order_at * SECOND).astype(np.int64),
            span=plan.order_span,
            lines=(
                plan.line_order,
                self.shelf.on_day(plan.line_item, begin[buyers][plan.line_order]),
                plan.line_quantity,
            ),
            ship=self.gifts(calls.person[buyers]),
            check_fails=check_fails,
        )
        paid = orders.payments.paid
        stay = (plan.act != Act.THANKS_PAGE) | np.append(paid, True)[plan.order]
        self.rows.add(
            visit=visit[plan.visit[stay]], person=calls.person[plan.visit[stay]], at=at[stay], act=plan.act[stay],
            item=item[stay], count=1,
        )  # fmt: skip
        self.report(visit, calls, plan)
        return visit, plan, orders

    def errand(
        self, person: Ints, at: Ints, page: int, *, item: Ints | int = -1, label: Ints | int = -1, login: bool = True
    ) -> tuple[Ints, Ints]:
        """Short visits for one purpose: a log-in where needed, the page; answers the visits, and when one can act."""
        rng = self.rng
        calls = errands(self.world, rng, self.people, person, at)
        visit = self.open_visits(calls, label=label)
        if login:
            self.log_in(visit, calls, np.arange(len(person)), at - 2 * SECOND)
        self.rows.add(visit=visit, person=person, at=at, act=page, item=item)
        acts = at + (rng.lognormal(2.9, 0.8, len(person)) * SECOND).astype(np.int64)
        told = np.flatnonzero(rng.random(len(person)) < SIGNALS_SHARE)
        self.rows.add(
            visit=visit[told], person=person[told], at=acts[told] + self.seconds(0.5, 4.0, len(told)),
            act=Act.SIGNALS, code=1, count=2, value=((acts - at) / SECOND)[told],
        )  # fmt: skip
        return visit, acts

    def report(self, visit: Ints, calls: Calls, plan: Plan) -> None:
        """What the collector sends of visits that have pages."""
        rng = self.rng
        ends, pages = np.zeros(len(calls)), np.bincount(plan.visit, minlength=len(calls))
        np.maximum.at(ends, plan.visit, plan.at)
        form = np.zeros(len(calls), dtype=np.int64)
        form[plan.order_visit] = 1
        some = np.flatnonzero((pages > 0) & (rng.random(len(calls)) < SIGNALS_SHARE))
        late = calls.at[some] + ((ends[some] + rng.uniform(0.5, 4.0, len(some))) * SECOND).astype(np.int64)
        self.rows.add(
            visit=visit[some], person=calls.person[some], at=late, act=Act.SIGNALS, code=form[some],
            count=pages[some], value=ends[some],
        )  # fmt: skip

    def order(self, **what: Any) -> Orders:
        """Orders and the steps of paying them."""
        declined = what.pop("declined", None)
        if declined is None:
            declined = self.outage(what["at"])
        orders = make_orders(self.world, self.shelf, self.offers, self.rng, self.people, declined=declined, **what)
        first = self.ordered
        self.ordered += len(orders)
        self.orders.append(orders)
        pay = orders.payments
        begin = orders.at - (orders.span * SECOND).astype(np.int64)
        at = begin[pay.order] + (pay.share * orders.span[pay.order] * SECOND).astype(np.int64)
        code = np.where(pay.act == Act.THREE_D_SECURE, pay.result, pay.code)
        slot = (orders.card[pay.order] + pay.card) % 3
        slot = np.where(self.people.card_weight[orders.person[pay.order], slot] > 0, slot, orders.card[pay.order])
        self.rows.add(
            visit=orders.visit[pay.order], person=orders.person[pay.order], at=at, act=pay.act,
            order=first + pay.order, card=slot, code=code,
        )  # fmt: skip
        used = np.flatnonzero(orders.offer >= 0)
        checked = begin[used] + (0.55 * orders.span[used] * SECOND).astype(np.int64)
        facts = {"visit": orders.visit[used], "person": orders.person[used], "code": orders.offer[used]}
        self.rows.add(**facts, at=checked, act=Act.REDEEM, order=first + used, card=orders.card[used])
        member = ~self.people.guest[orders.person[used]] & (self.rng.random(len(used)) < 0.62)
        claim = begin[used] - (self.rng.lognormal(1.6, 0.6, len(used)) * SECOND).astype(np.int64)
        logged = self.login_at_of(orders.visit[used])
        claims = np.flatnonzero(member & (logged <= begin[used]))
        claim = np.maximum(claim, logged + self.seconds(1.0, 6.0, len(used)))
        self.rows.add(
            visit=orders.visit[used][claims], person=orders.person[used][claims], at=claim[claims], act=Act.CLAIM,
            code=orders.offer[used][claims],
        )  # fmt: skip
        mine = used[claims]
        self.claim_more(orders.visit[mine], orders.person[mine], claim[claims], orders.offer[mine], logged[claims])
        return orders

    def claim_more(self, visit: Ints, person: Ints, at: Ints, taken: Ints, since: Ints) -> None:
        """Another coupon that is open, taken a few seconds before the one that is used, by some who use one."""
        offers = self.offers
        some = np.flatnonzero(self.rng.random(len(visit)) < TAKES_MORE)
        at = at[some] - (self.rng.lognormal(1.3, 0.5, len(some)) * SECOND).astype(np.int64)
        is_open = (offers.starts_at[None, :] <= at[:, None]) & (at[:, None] < offers.ends_at[None, :])
        weight = np.cumsum(is_open * ~offers.welcome[None, :] * offers.pull[None, :], axis=1)
        if not weight.size:
            return
        code = (self.rng.random(len(some))[:, None] * weight[:, -1:] >= weight).sum(axis=1)
        new = (code != taken[some]) & (code < len(offers.code))
        keep = np.flatnonzero((weight[:, -1] > 0) & new & (at > since[some]))
        self.rows.add(visit=visit[some][keep], person=person[some][keep], at=at[keep], act=Act.CLAIM, code=code[keep])

    def gifts(self, person: Ints) -> Ints:
        """Whose address the parcel of each buyer goes to: gift buyers send most of theirs to somebody else."""
        giver = self.people.segment[person] == place_of("gift_buyer")
        sends = giver & (self.rng.random(len(person)) < 0.65)
        return np.where(sends, self.rng.integers(len(self.people), size=len(person)), person)

    def login_at_of(self, visit: Ints) -> Ints:
        """From when visits are logged in."""
        return np.concatenate(self.login_at)[visit]

    def outage(self, at: Ints) -> Floats:
        """The probability that a payment is refused at each time: higher while the payment service is down."""
        chance = np.full(len(at), DECLINED)
        for moment in self.world.calendar.of_kind("payment_outage"):
            inside = (at >= moment.starts_at) & (at < moment.ends_at)
            chance[inside] = np.maximum(chance[inside], moment.strength)
        return chance

    def after(
        self, orders: Orders, first: int, *, returns: Floats | float = 1.0, extra_returns: float = 0.0, **shares: Any
    ) -> None:
        """Everything that follows from orders; `first` is the place of the first in the shard's table.

        `returns` times the customers' own share of returns, and `extra_returns` beside it.
        """
        rng, people = self.rng, self.people
        paid = np.flatnonzero(orders.payments.paid)
        if not len(paid):
            return
        person = orders.person[paid]
        heads = np.searchsorted(orders.line_order, paid)
        goods = self.world.items.returns[orders.line_item[heads]]
        plan = plan_aftermath(
            rng,
            digital=orders.digital[paid],
            lines=orders.number[paid],
            return_share=np.minimum(0.9, people.return_share[person] * goods * returns + extra_returns),
            review_share=people.review_share[person],
            **shares,
        )
        placed = orders.at[paid][plan.order]
        at = placed + (plan.at * SECOND).astype(np.int64)
        who = person[plan.order]
        which = paid[plan.order]
        item = orders.line_item[np.minimum(heads[plan.order] + np.maximum(plan.line, 0), len(orders.line_item) - 1)]
        office = np.isin(plan.act, _OFFICE)
        facts = {
            "order": first + which, "code": plan.reason, "card": orders.card[which],
            "value": np.where(np.isnan(plan.rating), plan.share, plan.rating), "count": plan.returned, "item": item,
        }  # fmt: skip
        inside = at < self.world.scenario.end_at
        rows = np.flatnonzero(office & inside)
        self.rows.add(
            visit=np.full(len(rows), -1),
            person=who[rows],
            at=at[rows],
            act=plan.act[rows],
            **{k: v[rows] for k, v in facts.items()},
        )
        # The customers' own part happens in short visits; guests write no reviews.
        own = ~office & inside & ~(people.guest[who] & (plan.act == Act.REVIEW))
        rows = np.flatnonzero(own)
        calls = errands(self.world, rng, people, who[rows], at[rows])
        visit = self.open_visits(calls)
        needs = np.arange(len(rows))
        page = at[rows] - (rng.lognormal(3.6, 0.6, len(rows)) * SECOND).astype(np.int64)
        self.log_in(visit, calls, needs, page - 2 * SECOND)
        act = plan.act[rows]
        form = np.select(
            [act == Act.REFUND_REQUESTED, (act == Act.REVIEW) | (act == Act.RATING), act == Act.SUPPORT],
            [Act.RETURN_PAGE, Act.REVIEW_PAGE, Act.HELP_PAGE], Act.ORDERS_PAGE,
        )  # fmt: skip
        opened = page - (rng.lognormal(2.3, 0.6, len(rows)) * SECOND).astype(np.int64)
        looks = np.flatnonzero((rng.random(len(rows)) < 0.8) & (self.login_at[-1] < opened))
        self.rows.add(visit=visit[looks], person=who[rows][looks], at=opened[looks], act=Act.ORDERS_PAGE)
        self.rows.add(visit=visit, person=who[rows], at=page, act=form, item=item[rows])
        self.rows.add(visit=visit, person=who[rows], at=at[rows], act=act, **{k: v[rows] for k, v in facts.items()})
        told = np.flatnonzero(rng.random(len(rows)) < SIGNALS_SHARE)
        self.rows.add(
            visit=visit[told], person=who[rows][told], at=at[rows][told] + self.seconds(0.5, 4.0, len(told)),
            act=Act.SIGNALS, code=1, count=2, value=(at[rows] - page)[told] / SECOND,
        )  # fmt: skip


def make_crowd(world: World, numbers: NDArray[np.int64], rng: Generator, scale: float) -> Crowd:
    """The honest customers with these numbers, through the whole run.

    Parameters
    ----------
    numbers : of the customers.
    rng : of this shard.
    scale : times the visits that customers make by themselves, so that the run has the wished number of events.
    """
    from floorwalker.simulation.shop.honest.accounts import add_accounts
    from floorwalker.simulation.shop.honest.company import add_company
    from floorwalker.simulation.shop.honest.market import add_market
    from floorwalker.simulation.shop.honest.offers import add_offers
    from floorwalker.simulation.shop.honest.scenes import add_scenes
    from floorwalker.simulation.shop.honest.trade import add_trade

    people = world.people(numbers)
    crowd = Crowd(world, people, shelf_of(world), list_offers(world), rng)
    expected = people.visits_per_week * (world.scenario.days / 7.0) * scale
    calls = draw_calls(world, rng, people, expected)
    table = fitted().purchase
    weekend = ((calls.at // (86_400 * SECOND) + 3) % 7) >= 5
    average = table["on_weekdays"] * (1 - table["weekend_share"]) + table["on_weekends"] * table["weekend_share"]
    keen = np.where(weekend, table["on_weekends"], table["on_weekdays"]) / average
    keen = keen * np.where(world.calendar.is_promotion(calls.at), 1.35, 1.0)
    first = crowd.ordered
    _, _, orders = crowd.visit(calls, keen=keen)
    crowd.after(orders, first)
    add_accounts(crowd)
    add_offers(crowd)
    add_company(crowd)
    add_trade(crowd)
    add_market(crowd)
    add_scenes(crowd)
    return crowd


def join_orders(orders: list[Orders]) -> Orders:
    """Several tables of orders as one; payments are not kept."""
    starts = np.cumsum([0, *(len(one) for one in orders)])
    columns: dict[str, Any] = {}
    for name in Orders.__dataclass_fields__:
        if name == "payments":
            columns[name] = None
        elif name == "line_order":
            columns[name] = np.concatenate([one.line_order + starts[place] for place, one in enumerate(orders)])
        else:
            columns[name] = np.concatenate([getattr(one, name) for one in orders])
    return Orders(**columns)


__all__ = ["Crowd", "join", "join_orders", "make_crowd"]
