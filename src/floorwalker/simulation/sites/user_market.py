"""A market place: user names, their adverts, letters and ratings."""

from __future__ import annotations

from floorwalker.simulation.sites._grammar import World

SPLIT = "training"
SOUNDS = ("ț ș c d f m n r s b g", "ea oa i u ă e", "_ n l sc ți ul")


def write(world: World) -> None:
    """Fill the site's pages."""
    n = world.items
    slugs, ids = world.slugs(n, 2, 5), world.ids(n, 100_000, step=90)
    people = list(dict.fromkeys(world.slugs(world.share(0.3, least=20), 1, 2, joint="_", sizes=0.5)))
    towns = world.some(20, 40)
    kinds = world.some(8, 16)
    world.page("/anunt/{slug}-ID{id}", "product", n, slug=slugs, id=ids)
    world.page("/u/{who}", "other", who=people)
    world.page("/u/{who}/anunturi[?pag={page}]", "category", who=people, page=["2", "3", "4"])
    world.page("/u/{who}/pareri", "other", len(people) // 2, who=people)
    world.page("/u/{who}/urmareste", "other", len(people) // 8 + 1, who=people, method="POST")
    count = world.share(0.4, least=40)
    world.page(
        "/rubrica/{kind}/{town}[?pag={page}][&pret_max={price}]",
        "category",
        count,
        kind=kinds,
        town=towns,
        page=world.numbers(30, 2, 25),
        price=world.numbers(30, 10, 900),
    )
    world.page("/rubrica/{kind}", "category", kind=kinds)
    world.page(
        "/cauta/{word}/{town}",
        "search",
        world.share(0.3),
        word=world.slugs(world.share(0.3), 1, 3, joint="+"),
        town=towns,
    )
    world.page("/telefon/{id}", "offer", world.share(0.4), id=ids)
    world.page("/rezervari/{id}/disponibil", "offer", world.share(0.3), id=ids)
    world.fixed("offer", "/chilipiruri", "/cupoane")
    world.page(
        "/cupoane/{code}",
        "offer",
        code=world.codes(world.share(0.02, least=8, most=100), 8, "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"),
    )
    world.page(
        "/cupoane/{code}/revendica",
        "offer",
        code=world.codes(8, 8, "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"),
        method="POST",
        changing=True,
    )
    world.page("/cos/pune/{id}", "basket", world.share(0.05), id=ids, method="POST", changing=True)
    world.page("/cos/scoate/{id}", "basket", world.share(0.05), id=ids, method="POST", changing=True)
    world.state(
        ("/cos/goleste", "basket"),
        ("/cont/intra", "login"),
        ("/cont/iesi", "login"),
        ("/cont/creeaza", "login"),
        ("/cont/parola", "login"),
    )
    world.fixed("basket", "/cos")
    world.state(("/plata/adresa", "checkout"), ("/plata/metoda", "checkout"), ("/plata/trimite", "checkout"))
    world.fixed(
        "other",
        "/cont/mesaje",
        "/cont/favorite",
        "/cont/facturi",
        "/cont/setari",
        "/",
        "/reguli",
        "/siguranta",
        "/despre",
    )
    world.page("/cont/mesaje/{id}", "other", id=world.ids(world.share(0.2), 5_000))
    world.page(
        "/poze/{server}/{id}_{number}_{size}.jpg",
        "asset",
        world.share(1.3),
        server=["s1", "s2", "s3"],
        id=ids * 2,
        number=["1", "2", "3", "4"],
        size=["mic", "mare", "644x461"],
    )
    world.page("/avatar/{who}.png", "asset", len(people) // 2, who=people)
    world.page("/static/{version}/pagina.css", "asset", version=["4.1.0", "4.1.1", "4.2.0"])
    world.page("/static/{version}/pagina.js", "asset", version=["4.1.0", "4.1.1", "4.2.0"])
    world.page("/ajutor/{id}-{slug}", "other", id=world.ids(24, 10), slug=world.slugs(24, 3, 7))
    world.page("/flux/{kind}.xml", "feed", kind=kinds)
    world.page("/semn?v={id}", "beacon", id=world.codes(world.share(0.3), 10))
    world.page("/curier/stare/{awb}", "callback", awb=world.codes(world.share(0.05), 13, "0123456789"), method="POST")
    world.fixed("health", "/puls")
