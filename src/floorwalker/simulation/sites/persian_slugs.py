"""Percent-encoded names after the number, pipe and comma filters, a mobile twin of every page."""

from __future__ import annotations

from floorwalker.simulation.sites._grammar import World

SPLIT = "training"
SOUNDS = ("ک گ م ن پ خ د ر س ش", "ا ی و", "_ ن ر ل ه ت")


def write(world: World) -> None:
    """Fill the site's pages."""
    n = world.items
    slugs, ids = world.slugs(n, 2, 5, joint="-"), world.ids(n, 20_000)
    shelves = world.ids(world.share(0.02, least=10, most=300), 1)
    colours = world.some(6, 12)
    world.page("/kala/{id}/{slug}", "product", n, id=ids, slug=slugs)
    world.page("/m/kala/{id}/{slug}", "product", world.share(0.5), id=ids, slug=slugs)
    count = world.share(0.8, least=30)
    world.page(
        "/daste/{shelf}|{facets}[?safhe={page}]",
        "category",
        count,
        shelf=shelves,
        facets=world.lists(count, "krs"),
        page=world.numbers(30, 1, 60),
    )
    world.page(
        "/m/daste/{shelf}|{facets}[?safhe={page}]",
        "category",
        count // 2,
        shelf=shelves,
        facets=world.lists(count // 2, "krs"),
        page=world.numbers(30, 1, 60),
    )
    world.page("/rang/{colour}", "category", colour=colours)
    world.page(
        "/jostoju/{word}[?safhe={page}]",
        "search",
        world.share(0.3),
        word=world.slugs(world.share(0.3), 1, 3, joint="%20"),
        page=["2", "3"],
    )
    world.page("/vizhe/{id}", "offer", id=world.ids(world.share(0.01, least=6, most=60), 3))
    world.fixed("offer", "/shegeft", "/m/shegeft", "/haraj")
    world.page("/mojudi/{id}", "offer", world.share(0.4), id=ids)
    world.page("/nazar/{id}/list[?safhe={page}]", "other", world.share(0.3), id=ids, page=["2", "3", "4"])
    world.page(
        "/axs/{id}/{size}", "asset", world.share(1.2), id=ids * 2, size=["60x60", "120x120", "300x300", "800x800"]
    )
    world.page("/axs/gallery/{id}/{number}", "asset", world.share(0.8), id=ids, number=world.numbers(6, 1, 7))
    world.page("/amar/{token}", "beacon", token=world.codes(world.share(0.2), 16))
    world.fixed("basket", "/sabad", "/m/sabad")
    world.page("/sabad/afzudan/{id}", "basket", world.share(0.02), id=ids, method="POST", changing=True)
    world.page("/sabad/hazf/{id}", "basket", world.share(0.02), id=ids, method="POST", changing=True)
    world.state(
        ("/sabad/taghir", "basket"), ("/sabad/pakkardan", "basket"), ("/kod/emal", "offer"), ("/kod/daryaft", "offer")
    )
    world.state(("/vorud", "login"), ("/khoruj", "login"), ("/sabtenam", "login"), ("/faramushi", "login"))
    world.state(("/pardakht/neshani", "checkout"), ("/pardakht/ersal", "checkout"), ("/pardakht/taeed", "checkout"))
    world.page(
        "/pardakht/bazgasht/{code}", "callback", code=world.codes(world.share(0.05), 18, "0123456789"), method="POST"
    )
    world.fixed(
        "other",
        "/",
        "/m",
        "/darbare",
        "/tamas",
        "/ghavanin",
        "/soalat",
        "/panel/kharidha",
        "/panel/neshaniha",
        "/panel/payamha",
    )
    world.page("/panel/kharid/{id}", "other", id=world.ids(world.share(0.1), 50_000))
    world.page("/majale/{slug}", "other", slug=world.slugs(world.share(0.03, least=10, most=200), 3, 6, sizes=0))
    world.fixed("asset", "/css/asli.css", "/css/mobil.css", "/js/asli.js", "/font/vazir.woff")
    world.fixed("feed", "/naghshe.xml")
    world.fixed("health", "/salamat")
