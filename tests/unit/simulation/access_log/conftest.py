from __future__ import annotations

import pytest

from floorwalker.simulation._site import Page, Site
from floorwalker.simulation.access_log import GeneratedLog, Scenario, generate_on


def small_site() -> Site:
    numbers = range(1, 121)
    return Site(
        "tiny",
        "tiny.example",
        (
            Page("/", "other", ("/",)),
            Page("/about", "other", ("/about", "/help", "/terms")),
            Page("/p/{id}", "product", tuple(f"/p/{n}" for n in numbers)),
            Page("/c/{name}", "category", tuple(f"/c/{n}" for n in range(12))),
            Page("/search?q={word}", "search", tuple(f"/search?q=w{n}" for n in range(60))),
            Page("/deals", "offer", ("/deals",)),
            Page("/deals/{id}", "offer", tuple(f"/deals/{n}" for n in range(9))),
            Page("/api/stock/{id}", "offer", tuple(f"/api/stock/{n}" for n in numbers)),
            Page("/api/coupon/claim", "offer", ("/api/coupon/claim",), "POST", True),
            Page("/login", "login", ("/login",)),
            Page("/login/send", "login", ("/login/send",), "POST", True),
            Page("/basket", "basket", ("/basket",)),
            Page("/basket/add", "basket", ("/basket/add",), "POST", True),
            Page("/checkout", "checkout", ("/checkout",)),
            Page("/checkout/pay", "checkout", ("/checkout/pay",), "POST", True),
            Page("/hook/{token}", "callback", ("/hook/a", "/hook/b"), "POST"),
            Page("/feed.xml", "feed", ("/feed.xml",)),
            Page("/collect", "beacon", ("/collect",), "POST"),
            Page("/healthz", "health", ("/healthz",)),
            Page("/img/{id}.jpg", "asset", tuple(f"/img/{n}.jpg" for n in numbers)),
            Page("/static/{name}", "asset", ("/static/a.css", "/static/b.js", "/static/c.js", "/static/d.woff2")),
        ),
    )


@pytest.fixture(scope="session")
def tiny() -> Site:
    return small_site()


@pytest.fixture(scope="session")
def busy() -> GeneratedLog:
    """Three days with everybody in it, a promotion on the last."""
    scenario = Scenario(
        "tiny", 11, days=3, visitors_per_day=500, promotion_days=(2,), surge=3.0, hunters=60, split="both"
    )
    return generate_on(small_site(), scenario)
