"""Nested category folders, slug and number in one file name, html endings."""

from __future__ import annotations

from floorwalker.simulation.sites._grammar import World

SPLIT = "training"
SOUNDS = ("schl kr str z b bl gr f sch w", "ei au ie u o ä", "_ n cht rz lg tz nd ft")


def write(world: World) -> None:
    """Fill the site's pages."""
    n = world.items
    slugs, ids = world.slugs(n, capital=True), world.ids(n, 10_000)
    top = world.some(5, 9)
    below = world.slugs(world.share(0.04, least=12, most=300), 1, 2)
    group = world.pick(n, below)
    world.page("/{top}/{group}/{slug}-{id}.html", "product", n, top=top, group=group, slug=slugs, id=ids)
    world.page(
        "/{top}/{group}/[?seite={page}][&sortierung={sort}]",
        "category",
        len(below) * 3,
        top=top,
        group=below,
        page=world.numbers(50, 2, 30),
        sort=["preis", "name", "neu"],
    )
    world.page("/{top}/", "category", top=top)
    world.page(
        "/suche.html?begriff={word}[&seite={page}]",
        "search",
        world.share(0.3),
        word=world.slugs(world.share(0.3), 1, 2, joint="+"),
        page=world.numbers(20, 2, 9),
    )
    world.page("/bewertungen/{id}.html", "other", world.share(0.3), id=ids)
    world.page("/ratgeber/{slug}.html", "other", slug=world.slugs(world.share(0.02, least=10, most=200), 2, 5))
    world.page("/hersteller/{brand}.html", "category", brand=world.some(8, 40))
    world.page("/aktion/{slug}.html", "offer", slug=world.slugs(world.share(0.01, least=5, most=40), 1, 3))
    world.page("/verfuegbarkeit/{id}.json", "offer", world.share(0.5), id=ids)
    world.fixed("offer", "/schnaeppchen.html", "/restposten.html", "/gutscheine.html")
    world.fixed(
        "other",
        "/",
        "/impressum.html",
        "/datenschutz.html",
        "/agb.html",
        "/versandkosten.html",
        "/kontakt.html",
        "/ueber-uns.html",
    )
    world.fixed(
        "other",
        "/mein-konto/bestellungen.html",
        "/mein-konto/adressen.html",
        "/mein-konto/merkzettel.html",
        "/mein-konto/passwort.html",
    )
    world.page("/mein-konto/bestellung/{order}.html", "other", order=world.ids(world.share(0.2), 900_000, step=90))
    world.fixed("basket", "/warenkorb.html")
    world.state(
        ("/warenkorb/hinzufuegen", "basket"),
        ("/warenkorb/entfernen", "basket"),
        ("/warenkorb/aendern", "basket"),
        ("/warenkorb/leeren", "basket"),
        ("/gutschein/einloesen", "offer"),
        ("/gutschein/pruefen", "offer"),
        ("/anmelden", "login"),
        ("/abmelden", "login"),
        ("/registrieren", "login"),
        ("/passwort-vergessen", "login"),
    )
    world.state(
        ("/kasse/adresse", "checkout"),
        ("/kasse/zahlung", "checkout"),
        ("/kasse/versandart", "checkout"),
        ("/kasse/bestaetigen", "checkout"),
    )
    world.fixed("checkout", "/kasse", "/kasse/danke")
    world.page("/bilder/{size}/{id}.jpg", "asset", world.share(1.2), size=["klein", "mittel", "gross"], id=ids * 2)
    world.page("/vorlage/stil-{version}.css", "asset", version=world.codes(3, 8))
    world.page("/vorlage/skript-{version}.js", "asset", version=world.codes(4, 8))
    world.fixed("feed", "/seitenkarte.xml", "/neuheiten.rss")
    world.fixed("beacon", "/zaehler.gif")
    world.fixed("health", "/lebenszeichen")
    world.page("/rueckmeldung/zahlung/{token}", "callback", token=world.codes(world.share(0.05), 20), method="POST")
