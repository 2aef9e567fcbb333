"""Short numbered folders, colon and equals signs in filters, files in a content network folder."""

from __future__ import annotations

from floorwalker.simulation.sites._grammar import World

SPLIT = "unseen"
SOUNDS = ("ř ž š č br kr hr tr p d", "ů ě á í e o", "_ k st vl ň")


def write(world: World) -> None:
    """Fill the site's pages."""
    n = world.items
    slugs, ids = world.slugs(n, 2, 4), world.ids(n, 4_000_000, step=60)
    rows = world.slugs(world.share(0.03, least=12, most=250), 1, 2, sizes=0)
    row_ids = world.ids(len(rows), 18_850_000)
    world.page("/{slug}-d{id}.htm", "product", n, slug=slugs, id=ids)
    world.page("/{slug}-d{id}-hodnoceni.htm", "other", world.share(0.3), slug=slugs, id=ids)
    world.page("/{row}/{id}.htm", "category", row=rows, id=row_ids)
    count = world.share(0.3, least=40)
    world.page(
        "/{row}/{id}-f{facet}:{value}.htm",
        "category",
        count,
        row=rows * (count // len(rows) + 1),
        id=row_ids * (count // len(rows) + 1),
        facet=world.numbers(60, 100, 900),
        value=world.numbers(60, 1, 3000),
    )
    world.page(
        "/filtr/{row}/barva={colour}|cena={low}-{high}[?strana={page}]",
        "category",
        count,
        row=rows,
        colour=world.some(6, 10),
        low=["0", "500", "1000"],
        high=["2000", "9000"],
        page=["2", "3", "4"],
    )
    world.page(
        "/hledani.htm?vyraz={word}[&strana={page}]",
        "search",
        word=world.slugs(world.share(0.3), 1, 3, joint="%20"),
        page=["2", "3"],
    )
    world.page("/znacka/{brand}.htm", "category", brand=world.some(18, 40))
    world.page("/sluzby/dostupnost?zbozi={id}", "offer", world.share(0.4), id=ids)
    world.page("/slevy/{slug}.htm", "offer", slug=world.slugs(18, 1, 3))
    world.fixed("offer", "/slevy.htm", "/bazar.htm", "/zachran-zbozi.htm")
    world.state(
        ("/sluzby/kosik/vlozit", "basket"),
        ("/sluzby/kosik/odebrat", "basket"),
        ("/sluzby/kosik/zmenit", "basket"),
        ("/sluzby/kosik/vysypat", "basket"),
        ("/sluzby/poukaz/uplatnit", "offer"),
        ("/sluzby/poukaz/overit", "offer"),
    )
    world.state(
        ("/objednavka/doprava.htm", "checkout"),
        ("/objednavka/platba.htm", "checkout"),
        ("/objednavka/potvrzeni.htm", "checkout"),
    )
    world.fixed("basket", "/kosik.htm")
    world.state(
        ("/prihlaseni.htm", "login"),
        ("/odhlaseni.htm", "login"),
        ("/nova-registrace.htm", "login"),
        ("/zapomenute-heslo.htm", "login"),
    )
    world.fixed(
        "other",
        "/",
        "/ucet/objednavky.htm",
        "/ucet/adresy.htm",
        "/ucet/oblibene.htm",
        "/o-firme.htm",
        "/pobocky.htm",
        "/reklamace.htm",
    )
    world.page("/ucet/objednavka/{code}.htm", "other", code=world.codes(world.share(0.1), 9, "0123456789"))
    world.page("/pobocky/{town}.htm", "other", town=world.some(20, 40))
    world.page("/clanek/{slug}-c{id}.htm", "other", slug=world.slugs(60, 3, 7, sizes=0), id=world.ids(60, 300))
    world.page(
        "/cdn/obrazky/{code}/{size}.jpg",
        "asset",
        world.share(1.2),
        code=world.codes(world.share(1.2), 8, "ABCDEFGHIJKLMNOP0123456789"),
        size=["fd1", "fd3", "fd10"],
    )
    world.page("/cdn/vzhled/{name}-{hash}.css", "asset", name=["hlavni", "vypis", "karta"], hash=world.codes(6, 12))
    world.page("/cdn/vzhled/{name}-{hash}.js", "asset", name=["hlavni", "vypis", "karta"], hash=world.codes(9, 12))
    world.page(
        "/mereni?typ={kind}&cas={time}",
        "beacon",
        world.share(0.4),
        kind=["zobrazeni", "klik"],
        time=world.ids(world.share(0.4), 1_620_000_000),
    )
    world.page("/brana/vysledek/{code}", "callback", code=world.uuids(world.share(0.05)), method="POST")
    world.fixed("feed", "/export/heureka.xml", "/export/zbozi.xml")
    world.fixed("health", "/provoz")
