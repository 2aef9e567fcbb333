"""Servlet endings, session ids and views as matrix parameters, steps as file names."""

from __future__ import annotations

from floorwalker.simulation.sites._grammar import World

SPLIT = "training"
SOUNDS = ("gy sz cs ny k t b v z f", "á ö ő ű e i o", "_ k t s l g")


def write(world: World) -> None:
    """Fill the site's pages."""
    n = world.items
    ids = world.ids(n, 400)
    session = [""] * 3 + [f";jsessionid={code}" for code in world.codes(max(n // 20, 12), 32, "0123456789ABCDEF")]
    world.page("/bolt/termek.do{session}?kod={id}", "product", n, session=world.pick(n, session), id=ids)
    count = world.share(0.1, least=30)
    world.page(
        "/bolt/polc.do{session}?csoport={group}[&oldal={page}]",
        "category",
        count,
        session=world.pick(count, session),
        group=world.ids(world.share(0.03, least=10), 3),
        page=world.numbers(20, 2, 20),
    )
    count = world.share(0.3)
    world.page(
        "/bolt/kereses.do{session}?szo={word}",
        "search",
        session=world.pick(count, session),
        word=world.slugs(count, 1, 2, joint="+"),
    )
    world.page("/bolt/keszlet.do?kod={id}", "offer", world.share(0.4), id=ids)
    world.page("/bolt/akciok.do{session}", "offer", 20, session=world.pick(20, session))
    world.page("/bolt/vasarloi-velemeny.do?kod={id}", "other", world.share(0.2), id=ids)
    for name, role in (
        ("kosarba", "basket"),
        ("kosarbol", "basket"),
        ("kosarurit", "basket"),
        ("kuponbevalt", "offer"),
        ("belep", "login"),
        ("kilep", "login"),
        ("regisztral", "login"),
        ("jelszo", "login"),
        ("szallitas", "checkout"),
        ("fizetes", "checkout"),
        ("veglegesit", "checkout"),
    ):
        count = 6
        world.page(
            f"/bolt/{name}.do{{session}}", role, count, session=world.pick(count, session), method="POST", changing=True
        )
    world.page("/bolt/kosar.do{session}", "basket", 12, session=world.pick(12, session))
    for name in ("rendelesek", "cimek", "adatok", "hirlevel"):
        world.page(f"/bolt/fiok/{name}.do", "other")
    world.page("/bolt/fiok/rendeles.do?szam={order}", "other", order=world.codes(world.share(0.1), 10, "0123456789"))
    world.page("/oldal/{slug}.jsp", "other", slug=world.slugs(world.share(0.02, least=10, most=80), 1, 3))
    world.fixed("other", "/", "/bolt/index.do", "/bolt/kapcsolat.do", "/bolt/uzletek.do")
    world.page("/kepek/termek;meret={size}/{id}.gif", "asset", world.share(1.1), size=["s", "m", "l"], id=ids * 2)
    world.page("/kepek/logo/{brand}.gif", "asset", brand=world.some(10, 25))
    world.fixed("asset", "/stilus/alap.css", "/stilus/nyomtat.css", "/szkript/alap.js", "/szkript/urlap.js")
    world.page(
        "/katalogus/lap/{a};nezet={view};rend={sort}/{page}",
        "category",
        world.share(0.2, least=30),
        a=world.ids(world.share(0.03, least=10), 2),
        view=["racs", "sorok"],
        sort=["ar", "nev"],
        page=world.numbers(20, 1, 20),
    )
    world.page("/fizeto/visszajelzes/{code}", "callback", code=world.codes(world.share(0.05), 16), method="POST")
    world.fixed("feed", "/hirek.rss")
    world.fixed("beacon", "/latogato.gif")
    world.fixed("health", "/allapot.jsp")
