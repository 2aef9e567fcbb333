"""Identifiers and names of things in paths: one route for many, and what stands there is looked at."""

import uuid

import numpy as np
import pytest

from floorwalker.detectors.content._request_parsing import Parsed, Request, parse_request
from floorwalker.detectors.content._request_routes import LEAST_NAMES, MOST_SEGMENTS, Routes, learn_routes
from floorwalker.detectors.content.requests import PROFILE_FEATURES, RequestDetector

COLOURS = ("red", "blue", "green", "grey", "black", "white", "pink", "brown")
THINGS = ("shirt", "shoe", "hat", "sock", "coat", "belt", "lamp", "desk", "chair", "glove")


def parse(target: str) -> Parsed:
    return parse_request(Request("GET", target))


def make_requests(count: int, seed: int) -> list[tuple[str, str]]:
    random = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        number, token = random.integers(1_000, 99_999), uuid.UUID(bytes=random.bytes(16))
        slug = "-".join((*random.choice(COLOURS, 2, replace=False), *random.choice(THINGS, 2, replace=False)))
        targets = (
            f"/api/orders/{number}",
            f"/api/users/{token}/addresses",
            f"/p/{slug}",
            "/api/search?page=3",
            "/cart",
        )
        found.append(("GET", targets[random.integers(len(targets))]))
    return found


@pytest.mark.parametrize(
    ("path", "route", "values"),
    [
        ("/orders/1042", "/orders/{id}", ("1042",)),
        ("/orders/1042/lines/7", "/orders/{id}/lines/{id}", ("1042", "7")),
        ("/u/0b1f3a52-9c1d-4e5f-8a7b-1234567890ab", "/u/{id}", ("0b1f3a52-9c1d-4e5f-8a7b-1234567890ab",)),
        ("/t/9f86d081884c7d65", "/t/{id}", ("9f86d081884c7d65",)),
        ("/t/Ab3xK9mQ2zPq", "/t/{id}", ("ab3xk9mq2zpq",)),
        ("/o/order-1042", "/o/{id}", ("order-1042",)),
        ("/img/0815.png", "/img/{id}.png", ("0815",)),
        ("/img/0815.png.bak", "/img/0815.png.bak", ()),
        ("/api/v1/items", "/api/v1/items", ()),
        ("/decade/facade", "/decade/facade", ()),
        ("/orders/1042'--", "/orders/1042'--", ()),
        ("/orders/%7Bid%7D", "/orders/{{id}", ()),
        ("/", "/", ()),
        ("//", "//", ()),
        ("*", "*", ()),
        ("{id}", "{{id}", ()),
    ],
)
def test_identifiers_are_told_by_their_form(path: str, route: str, values: tuple[str, ...]) -> None:
    placed = Routes({}).place(parse(path))
    assert (placed.path, placed.values) == (route, values)
    assert len(placed.names) == len(values)


def test_names_of_things_are_told_by_their_number() -> None:
    things = [f"/p/{a}-{b}" for a in COLOURS for b in THINGS]
    pages = ["/p/new"] * 40 + ["/cart"] * 100 + ["/p/red-shirt/reviews"]
    routes = learn_routes([parse(path) for path in things + pages])
    assert routes.kept == {"/p": {"new"}}
    assert routes.place(parse("/p/mauve-scarf?x=1")) == Parsed(
        "GET", "/p/{}", ("(segment 2)", "x"), ("mauve-scarf", "1")
    )
    assert routes.place(parse("/p/new")).path == "/p/new"
    assert routes.place(parse("/p/17")).path == "/p/{id}"
    assert routes.place(parse("/p/blue-hat/reviews")).path == "/p/{}/reviews"
    assert routes.place(parse("/p/%7B%7D")).values == ("{}",)
    assert not learn_routes([parse(path) for path in things[: LEAST_NAMES - 1] + pages]).kept


def test_few_who_probe_make_no_place() -> None:
    probes = [f"/{name}.{kind}" for name in (*COLOURS, *THINGS) for kind in ("php", "sql", "bak")]
    assert not learn_routes([parse(path) for path in probes + ["/api/search"] * 10 * len(probes)]).kept


VERBS = ("list", "create", "update", "delete", "export", "import", "merge", "split")
NOUNS = ("user", "order", "item", "refund", "payment", "label", "parcel", "return", "seller", "coupon")


def ask_api(verb: str, noun: str, number: int) -> tuple[str, ...]:
    if verb in ("list", "export"):
        return "GET", f"/api/{verb}-{noun}?page={number % 40}"
    more = f"role={'admin' if number % 2 else 'staff'}" if (verb, noun) == ("update", "user") else f"note={number}"
    return "POST", f"/api/{verb}-{noun}", f"ref={number}&{more}"


@pytest.mark.parametrize("each", [30, 100])
def test_endpoints_that_are_often_asked_are_routes_of_their_own(each: int) -> None:
    random = np.random.default_rng(8)
    pages = [
        ask_api(verb, noun, int(random.integers(1000, 9999))) for verb in VERBS for noun in NOUNS for _ in range(each)
    ]
    detector = RequestDetector().fit(pages)
    attacks = [
        ("GET", "/api/delete-user?page=1"),
        ("POST", "/api/create-order", "ref=1111&role=admin"),
        ("GET", "/api/delete-payment"),
        ("POST", "/api/list-user", "ref=4242&role=admin"),
        ("GET", "/api/dump-all?page=1"),
    ]
    assert (detector.score(attacks) > 0.98).all()


def test_a_page_among_names_of_things_has_methods_of_its_own() -> None:
    imports = [("POST", "/p/import", f"csv=table{number}&mode=full") for number in range(60)]
    detector = RequestDetector().fit([*make_requests(1_500, seed=6), *imports])
    attacks = [("GET", "/p/import"), ("POST", "/p/red-blue-hat-lamp", "csv=table7&mode=full")]
    assert (detector.score(attacks) > 0.98).all()


def test_words_that_look_like_identifiers_are_routes_where_they_are_busy() -> None:
    pages = [("GET", f"/form1040?page={number % 30}") for number in range(400)]
    pages += [("POST", "/form1099", f"ssn={10_000 + number}&amount={number}") for number in range(400)]
    pages += [("GET", f"/orders/order-{1000 + number}") for number in range(300)]
    detector = RequestDetector().fit(pages)
    attacks = [("GET", "/form1099"), ("POST", "/form1040", "ssn=10003&amount=9")]
    assert (detector.score(attacks) > 0.98).all()
    assert detector.score([("GET", "/orders/order-7777")])[0] < 0.98


def test_long_paths_are_read_up_to_a_bound() -> None:
    path = "/a" * 50_000
    placed = Routes({"": frozenset()}).place(parse(path))
    assert len(placed.names) == 1
    assert len(placed.path.split("/")) > MOST_SEGMENTS
    assert not learn_routes([parse(path)] * 3).kept


@pytest.fixture(scope="module")
def detector() -> RequestDetector:
    return RequestDetector().fit(make_requests(1_500, seed=1))


def test_new_identifiers_and_names_are_ordinary(detector: RequestDetector) -> None:
    asked = make_requests(800, seed=2)
    assert (detector.score(asked) > 0.98).mean() < 0.05
    measured, _ = detector.measure(asked)
    assert not measured[:, PROFILE_FEATURES.index("route_unknown")].any()


@pytest.mark.parametrize(
    "target",
    [
        "/api/orders/1042'%20or%201=1--",
        "/api/orders/backup.sql",
        "/api/orders/10420000000000000000000",
        "/api/orders/%7Bid%7D",
        "/api/users/1042/addresses",
        "/p/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "/p/..%2F..%2Fetc%2Fpasswd",
        "/p/red-blue-hat-lamp/admin",
        "/api/orders",
    ],
)
def test_attacks_in_the_place_of_a_name_are_found(detector: RequestDetector, target: str) -> None:
    assert detector.score([("GET", target)])[0] > 0.98
    assert detector.reasons([("GET", target)])[0]


def test_places_are_kept(detector: RequestDetector, tmp_path) -> None:
    asked = [*make_requests(200, seed=3), ("GET", "/p/'%20or%201"), ("GET", "/.env")]
    detector.save(tmp_path)
    np.testing.assert_array_equal(RequestDetector.load(tmp_path).score(asked), detector.score(asked))


def test_a_probe_that_was_learned_from_is_still_rarer_than_pages() -> None:
    detector = RequestDetector().fit([*make_requests(1_500, seed=4), *[("GET", "/wp-login.php")] * 15])
    scores = detector.score([*make_requests(500, seed=5), ("GET", "/wp-login.php")])
    assert (scores[:-1] < scores[-1]).mean() > 0.9
