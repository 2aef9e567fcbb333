"""An app interface with versions and hyphenated ids, hashed assets, dates in the stock paths."""

from __future__ import annotations

from floorwalker.simulation.sites._grammar import World

SPLIT = "unseen"
SOUNDS = ("kk pp h j l m n r s v", "yö ää uo ie a i ö", "_ ll ss n t")


def write(world: World) -> None:
    """Fill the site's pages."""
    n = world.items
    slugs = world.slugs(n, 1, 3, sizes=0.5)
    ids = world.codes(n, 9, "BCDFGHJKLMNPQRSTVWXZ23456789")
    world.page("/tuote/{slug}/{id}", "product", n, slug=slugs, id=ids)
    world.page("/rajapinta/3.1/tuotteet/{id}", "product", world.share(0.6), id=ids)
    world.page(
        "/rajapinta/3.1/tuotteet/{id}/saldo/{day}", "offer", world.share(0.5), id=ids, day=world.dates(30, "%Y-%m-%d")
    )
    world.page("/rajapinta/3.1/tuotteet/{id}/arviot[?sivu={page}]", "other", world.share(0.3), id=ids, page=["2", "3"])
    world.page("/rajapinta/3.1/kuluttaja/{key}/suosikit", "other", key=world.uuids(world.share(0.2)))
    world.page("/rajapinta/3.1/kuluttaja/{key}/tilaukset", "other", key=world.uuids(world.share(0.2)))
    world.page(
        "/rajapinta/3.1/kuluttaja/{key}/tilaukset/{order}",
        "other",
        key=world.uuids(world.share(0.1)),
        order=world.ids(world.share(0.1), 100_000),
    )
    world.fixed(
        "other",
        "/rajapinta/3.1/asetukset",
        "/rajapinta/3.1/kielet",
        "/rajapinta/3.1/valikko",
        "/rajapinta/3.1/myymalat",
    )
    world.page("/rajapinta/3.1/myymalat/{id}", "other", id=world.ids(30, 200))
    rows = world.slugs(world.share(0.03, least=12, most=200), 1, 2, sizes=0)
    world.page(
        "/osasto/{row}[?sivu={page}][&jarjestys={sort}]",
        "category",
        len(rows) * 4,
        row=rows,
        page=world.numbers(25, 2, 30),
        sort=["halvin", "uusin"],
    )
    world.page(
        "/rajapinta/3.1/osastot/{row}/tuotteet[?sivu={page}]",
        "category",
        len(rows) * 3,
        row=rows,
        page=world.numbers(25, 2, 30),
    )
    world.page("/haku/{word}", "search", word=world.slugs(world.share(0.3), 1, 3, joint="%20"))
    world.page("/rajapinta/3.1/ehdotukset?alku={word}", "search", word=world.slugs(world.share(0.3), 1, 1))
    world.page("/tarjous/{slug}", "offer", slug=world.slugs(24, 1, 3))
    world.fixed("offer", "/tarjous", "/poisto", "/rajapinta/3.1/paivan-tarjous")
    world.page("/rajapinta/3.1/ostoskori/{key}", "basket", key=world.uuids(world.share(0.2)))
    for verb in ("lisays", "poistaminen", "muutos"):
        world.page(
            f"/rajapinta/3.1/ostoskori/{{key}}/{verb}",
            "basket",
            key=world.uuids(world.share(0.08)),
            method="POST",
            changing=True,
        )
    world.state(
        ("/rajapinta/3.1/etukoodi/kayta", "offer"),
        ("/rajapinta/3.1/etukoodi/lunasta", "offer"),
        ("/rajapinta/3.1/istunto/avaa", "login"),
        ("/rajapinta/3.1/istunto/sulje", "login"),
        ("/rajapinta/3.1/istunto/luo-tili", "login"),
        ("/rajapinta/3.1/istunto/unohdin", "login"),
    )
    world.state(
        ("/rajapinta/3.1/kassa/toimitus", "checkout"),
        ("/rajapinta/3.1/kassa/maksu", "checkout"),
        ("/rajapinta/3.1/kassa/vahvista", "checkout"),
    )
    world.fixed("basket", "/ostoskori")
    world.fixed("checkout", "/kassalle", "/kiitos")
    world.fixed("login", "/kirjaudu", "/luo-tili")
    world.fixed(
        "other",
        "/",
        "/yritys",
        "/asiakaspalvelu",
        "/toimitusehdot",
        "/tili/tilaukset",
        "/tili/osoitteet",
        "/tili/suosikit",
        "/tili/asetukset",
    )
    world.page("/asiakaspalvelu/{slug}", "other", slug=world.slugs(30, 3, 6, sizes=0))
    world.page(
        "/kuvat/{hash}/{width}.jpg",
        "asset",
        world.share(1.2),
        hash=world.codes(world.share(1.2), 20),
        width=["w320", "w640", "w1280"],
    )
    world.page("/paketti/{number}.{hash}.mjs", "asset", number=world.numbers(30, 1, 99), hash=world.codes(30, 12))
    world.page("/paketti/tyylit.{hash}.css", "asset", hash=world.codes(4, 12))
    world.page(
        "/mittari/{session}/{step}",
        "beacon",
        world.share(0.4),
        session=world.codes(world.share(0.4), 14),
        step=world.numbers(40, 1, 40),
    )
    world.page("/vahvistus/maksu/{code}", "callback", code=world.codes(world.share(0.05), 18), method="POST")
    world.fixed("feed", "/sivukartta.xml")
    world.fixed("health", "/rajapinta/3.1/elossa")
