"""Perl-age scripts with numbers in keys, a `mode` key for every act."""

from __future__ import annotations

from floorwalker.simulation.sites._grammar import World

SPLIT = "validation"
SOUNDS = ("か き く さ し す た な に は ま み や ら", "ー い う ん _", "_ つ り と")


def write(world: World) -> None:
    """Fill the site's pages."""
    n = world.items
    ids = world.ids(n, 1000)
    words = list(dict.fromkeys(world.slugs(world.share(0.3), 1, 2, joint="")))
    world.page("/tenpo/shouhin.cgi?bangou={id}[&iro={colour}]", "product", n, id=ids, colour=["aka", "ao", "kuro"])
    world.page(
        "/tenpo/ichiran.cgi?bunrui={group}[&peeji={page}][&jun={sort}]",
        "category",
        world.share(0.1, least=40),
        group=world.ids(world.share(0.03, least=12), 1),
        page=world.numbers(30, 2, 20),
        sort=["yasui", "takai"],
    )
    world.page("/tenpo/kensaku.cgi?kotoba={word}[&peeji={page}]", "search", word=words, page=["2", "3"])
    world.page("/tenpo/zaiko.cgi?bangou={id}", "offer", world.share(0.4), id=ids)
    world.page("/tenpo/kansou.cgi?bangou={id}[&peeji={page}]", "other", world.share(0.3), id=ids, page=["2", "3"])
    for mode, role in (("ireru", "basket"), ("dasu", "basket"), ("kazu", "basket"), ("waribiki", "offer")):
        world.page(f"/tenpo/kago.cgi?mode={mode}", role, method="POST", changing=True)
    world.page("/tenpo/kago.cgi", "basket")
    for mode in ("jusho", "shiharai", "kakunin", "kanryou"):
        world.page(f"/tenpo/chuumon.cgi?mode={mode}", "checkout", method="POST", changing=True)
    for mode in ("hairu", "deru", "touroku", "wasureta"):
        world.page(f"/tenpo/kaiin.cgi?mode={mode}", "login", method="POST", changing=True)
    for mode in ("rireki", "okiniiri", "pointo", "henkou"):
        world.page(f"/tenpo/kaiin.cgi?mode={mode}", "other")
    world.page("/tenpo/rireki.cgi?chuumon={id}", "other", id=world.ids(world.share(0.1), 500))
    world.page(
        "/tokushuu/{year}/{name}/", "offer", 30, year=["2019", "2020", "2021"], name=world.slugs(30, 1, 2, joint="")
    )
    world.fixed("offer", "/seeru/", "/taimu-seeru/")
    world.page("/burogu/{day}.html", "other", day=list(dict.fromkeys(world.dates(150, "%Y%m%d"))))
    world.fixed(
        "other",
        "/",
        "/kaisha/",
        "/kaisha/chizu.html",
        "/kaisha/saiyou.html",
        "/annai/okuri.html",
        "/annai/henpin.html",
        "/annai/shitsumon.html",
    )
    world.page(
        "/gazou/{folder}/{id}_{side}.jpg",
        "asset",
        world.share(1.2),
        folder=world.codes(200, 2, "0123456789"),
        id=ids * 2,
        side=["mae", "ushiro", "yoko"],
    )
    world.page("/gazou/bannaa/{name}.gif", "asset", name=world.codes(20, 6, "abcdefghijklmnop"))
    world.fixed("asset", "/dezain/kihon.css", "/dezain/insatsu.css", "/dezain/ugoki.js", "/dezain/sumaho.js")
    world.page("/keitai/shouhin.cgi?bangou={id}", "product", world.share(0.3), id=ids)
    world.page("/keitai/ichiran.cgi?bunrui={group}", "category", group=world.ids(world.share(0.03, least=12), 1))
    world.page("/kaunta.cgi?r={code}", "beacon", code=world.codes(world.share(0.3), 15, "0123456789"))
    world.page("/kessai/kekka.cgi?id={code}", "callback", code=world.codes(world.share(0.05), 16), method="POST")
    world.fixed("feed", "/shinchaku.rdf")
    world.fixed("health", "/ikiteru.txt")
