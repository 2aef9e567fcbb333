"""A headless shop: UUIDs, stored GraphQL queries by operation name, signed images."""

from __future__ import annotations

from floorwalker.simulation.sites._grammar import World

SPLIT = "training"
SOUNDS = ("v k h j l m p r t", "aa õ ü ee i uu", "_ s k d st")


def write(world: World) -> None:
    """Fill the site's pages."""
    n = world.items
    keys = world.uuids(n)
    world.page("/ese/{key}", "product", n, key=keys)
    world.page("/ese/{key}/lisad", "other", world.share(0.3), key=keys)
    world.page("/ese/{key}/saadavus", "offer", world.share(0.5), key=keys)
    world.page(
        "/kogu/{key}[?lk={page}]",
        "category",
        world.share(0.1, least=30),
        key=world.uuids(world.share(0.03, least=10)),
        page=world.numbers(20, 2, 20),
    )
    world.page("/otsi/{word}", "search", word=world.slugs(world.share(0.3), 1, 3, joint="%20"))
    for name, role in (
        ("EseVaade", "product"),
        ("EseLaoseis", "offer"),
        ("KoguLoend", "category"),
        ("OtsiSoovitus", "search"),
        ("KasutajaProfiil", "other"),
    ):
        world.page(
            f"/graphql?operationName={name}&variables={{blob}}",
            role,
            blob=world.codes(world.share(0.2), 40, "ABCDEFGHabcdefgh0123456789"),
        )
    for name, role in (
        ("KorviLisa", "basket"),
        ("KorviEemalda", "basket"),
        ("KupongRakenda", "offer"),
        ("TellimusKinnita", "checkout"),
        ("SisseLogi", "login"),
    ):
        world.page(f"/graphql?operationName={name}", role, method="POST", changing=True)
    world.state(
        ("/korv/lisa", "basket"), ("/korv/eemalda", "basket"), ("/korv/muuda", "basket"), ("/korv/kupong", "offer")
    )
    world.page("/korv/{key}", "basket", key=world.uuids(world.share(0.2)))
    world.page("/tellimus/{key}/aadress", "checkout", key=world.uuids(world.share(0.05)), method="POST", changing=True)
    world.page("/tellimus/{key}/makse", "checkout", key=world.uuids(world.share(0.05)), method="POST", changing=True)
    world.page("/tellimus/{key}/kinnita", "checkout", key=world.uuids(world.share(0.05)), method="POST", changing=True)
    world.page("/tellimus/{key}", "other", key=world.uuids(world.share(0.1)))
    world.state(
        ("/seanss/ava", "login"), ("/seanss/sulge", "login"), ("/seanss/uus", "login"), ("/seanss/taasta", "login")
    )
    world.page("/seanss/{key}/pikenda", "login", key=world.uuids(world.share(0.2)), method="POST", changing=True)
    world.fixed("offer", "/pakkumised", "/välkmüük".replace("ä", "%C3%A4").replace("ü", "%C3%BC"))
    world.page("/pakkumised/{key}", "offer", key=world.uuids(world.share(0.02, least=5, most=80)))
    world.fixed(
        "other", "/", "/meist", "/abi", "/tingimused", "/profiil/tellimused", "/profiil/andmed", "/profiil/lemmikud"
    )
    world.page(
        "/pilt/{sign}/w:{width}/{key}.avif",
        "asset",
        world.share(1.2),
        sign=world.codes(world.share(1.2), 22, "abcdefghijkXYZ0123456789_-"),
        width=["200", "400", "800"],
        key=keys * 2,
    )
    world.page("/_osad/{hash}.js", "asset", hash=world.codes(24, 20))
    world.page("/_osad/{hash}.css", "asset", hash=world.codes(6, 20))
    world.page(
        "/_andmed/{build}/ese/{key}.json",
        "product",
        world.share(0.4),
        build=world.codes(2, 21, "abcdefghijkXYZ0123456789"),
        key=keys,
    )
    world.page(
        "/_andmed/{build}/kogu/{key}.json",
        "category",
        world.share(0.05, least=10),
        build=world.codes(2, 21, "abcdefghijkXYZ0123456789"),
        key=keys,
    )
    world.page(
        "/teade/{partner}/{key}",
        "callback",
        world.share(0.05),
        partner=["pank", "kuller"],
        key=world.uuids(world.share(0.05)),
        method="POST",
    )
    world.page("/jalg?t={time}&k={key}", "beacon", time=world.ids(world.share(0.4), 1_600_000_000), key=keys * 2)
    world.fixed("feed", "/saidikaart.xml")
    world.fixed("health", "/tervis/valmis", "/tervis/elus")
