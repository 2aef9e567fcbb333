"""Identifiers and names of things in paths: one route for many, and what stands there is looked at."""

import uuid

import numpy as np
import pytest

from floorwalker.detectors.content._request_parsing import Parsed, Request, parse_request
from floorwalker.detectors.content._request_routes import LEAST_OTHERS, MOST_SEGMENTS, Routes, learn_routes
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
    assert not learn_routes([parse(path) for path in things[: LEAST_OTHERS - 1] + pages]).kept


def test_few_who_probe_make_no_place() -> None:
    probes = [f"/{name}.{kind}" for name in (*COLOURS, *THINGS) for kind in ("php", "sql", "bak")]
    assert not learn_routes([parse(path) for path in probes + ["/api/search"] * 5 * len(probes)]).kept


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
