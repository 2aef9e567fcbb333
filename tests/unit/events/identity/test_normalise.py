"""Personal values leave the event, and what can be said of them in general stays."""

from __future__ import annotations

import sys
import time

import msgspec
import pytest

from floorwalker.errors import UsageError
from floorwalker.events.batch import make_batch
from floorwalker.events.codec import pack_event
from floorwalker.events.entities import EntityKeyer
from floorwalker.events.event import Address, CardFacts, Discount, Event, OrderLine
from floorwalker.events.identity import IdentityRules, Tokeniser, is_token, missing_form, normalise, stored_value
from floorwalker.events.identity.emails import read_email
from floorwalker.events.identity.hubs import read_hubs
from floorwalker.events.identity.payments import read_payment
from floorwalker.events.identity.phones import read_phone
from floorwalker.events.networks import network_of

TOKENISER = Tokeniser(bytes(range(32)))
KEYER = EntityKeyer(bytes(16))
HOME = Address(name="Jane Doe", street="12 High St", extra="Flat 3", postal_code="LS1 4AP", country="GB")
EVENT = Event(
    id="e-1",
    type="checkout",
    at=1,
    account="a-1",
    email="Jane.Doe+x@gmail.com",
    phone="07911 123456",
    ip="::ffff:203.0.113.9",
    shipping_address=HOME,
    billing_address=HOME,
    country="GB",
    bin="411111",
    url="https://shop.example.com/?mail=jane@example.com",
    text="write to jane%40example.com or JANE@example.com",
    attributes={"contact": ["bob@example.org", 3], "note": "x"},
    recipient="friend@example.org",
)
SECRETS = ("jane", "doe@", "123456", "203.0.113.9", "high st", "ls1 4ap", "bob@", "friend@")


def test_no_personal_value_stays_and_every_one_is_handed_out() -> None:
    kept, raw = normalise(EVENT, TOKENISER)
    record = pack_event(kept).decode("utf-8", "replace").lower()
    assert [secret for secret in SECRETS if secret in record] == []
    fields = [value.field for value in raw]
    assert fields == [
        "email",
        "phone",
        "ip",
        "shipping_address",
        "billing_address",
        "recipient",
        "url",
        "text",
        "text",
        "attributes.contact[0]",
    ]
    assert all(is_token(value.token) for value in raw)
    assert {value.subject for value in raw} == {"account:a-1"}
    assert msgspec.json.decode(raw[3].raw, type=Address) == HOME
    assert raw[6].token == raw[7].token == raw[8].token


def test_what_can_be_said_in_general_stays() -> None:
    kept, _ = normalise(EVENT, TOKENISER)
    facts = kept.identity
    assert facts is not None
    assert (facts.email_domain, facts.email_free, facts.email_disposable, facts.email_altered) == (
        "gmail.com",
        True,
        False,
        True,
    )
    assert (facts.phone_prefix, facts.phone_kind) == ("+44791112", "mobile")
    assert (facts.ip_network, facts.ip_kind) == ("203.0.113.0/24", "ipv4")
    assert facts.delivery_point == facts.billing_point
    assert facts.delivery_area == "GB:LS1"
    assert facts.hubs == ("email_domain",)
    assert kept.card == CardFacts(scheme="visa")
    assert (kept.shipping_address, kept.billing_address) == (None, None)
    assert make_batch([kept], KEYER).keys["email_domain"][0] == 0


def test_a_second_time_changes_nothing() -> None:
    kept, _ = normalise(EVENT, TOKENISER)
    assert normalise(kept, TOKENISER) == (kept, [])


def test_spellings_of_one_person_have_the_same_keys() -> None:
    other = Event(
        id="e-2",
        type="checkout",
        at=2,
        account="a-2",
        email="JANEDOE@googlemail.com",
        phone="+44 7911-123456",
        ip="203.0.113.9",
        shipping_address=Address(text="12 High Street Apt 3, Leeds LS1 4AP", country="GB"),
    )
    keys = make_batch([normalise(event, TOKENISER)[0] for event in (EVENT, other)], KEYER).keys
    for entity in ("email", "phone", "ip", "ip_network", "delivery_point", "phone_prefix"):
        assert keys[entity][0] == keys[entity][1] != 0, entity
    assert keys["account"][0] != keys["account"][1]


def test_placeholders_are_dropped_and_named() -> None:
    event = Event(
        id="e",
        type="search",
        at=1,
        account="unknown",
        email="test@test.com",
        phone="0000000000",
        ip="10.0.0.1",
        device="0",
    )
    kept, raw = normalise(event, TOKENISER, IdentityRules(region="GB"))
    assert raw == []
    assert kept.identity is not None
    assert set(kept.identity.placeholders) == {"account", "email", "phone", "ip", "device"}
    assert (kept.email, kept.phone, kept.ip) == (None, None, None)
    assert kept.identity.ip_network is None
    assert not any(column[0] for column in make_batch([kept], KEYER).keys.values())


def test_what_is_no_address_or_number_still_tells_people_apart() -> None:
    event = Event(id="e", type="search", at=1, email="jane", phone="12-34-5")
    kept, raw = normalise(event, TOKENISER)
    assert kept.identity is not None
    assert kept.identity.email_domain is None
    assert kept.identity.phone_kind == "invalid"
    assert all(value.subject == kept.email for value in raw)
    assert is_token(kept.phone or "")


def test_accounts_named_by_a_personal_value_get_tokens() -> None:
    event = Event(id="e", type="search", at=1, account="Jane@example.com", inviter="+447911123456", session="a@b")
    kept, raw = normalise(event, TOKENISER)
    assert is_token(kept.account or "")
    assert is_token(kept.inviter or "")
    assert kept.session == "a@b"
    assert [value.field for value in raw] == ["account", "inviter"]
    assert raw[0].subject == f"account:{kept.account}"
    assert stored_value("account", "JANE@example.com", "default", TOKENISER) == [kept.account]


def test_declared_hubs_are_named() -> None:
    hubs = read_hubs('networks = [{ range = "203.0.113.0/24", name = "carrier" }]\ndevice = ["fp-shared"]')
    event = Event(
        id="e",
        type="search",
        at=1,
        ip="203.0.113.9",
        device="fp-shared",
        shipping_address=Address(street="Packstation 145", postal_code="10115", country="DE"),
    )
    kept, _ = normalise(event, TOKENISER, IdentityRules(hubs=hubs))
    assert kept.identity is not None
    assert set(kept.identity.hubs) == {"ip", "ip_network", "device", "delivery_point"}
    assert not any(column[0] for column in make_batch([kept], KEYER).keys.values())
    assert kept.identity.ip_network == "203.0.113.0/24"


@pytest.mark.parametrize(
    "text", ["= 3", 'colour = ["red"]', "device = [1]", 'networks = [{ range = "203.0.113.9/8" }]']
)
def test_a_list_of_hubs_with_a_fault_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        read_hubs(text)


def test_addresses_of_clients_may_stay_readable() -> None:
    kept, raw = normalise(Event(id="e", type="search", at=1, ip="203.0.113.9"), TOKENISER, IdentityRules(keep_ip=True))
    assert (kept.ip, raw) == ("203.0.113.9", [])


def test_tokens_of_older_keys_are_still_found() -> None:
    old = Tokeniser(bytes(32))
    new = Tokeniser(bytes(range(32)), 2, {1: bytes(32)})
    found = stored_value("email", "Jane@example.com", "s", new)
    assert found == [new.token("email", "s", "jane@example.com"), old.token("email", "s", "jane@example.com")]
    assert stored_value("email", found[1], "s", new) == [found[1]]
    assert stored_value("ip", "::ffff:203.0.113.9", "s", new)[-1] == "203.0.113.9"
    assert stored_value("ip_network", "203.0.113.77", "s", new) == ["203.0.113.0/24"]


@pytest.mark.parametrize(
    ("entity", "given", "held"),
    [
        ("email_domain", "EVIL.example", "evil.example"),
        ("email_domain", "@GoogleMail.com.", "gmail.com"),
        ("email_domain", "Bücher.example", "xn--bcher-kva.example"),
        ("email_domain", "jane@evil.example", None),
        ("email_domain", "evil", None),
        ("ip_network", "2001:DB8:1:2::9/64", "2001:db8:1:2::/64"),
        ("ip_network", "2001:db8::/48", None),
        ("ip_network", "203.0.113.0/16", None),
        ("ip_network", "192.168.1.0/24", None),
        ("bin", "4111 11", "411111"),
        ("bin", "４１１１１１１１", "41111111"),
        ("bin", "4111111", None),
        ("phone_prefix", "0044 (0) 7911-12", "+44791112"),
        ("phone_prefix", "+0791112", None),
        ("phone_prefix", "+447911123456", None),
    ],
)
def test_what_events_hold_in_one_spelling_is_found_in_every(entity: str, given: str, held: str | None) -> None:
    assert stored_value(entity, given, "s", TOKENISER) == [held or given]
    assert bool(missing_form(entity, given)) == (held is None)


def test_what_was_sent_is_found_by_what_was_sent() -> None:
    """Numbers that cannot be dialled are told apart by their letters and digits, in look-ups too."""
    for phone in ("12-34-5", "+44 7911 123456", "Ext. 17-4"):
        kept, _ = normalise(Event(id="e", type="search", at=1, phone=phone), TOKENISER)
        assert stored_value("phone", phone, "default", TOKENISER) == [kept.phone]
        assert missing_form("phone", phone) == missing_form("phone", kept.phone or "") == ""
    assert missing_form("email", "test@test.com")
    assert missing_form("ip", "10.1.2.3")
    assert missing_form("delivery_point", "12 High St")
    assert not missing_form("account", "12 High St")


@pytest.mark.parametrize(
    ("key", "version", "older"),
    [(b"short", 1, {}), (bytes(32), 0, {}), (bytes(32), 1, {2: bytes(32)}), (bytes(32), 2, {1: b""})],
)
def test_keys_that_do_not_fit_are_refused(key: bytes, version: int, older: dict[int, bytes]) -> None:
    with pytest.raises(UsageError):
        Tokeniser(key, version, older)


@pytest.mark.parametrize(
    ("text", "canonical", "domain"),
    [
        ("Jane.Doe+a+b@GMail.com", "janedoe@gmail.com", "gmail.com"),
        ("j.a.n.e@googlemail.com.", "jane@gmail.com", "gmail.com"),
        ("jane-a@yahoo.com", "jane@yahoo.com", "yahoo.com"),
        ("jane+tag@example.com", "jane@example.com", "example.com"),
        ("jane.doe@example.com", "jane.doe@example.com", "example.com"),
        ("ｊａｎｅ＠ｅｘａｍｐｌｅ．ｃｏｍ", "jane@example.com", "example.com"),
        ("ja\u200bne@example.com", "jane@example.com", "example.com"),
        ("<jane@example.com>", "jane@example.com", "example.com"),
        ("jane@bücher.example", "jane@xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("Ja.ne_x@pm.me", "janex@proton.me", "proton.me"),
        ("+@example.com", "+@example.com", "example.com"),
        ("jane", "jane", None),
        ("jane@localhost", "jane@localhost", None),
        ("@example.com", "@example.com", None),
        ("", "", None),
    ],
)
def test_one_mailbox_has_one_spelling(text: str, canonical: str, domain: str | None) -> None:
    email = read_email(text)
    assert (email.canonical, email.domain) == (canonical, domain)


def test_every_space_and_bracket_around_an_address_goes() -> None:
    spaces = [chr(point) for point in range(sys.maxunicode + 1) if chr(point).isspace()]
    assert len(spaces) > 20
    for space in spaces:
        for around in (space, f"{space}<{space}", f">{space}"):
            assert read_email(f"{around}jane@example.com{around}").canonical == "jane@example.com"
            assert read_email(f"{around}0{around}").canonical == "0"


def test_disposable_domains_count_with_what_is_below_them() -> None:
    assert read_email("a@x.y.mailinator.com").is_disposable
    assert not read_email("a@notmailinator.com").is_disposable
    assert read_email("a1b2@example.com").digits == 0.5


@pytest.mark.parametrize(
    ("text", "region", "canonical", "kind"),
    [
        ("07911 123456", "GB", "+447911123456", "mobile"),
        ("+44 (0) 7911 123456", "US", "+447911123456", "mobile"),
        ("0044 7911 123456", "DE", "+447911123456", "mobile"),
        ("447911123456", None, "+447911123456", "mobile"),
        ("138-0013-8000", "CN", "+8613800138000", "mobile"),
        ("１３８００１３８０００", "CN", "+8613800138000", "mobile"),
        ("0800 111 1111 ext. 3", "GB", "+448001111111", "toll_free"),
        ("123", "GB", None, None),
        ("", None, None, None),
        ("no number", "GB", None, None),
    ],
)
def test_one_telephone_has_one_number(text: str, region: str | None, canonical: str | None, kind: str | None) -> None:
    phone = read_phone(text, region)
    assert (phone.canonical, phone.kind) == (canonical, kind)
    assert phone.prefix == (canonical[:-4] if canonical else None)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.0/24"),
        ("::ffff:203.0.113.9", "203.0.113.0/24"),
        ("2001:DB8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("[2001:db8::1%eth0]", "2001:db8::/64"),
        ("203.0.113.256", None),
        ("", None),
    ],
)
def test_networks(address: str, network: str | None) -> None:
    assert network_of(address) == network


def test_checks_of_payment_services_become_words() -> None:
    card = read_payment(None, CardFacts(scheme="American Express", avs_result="Z", cvv_result="weird"))
    assert card == CardFacts(scheme="amex", avs_result="partial", cvv_result="weird")
    assert read_payment("123456", None) is None


def test_no_address_stays_in_lines_coupons_and_ids_of_goods() -> None:
    """A marketplace may name sellers by their e-mail addresses, a wallet its owner, a coupon who it was made for."""
    event = Event(
        id="e-1", type="order", at=7, account="a-1", seller="Jane@example.com", payment="joe@example.org",
        order="joe@example.org-17", promotion="for-jane@example.com", group="+g", item="i%40x",
        coupons=("SPRING", "JOE@example.org/10"), discounts=(Discount(code="joe@example.org"), Discount(kind="coupon")),
        lines=(
            OrderLine(item="book", seller="jane@example.com", price_minor=5),
            OrderLine(item="jane@example.com/lamp", seller="+447911123456", category="lamps"),
            OrderLine(item="pen", seller="s-9"),
        ),
    )  # fmt: skip
    kept, raw = normalise(event, TOKENISER)
    written = pack_event(kept)
    assert b"example" not in written
    assert b"447911123456" not in written
    # One seller, wherever the event names it.
    assert kept.lines[0].seller == kept.seller != event.seller
    assert kept.lines[0].price_minor == 5
    assert kept.lines[2] is event.lines[2]
    assert kept.coupons[0] == "SPRING"
    assert kept.coupons[1].endswith("/10")
    assert (kept.group, kept.item) == ("+g", "i%40x")
    told = {(value.field, value.raw) for value in raw}
    assert {
        ("lines.seller", "jane@example.com"),
        ("lines.seller", "+447911123456"),
        ("payment", "joe@example.org"),
    } <= told
    assert {field for field, _ in told} >= {"coupons", "discounts", "lines.item", "order", "promotion", "seller"}
    assert all(value.token.encode() in written for value in raw)
    # Whoever asks for the seller by the address finds what is kept.
    assert kept.seller in stored_value("seller", "jane@example.com", "default", TOKENISER)
    for entity, given, found in (
        ("coupon", event.coupons[1], kept.coupons[1]), ("order", event.order, kept.order),
        ("promotion", event.promotion, kept.promotion), ("item", event.lines[1].item, kept.lines[1].item),
    ):  # fmt: skip
        assert stored_value(entity, given, "default", TOKENISER) == [found] != [given]
    assert stored_value("event", "joe@example.org", "default", TOKENISER) == ["joe@example.org"]
    assert kept.payment in stored_value("payment", "joe@example.org", "default", TOKENISER)
    assert normalise(kept, TOKENISER) == (kept, [])


def _token(address: str) -> str:
    return TOKENISER.token("email", "default", read_email(address).canonical)


@pytest.mark.parametrize(
    ("text", "kept", "address"),
    [
        ("/n?email=janexyz%2Bshop%40gmail.com", "/n?email={}", "janexyz+shop@gmail.com"),
        ("/n?email=janexyz%2bshop%40gmail%2Ecom&page=2", "/n?email={}&page=2", "janexyz+shop@gmail.com"),
        ("/n?email=jane%2Edoe%40example.com#top", "/n?email={}#top", "jane.doe@example.com"),
        ("/n?r=%3Femail%3Djane%252Bx%2540gmail.com%26page%3D2", "/n?r=%3Femail%3D{}%26page%3D2", "jane+x@gmail.com"),
        ("/n?page=2&jane@example.com", "/n?page=2&{}", "jane@example.com"),
        ("/n?q=by%20jane%40example.com", "/n?q=by%20{}", "jane@example.com"),
        ("/n?to=ren%C3%A9%40example.com", "/n?to={}", "rené@example.com"),
        ("/n?to=bob%EF%BC%A0example.net", "/n?to={}", "bob@example.net"),
        ("mail o'brien@example.com!", "mail {}!", "o'brien@example.com"),
        ("mail 'jane@example.com'", "mail '{}'", "jane@example.com"),
        ("mail *jane@example.com*", "mail *{}*", "jane@example.com"),
        ("jane&co@example.com, then", "{}, then", "jane&co@example.com"),
        ("a!#$%&'*+-^_`{|}~b@example.com", "{}", "a!#$%&'*+-^_`{|}~b@example.com"),
        ("write: bob＠example.net.", "write: {}.", "bob@example.net"),
        ("ｂｏｂ＠ｅｘａｍｐｌｅ．ｎｅｔ", "{}", "bob@example.net"),
        ("bob﹫example.net", "{}", "bob@example.net"),
        ("x" * 70 + "@example.net", "{}", "x" * 70 + "@example.net"),
        ("bob@example or @bob, 100%25 of 40%40", "bob@example or @bob, 100%25 of 40%40", None),
    ],
)  # fmt: skip
def test_an_address_is_found_however_it_is_written(text: str, kept: str, address: str | None) -> None:
    event = Event(id="e", type="page_view", at=1, url=text, text=text, attributes={text: [text]}, coupons=(text,))
    found, raw = normalise(event, TOKENISER)
    expected = kept if address is None else kept.replace("{}", _token(address), 1)
    assert (found.url, found.text, found.coupons) == (expected, expected, (expected,))
    assert found.attributes == {expected: [expected]}
    assert len(raw) == (0 if address is None else 5)
    for value in raw:
        assert value.token == _token(address or "")
        assert read_email(value.raw).canonical == read_email(address or "").canonical
        assert value.field.isascii()
        assert "@" not in value.field
    assert normalise(msgspec.structs.replace(found, identity=None), TOKENISER)[1] == []
    assert stored_value("coupon", text, "default", TOKENISER) == [expected]


def test_two_addresses_of_one_token_keep_their_values() -> None:
    attributes = {"jane+a@example.com": 1, "jane+b@example.com": 2, "x": 3}
    kept, _ = normalise(Event(id="e", type="page_view", at=1, attributes=attributes), TOKENISER)
    token = _token("jane@example.com")
    assert kept.attributes == {token: 1, f"{token}_": 2, "x": 3}


def test_accounts_with_a_full_width_at_sign_get_the_token_of_the_plain_ones() -> None:
    kept, _ = normalise(Event(id="e", type="page_view", at=1, account="bob＠example.net"), TOKENISER)
    assert [kept.account] == stored_value("account", "bob@example.net", "default", TOKENISER)
    assert stored_value("account", "bob＠example.net", "default", TOKENISER) == [kept.account]


@pytest.mark.parametrize(
    "piece",
    ["@", "a@", "%40", "a%40", "%2540", "a%2540", "%", "%25", "a.", "a@b.", "%EF%BC%A0.a", "'", "%27a", "a", "&@a"],
)
def test_a_text_made_to_take_long_takes_no_longer(piece: str) -> None:
    text = (piece * 200_000)[:200_000] + "@"
    started = time.process_time()
    normalise(Event(id="e", type="page_view", at=1, text=text), TOKENISER)
    assert time.process_time() - started < 3.0
