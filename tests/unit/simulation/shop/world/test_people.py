"""Customers and those who want to pass for one: the same facts however they are asked for, and nothing that tells."""

import collections
import dataclasses
import re

import msgspec
import numpy as np
import pytest

from floorwalker.errors import UsageError
from floorwalker.events.cards import find_card_number
from floorwalker.events.decode import decode_event
from floorwalker.events.event import Event
from floorwalker.events.identity.addresses import read_address
from floorwalker.events.identity.emails import read_email
from floorwalker.events.identity.phones import read_phone
from floorwalker.events.placeholders import is_placeholder
from floorwalker.simulation.shop.scenario import DAY
from floorwalker.simulation.shop.world import segments
from floorwalker.simulation.shop.world.addresses import FIELDS
from floorwalker.simulation.shop.world.devices import DESKTOP
from floorwalker.simulation.shop.world.newcomers import STYLES


def signed_up(world, person, at):
    """The event of this person's opening of an account."""
    network = person.networks[0] if person.networks else "home/3"
    return Event(
        id="e-1", type="sign_up", at=at, account=person.account or "guest-1", email=person.email, phone=person.phone,
        billing_address=person.home, shipping_address=person.ship or person.home, country=person.country,
        device=person.devices[0].id or None, user_agent=person.devices[0].user_agent,
        device_facts=person.devices[0].facts, payment=person.cards[0].payment, bin=person.cards[0].bin or None,
        card=person.cards[0].facts, ip=world.networks.address(network, at), network=world.networks.facts(network, at),
        language=person.language,
    )  # fmt: skip


def test_any_piece_of_the_register_says_the_same(world):
    whole, some = world.people(np.arange(400)), world.people([399, 17, 18, 19])
    for field in dataclasses.fields(whole):
        if field.name in ("home", "ship"):
            for name in FIELDS:
                column = getattr(whole, field.name).columns[name]
                assert column[[399, 17, 18, 19]].tolist() == getattr(some, field.name).columns[name].tolist()
        elif field.name == "cards":
            for one, other in zip(whole.cards, some.cards, strict=True):
                assert one.payment[[399, 17, 18, 19]].tolist() == other.payment.tolist()
                assert one.issue[[399, 17, 18, 19]].tolist() == other.issue.tolist()
        else:
            assert np.array_equal(getattr(whole, field.name)[[399, 17, 18, 19]], getattr(some, field.name)), field.name


def test_a_record_says_what_the_columns_say(world):
    people = world.people(np.arange(60))
    for row, person in enumerate(world.customers_as(np.arange(60))):
        assert person == world.customer(row)
        assert person.account == ("" if people.guest[row] else people.account[row])
        assert (person.email, person.phone) == (people.email[row], people.phone[row])
        assert person.home == people.home.address(row)
        assert person.segment == segments.NAMES[people.segment[row]]
        assert person.networks == tuple(world.networks.name(int(code)) for code in people.network[row])


def test_everybody_can_sign_up_and_is_somebody(world):
    at = world.scenario.first_at
    people = world.customers_as(np.arange(800)) + world.new_people(np.random.default_rng(1), 200, at=at)
    for person in people:
        event = signed_up(world, person, at)
        decode_event(msgspec.json.encode(event), now=at + DAY)
        phone = read_phone(person.phone, person.country)
        assert phone.kind in ("mobile", "fixed_or_mobile"), person.phone
        assert not is_placeholder("phone", phone.canonical)
        email = read_email(person.email)
        assert email.domain is not None
        assert not is_placeholder("email", email.canonical)
        for kind, value in (("device", event.device), ("account", event.account), ("payment", event.payment)):
            assert value is None or not is_placeholder(kind, value)
        for address in (event.billing_address, event.shipping_address):
            assert read_address(address).point is not None, address


def test_nobody_is_named_like_a_card_and_mailboxes_are_one_persons(world):
    people = world.people(np.arange(30_000))
    for column in (people.email, people.phone, people.account):
        assert not any(find_card_number(text) for text in column.tolist())
    assert not any(re.search(r"\d{12}", text) for text in people.email.tolist())
    boxes = collections.Counter(read_email(text).canonical for text in people.email.tolist())
    assert sum(count for count in boxes.values() if count > 1) < 0.012 * len(people)


def test_segments_are_as_frequent_as_the_table_says(world):
    people = world.people(np.arange(20_000))
    assert segments.SHARES.sum() == pytest.approx(1.0)
    counted = np.bincount(people.segment, minlength=len(segments.NAMES)) / len(people)
    assert np.abs(counted - segments.SHARES).max() < 0.012


def test_households_share_door_line_and_name_but_neighbours_do_not(world):
    people = world.people(np.arange(4_000))
    ordinary = (people.segment == 0) & (people.heads == people.numbers)
    members = np.flatnonzero((people.segment == 0) & (people.heads != people.numbers))
    members = members[ordinary[people.heads[members].astype(int)]]
    assert len(members) > 80
    heads = people.heads[members].astype(int)

    def point(row):
        return read_address(people.home.address(row)).point

    assert np.mean([point(member) == point(head) for member, head in zip(members, heads, strict=True)]) > 0.9
    at = np.full(len(members), world.scenario.first_at)
    same = world.networks.operators(people.network[members, 0], at)[0]
    assert np.array_equal(same, world.networks.operators(people.network[heads, 0], at)[0])
    points = collections.Counter(point(row) for row in np.flatnonzero(ordinary)[:800].tolist())
    assert max(points.values()) <= 3


def test_what_many_share_is_shared_by_many(world):
    people = world.people(np.arange(world.customers))
    for name, least in (("locker_user", 5), ("office_worker", 3), ("group_member", 5), ("pickup_user", 5)):
        rows = np.flatnonzero(people.segment == segments.place_of(name)).tolist()
        points = collections.Counter(read_address(people.ship.address(row)).point for row in rows)
        assert max(points.values()) >= least, name


def test_a_telephone_changes_hands(world):
    people = world.people(np.arange(world.customers))
    first, end = world.scenario.first_at, world.scenario.end_at
    buyers = np.flatnonzero(people.segment == segments.place_of("second_hand_phone"))
    assert len(buyers) > 5
    owner = (people.device_number[buyers, 0] >> np.uint64(2)).astype(int)
    sellers = world.people(owner)

    def ids(of, at):
        return world.device_ids(of.device_number[:, 0], of.clears_days, np.full(len(of), at)).tolist()

    bought = world.people(buyers)
    before, after = ids(bought, first), ids(bought, end)
    sold, kept = ids(sellers, first), ids(sellers, end)
    steady = np.flatnonzero((sellers.clears_days == 0) & (sellers.segment != segments.place_of("second_hand_phone")))
    assert len(steady)
    for row in steady.tolist():
        assert after[row] == sold[row]
        assert before[row] != after[row]
        assert kept[row] != sold[row]
        assert bought.model[row, 0] == sellers.model[row, 0]


def test_cleared_cookies_make_new_devices_and_others_keep_theirs(world):
    people = world.people(np.arange(2_000))
    first = world.scenario.first_at
    days = [world.device_ids(people.device_number[:, 0], people.clears_days, np.full(2_000, first + day * DAY))
            for day in (0, 1, 20)]  # fmt: skip
    clears = people.clears_days > 0
    assert (days[0][clears] != days[2][clears]).all()
    assert (days[0][~clears] == days[2][~clears]).mean() > 0.98  # but for sold telephones
    assert (days[0][clears] == days[1][clears]).mean() > 0.3


def test_an_invented_person_is_like_a_new_customer(world):
    rng = np.random.default_rng(5)
    count = 2_000
    german = world.people(np.arange(6_000))
    rows = np.flatnonzero((german.country == 0) & (german.heads == german.numbers))[:count]
    honest = world.customers_as(rows)
    invented = world.new_people(rng, count, country="DE", at=world.scenario.first_at)
    measures = {
        "digits": lambda person: read_email(person.email).digits,
        "length": lambda person: float(read_email(person.email).length),
        "free": lambda person: float(read_email(person.email).is_free),
        "devices": lambda person: float(len(person.devices)),
        "app": lambda person: float(person.devices[0].channel == "app"),
        "cards": lambda person: float(len(person.cards)),
        "prepaid": lambda person: float(person.cards[0].facts.funding == "prepaid"),
        "house": lambda person: float(len(person.home.street or "")),
        "elsewhere": lambda person: float(person.ship is not None),
        "phone": lambda person: float(len(person.phone)),
    }
    for name, measure in measures.items():
        one, other = (np.array([measure(person) for person in people]) for people in (honest, invented))
        assert abs(one.mean() - other.mean()) < 0.12 * max(one.std(), 0.3), name
    assert len(honest[0].account) == len(invented[0].account)
    assert len({person.email for person in invented}) > 0.97 * count


def test_cheap_inventions_show_what_they_spare(world):
    rng = np.random.default_rng(6)

    def make(style, **more):
        return world.new_people(rng, 40, style=style, **more)

    assert all(read_email(person.email).is_disposable for person in make("disposable_mail"))
    assert len({read_email(person.email).canonical for person in make("gmail_dots")}) == 1
    assert len({person.email for person in make("gmail_dots")}) > 30
    prefixes = {read_phone(person.phone, "DE").prefix for person in make("bulk")}
    assert len(prefixes) == 1
    home = world.customer(1).home
    doors = make("address_variants", home=home, country=world.customer(1).country)
    texts = {msgspec.structs.replace(person.home, name=None) for person in doors}
    points = collections.Counter(read_address(person.home).point for person in doors)
    assert len(texts) > 15
    assert points[read_address(home).point] >= 20
    everybody = set(world.people(np.arange(world.customers)).phone.tolist())
    assert sum(person.phone in everybody for person in make("recycled_phone")) > 30
    with pytest.raises(UsageError, match="no style of persons"):
        make("honest")
    assert all(make(style) for style in STYLES)


def test_devices_are_of_one_piece(world):
    for person in world.customers_as(np.arange(800)):
        for device in person.devices:
            agent, facts = device.user_agent, device.facts
            if device.channel == "app":
                assert agent.startswith("Hallenhaus/")
                assert facts.app_version in agent
                assert facts.install_age_seconds is not None
            elif device.channel == "mini_program":
                assert "MicroMessenger" in agent
                assert person.country == "CN"
            elif facts.os == "iOS":
                assert "iPhone" in agent
            elif facts.os == "Windows":
                assert "Windows NT" in agent
            elif facts.os == "Android":
                assert "Android" in agent
            assert facts.utc_offset_minutes == person.utc_offset_minutes
            assert device.ja4.startswith("t13d")


def test_updates_come_with_the_releases_and_not_all_at_once(world):
    people = world.people(np.arange(3_000))
    devices = world.devices
    rows = np.flatnonzero(devices.use[people.model[:, 0]] != DESKTOP)
    models, numbers = people.model[rows, 0], people.device_number[rows, 0]

    def updated(at):
        return devices.is_updated(models, numbers, np.full(len(rows), at)).mean()

    shares = [updated(devices.app_release_at + days * DAY) for days in (-1, 1, 4, 12)]
    assert shares == sorted(shares)
    assert shares[0] < 0.4 < shares[-1]


def test_what_betrays_a_device_can_stay_hidden(world):
    rng = np.random.default_rng(2)
    shown = [world.new_device(rng, kind="emulator") for _ in range(30)]
    hidden = [world.new_device(rng, kind="emulator", hidden=1.0) for _ in range(30)]
    assert all(device.facts.emulator for device in shown)
    assert not any(device.facts.emulator for device in hidden)
    assert not any("Headless" in world.new_device(rng, kind="headless", hidden=1.0).user_agent for _ in range(9))
    assert world.new_device(rng, kind="script").id == ""
    assert world.new_device(rng, kind="mini", country="CN").channel == "mini_program"


def test_cards_are_as_they_are_said_to_be(world):
    rng = np.random.default_rng(4)
    stolen = [world.new_card(rng, country="GB", origin="stolen") for _ in range(60)]
    assert all(card.bin and card.facts.issuer_country == "GB" for card in stolen)
    assert 0 < sum(bool(card.facts.wallet) for card in stolen) < 40
    assert all(world.new_card(rng, origin="prepaid").facts.funding == "prepaid" for _ in range(20))
    assert len({card.payment for card in stolen}) == 60
    own = [world.new_card(rng, origin="own") for _ in range(200)]
    assert 0.3 < sum(bool(card.bin) for card in own) / 200 < 0.7
