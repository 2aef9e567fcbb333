"""A shop plug-in under its own folder, a JSON interface with versions, `attribute_` keys."""

from __future__ import annotations

from floorwalker.simulation.sites._grammar import World

SPLIT = "training"
SOUNDS = ("fj kj skj sj br v r h l n", "e ø ei au o a", "_ l n rd sk tt")


def write(world: World) -> None:
    """Fill the site's pages."""
    n = world.items
    slugs, ids = world.slugs(n, 1, 4), world.ids(n, 900)
    rows = world.slugs(world.share(0.03, least=10, most=200), 1, 2, sizes=0)
    world.page(
        "/butikk/{row}/{slug}/[?attribute_farge={colour}]",
        "product",
        n,
        row=world.pick(n, rows),
        slug=slugs,
        colour=world.some(6, 6),
    )
    world.page("/vareslag/{row}/[?sorter={sort}]", "category", len(rows) * 2, row=rows, sort=["pris", "dato"])
    world.page("/vareslag/{row}/side/{page}/", "category", len(rows) * 3, row=rows, page=world.numbers(30, 2, 15))
    world.page("/stikkord/{tag}/", "category", tag=world.some(15, 40))
    world.page("/sok/{word}/", "search", word=world.slugs(world.share(0.3), 1, 3, joint="+"))
    world.page("/wp-json/butikk/v1/varer/{id}", "product", world.share(0.4), id=ids)
    world.page("/wp-json/butikk/v1/varer/{id}/beholdning", "offer", world.share(0.4), id=ids)
    world.page(
        "/wp-json/butikk/v1/varer?slag={id}[&per_side={many}]", "category", id=world.ids(40, 10), many=["10", "50"]
    )
    world.fixed("other", "/wp-json/butikk/v1", "/wp-json/butikk/v1/innstillinger", "/wp-json/butikk/v1/land")
    world.state(
        ("/wp-json/butikk/v1/handlekurv/legg-til", "basket"),
        ("/wp-json/butikk/v1/handlekurv/fjern", "basket"),
        ("/wp-json/butikk/v1/handlekurv/oppdater", "basket"),
        ("/wp-json/butikk/v1/handlekurv/bruk-kupong", "offer"),
        ("/wp-json/butikk/v1/handlekurv/fjern-kupong", "offer"),
        ("/wp-json/butikk/v1/kasse", "checkout"),
    )
    world.page("/?wc-hendelse={name}", "basket", name=["fragmenter"], method="POST")
    world.page("/?wc-hendelse=kasse_bestill", "checkout", method="POST", changing=True)
    world.page("/?wc-hendelse=bruk_kupong", "offer", method="POST", changing=True)
    world.fixed("basket", "/handlekurv/")
    world.fixed("checkout", "/til-kassen/")
    world.page(
        "/til-kassen/bestilling-mottatt/{id}/?noekkel={key}",
        "checkout",
        id=world.ids(world.share(0.05), 900),
        key=world.codes(world.share(0.05), 13),
    )
    world.state(
        ("/min-side/logg-inn/", "login"),
        ("/min-side/logg-ut/", "login"),
        ("/min-side/registrer/", "login"),
        ("/min-side/glemt/", "login"),
    )
    world.fixed(
        "other",
        "/",
        "/min-side/",
        "/min-side/ordre/",
        "/min-side/rediger-adresse/",
        "/min-side/nedlastinger/",
        "/frakt/",
        "/personvern/",
        "/kontakt-oss/",
        "/angrerett/",
    )
    world.page("/min-side/vis-ordre/{id}/", "other", id=world.ids(world.share(0.1), 900))
    world.page("/blogg/{slug}/", "other", slug=world.slugs(world.share(0.03, least=12, most=150), 3, 7))
    world.fixed("offer", "/tilbudstorg/", "/lagersalg/")
    world.page("/tilbudstorg/uke-{week}/", "offer", week=world.numbers(12, 1, 53))
    world.page(
        "/wp-innhold/opplastinger/{month}/{slug}-{size}.jpg",
        "asset",
        world.share(1.2),
        month=world.dates(24, "%Y/%m"),
        slug=slugs * 2,
        size=["100x100", "324x324", "416x416"],
    )
    world.page(
        "/wp-innhold/tema/fjord/{name}.css[?ver={v}]", "asset", name=["stil", "butikk", "mobil"], v=["3.1", "3.2"]
    )
    world.page(
        "/wp-innhold/tema/fjord/{name}.js[?ver={v}]", "asset", name=["meny", "filter", "galleri"], v=["3.1", "3.2"]
    )
    world.page(
        "/betalt/{provider}/{code}/",
        "callback",
        world.share(0.04),
        provider=["vipps", "kort"],
        code=world.uuids(world.share(0.04)),
        method="POST",
    )
    world.fixed("feed", "/nettstedskart.xml", "/strom/")
    world.fixed("beacon", "/wp-json/maaler/v1/treff")
    world.fixed("health", "/oppetid/")
