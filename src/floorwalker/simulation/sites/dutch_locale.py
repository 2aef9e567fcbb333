"""A country and a language before everything, nineteen-digit article numbers."""

from __future__ import annotations

from floorwalker.simulation.sites._grammar import World

SPLIT = "validation"
SOUNDS = ("kn sp zw vl gr ch w v h d", "ij oe ui aa eu oo", "_ p f rk ch ns")


def write(world: World) -> None:
    """Fill the site's pages."""
    n = world.items
    slugs, ids = world.slugs(n, 2, 5), world.codes(n, 16, "0123456789")
    places = ["nl-nl", "nl-be", "fr-be", "de-at"]
    rows = world.slugs(world.share(0.03, least=12, most=250), 1, 2, sizes=0)
    world.page(
        "/{place}/artikel/{slug}/{id}/[?bltg={tag}]",
        "product",
        n,
        place=places,
        slug=slugs,
        id=ids,
        tag=world.codes(30, 8),
    )
    world.page(
        "/{place}/lijst/{row}/{id}/[?pagina={page}][&volgorde={sort}]",
        "category",
        len(rows) * 5,
        place=places,
        row=rows * 5,
        id=world.ids(len(rows), 7000) * 5,
        page=world.numbers(30, 2, 30),
        sort=["prijs0", "prijs1"],
    )
    world.page(
        "/{place}/zoeken/?tekst={word}[&pagina={page}]",
        "search",
        place=places,
        word=world.slugs(world.share(0.3), 1, 3, joint="+"),
        page=["2", "3"],
    )
    world.page("/{place}/merken/{brand}/", "category", place=places, brand=world.some(20, 40))
    world.page("/{place}/dagaanbiedingen/", "offer", place=places, count=12)
    world.page("/{place}/acties/{slug}/", "offer", place=places, slug=world.slugs(20, 1, 3))
    world.page("/{place}/voorraad/{id}/winkels.json", "offer", world.share(0.4), place=places, id=ids)
    world.page("/{place}/meningen/{id}/", "other", world.share(0.3), place=places, id=ids)
    for step in ("erbij", "eraf", "aantal"):
        world.page(f"/{{place}}/mandje/{step}/", "basket", 12, place=places, method="POST", changing=True)
    world.page("/{place}/mandje/", "basket", 12, place=places)
    world.page("/{place}/mandje/kortingscode/", "offer", 12, place=places, method="POST", changing=True)
    for step in ("bezorging", "betaalwijze", "afronden"):
        world.page(f"/{{place}}/afrekenen/{step}/", "checkout", 12, place=places, method="POST", changing=True)
    for step in ("inloggen", "uitloggen", "aanmelden", "wachtwoord"):
        world.page(f"/{{place}}/account/{step}/", "login", 12, place=places, method="POST", changing=True)
    for name in ("bestellingen", "retouren", "gegevens", "verlanglijst"):
        world.page(f"/{{place}}/account/{name}/", "other", 12, place=places)
    for name in ("klantenservice", "over-ons", "privacybeleid", "werken-bij"):
        world.page(f"/{{place}}/{name}/", "other", 12, place=places)
    world.page("/{place}/", "other", 12, place=places)
    world.fixed("other", "/")
    world.page("/{place}/klantenservice/vraag/{slug}/", "other", place=places, slug=world.slugs(40, 4, 8, sizes=0))
    world.page(
        "/afbeelding/{id}/{width}x{height}.jpg",
        "asset",
        world.share(1.2),
        id=ids * 2,
        width=["124", "168", "550"],
        height=["124", "168", "840"],
    )
    world.page("/_hulp/{hash}/{name}.js", "asset", hash=world.codes(12, 40), name=["kern", "lijst", "detail"])
    world.page("/_hulp/{hash}/{name}.css", "asset", hash=world.codes(12, 40), name=["kern", "lijst", "detail"])
    world.page(
        "/meting?s={code}&n={number}",
        "beacon",
        code=world.codes(world.share(0.4), 14),
        number=world.numbers(200, 1, 90),
    )
    world.page("/afhandeling/ideal/{code}/", "callback", code=world.codes(world.share(0.05), 16), method="POST")
    world.page("/sitemap_{kind}_{number}.xml", "feed", 12, kind=["artikel", "lijst"], number=world.numbers(12, 1, 20))
    world.fixed("health", "/_hulp/gezond")
