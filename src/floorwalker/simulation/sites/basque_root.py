"""Category and product names at the root beside fixed pages, with filters in the path."""

from __future__ import annotations

from floorwalker.simulation.sites._grammar import World

SPLIT = "training"
SOUNDS = (
    "tx tz z k g b h l r",
    "a e o i u",
    "_ k n rt tz",
)


def write(world: World) -> None:
    """Fill the site's pages."""
    n = world.items
    slugs = world.slugs(n, 2, 5, sizes=0.3)
    rows = world.slugs(world.share(0.03, least=14, most=300), 1, 2, sizes=0)
    below = world.slugs(world.share(0.04, least=14, most=300), 1, 2, sizes=0)
    world.page(
        "/{slug}",
        "product",
        n,
        slug=[f"{slug}-{code}" for slug, code in zip(slugs, world.codes(n, 5, "0123456789"), strict=True)],
    )
    world.page(
        "/{row}/{below}[?orria={page}][&prezioa={low}-{high}]",
        "category",
        len(rows) * 4,
        row=rows,
        below=below,
        page=world.numbers(20, 2, 20),
        low=["0", "10", "50"],
        high=["100", "500"],
    )
    world.page(
        "/{row}/{below}/iragazi/{facets}",
        "category",
        world.share(0.2, least=20),
        row=rows,
        below=below,
        facets=world.lists(world.share(0.2, least=20), "km", joint="_"),
    )
    world.page("/bilatu/{word}", "search", word=world.slugs(world.share(0.3), 1, 3, joint="+"))
    world.page("/eskaintzak/{slug}", "offer", slug=world.slugs(16, 1, 3))
    world.fixed("offer", "/eskaintzak", "/azken-unitateak")
    world.page(
        "/api/biltegia?produktua={code}", "offer", world.share(0.4), code=world.codes(world.share(0.4), 5, "0123456789")
    )
    world.page(
        "/api/iritziak?produktua={code}[&orria={page}]",
        "other",
        world.share(0.3),
        code=world.codes(world.share(0.3), 5, "0123456789"),
        page=["2", "3"],
    )
    world.fixed("other", "/api/erabiltzailea", "/api/hizkuntzak", "/api/ezarpenak")
    world.state(
        ("/api/saskia/gehitu", "basket"),
        ("/api/saskia/kendu", "basket"),
        ("/api/saskia/hustu", "basket"),
        ("/api/bonua/aplikatu", "offer"),
        ("/api/bonua/eskatu", "offer"),
    )
    world.fixed("basket", "/saskia")
    world.state(("/erosi/helbidea", "checkout"), ("/erosi/ordaindu", "checkout"), ("/erosi/berretsi", "checkout"))
    world.state(
        ("/sartu", "login"), ("/irten", "login"), ("/izena-eman", "login"), ("/pasahitza-berreskuratu", "login")
    )
    world.fixed(
        "other",
        "/",
        "/nor-gara",
        "/kontaktua",
        "/bidalketak",
        "/itzulketak",
        "/pribatutasuna",
        "/dendak",
        "/lan-egin-gurekin",
    )
    world.fixed("other", "/nire-kontua", "/nire-kontua/eskaerak", "/nire-kontua/helbideak", "/nire-kontua/gustukoak")
    world.page("/nire-kontua/eskaerak/{code}", "other", code=world.codes(world.share(0.1), 8, "0123456789"))
    world.page("/dendak/{town}", "other", town=world.some(10, 30))
    world.page(
        "/irudiak/{a}/{b}/{name}_{size}.webp",
        "asset",
        world.share(1.2),
        a=world.codes(world.share(1.2), 1),
        b=world.codes(world.share(1.2), 1),
        name=slugs * 2,
        size=["txikia", "handia", "erdia"],
    )
    world.page("/baliabideak/v{version}/{name}.css", "asset", version=["101", "102", "103"], name=["oinarria", "denda"])
    world.page(
        "/baliabideak/v{version}/{name}.js",
        "asset",
        version=["101", "102", "103"],
        name=["oinarria", "denda", "bilatzailea"],
    )
    world.page(
        "/jarraipena/{kind}?z={code}",
        "beacon",
        world.share(0.3),
        kind=["ikusi", "klik"],
        code=world.codes(world.share(0.3), 10),
    )
    world.page("/ordainketa/erantzuna/{code}", "callback", code=world.codes(world.share(0.05), 12), method="POST")
    world.fixed("feed", "/mapa.xml", "/berriak.atom")
    world.fixed("health", "/bizirik")
