"""Percent-encoded Arabic folders and names, numbers with a letter in front."""

from __future__ import annotations

from floorwalker.simulation.sites._grammar import World

SPLIT = "unseen"
SOUNDS = ("ع ح ج ق ط ض ص ب ف ذ", "ا ي و ُ", "_ ة ق ن م ب")


def write(world: World) -> None:
    """Fill the site's pages."""
    n = world.items
    slugs, ids = world.slugs(n, 2, 5), world.ids(n, 70_000, step=30)
    rows = world.slugs(world.share(0.03, least=12, most=250), 1, 2, sizes=0)
    # A language in front is a value, as a country is: the same page in two languages is one type.
    tongue = ["ar", "en"]
    world.page("/{tongue}/{slug}/n{id}/", "product", n, tongue=tongue, slug=slugs, id=ids)
    world.page(
        "/{tongue}/qism/{row}/[?safha={page}][&tartib={sort}]",
        "category",
        len(rows) * 4,
        tongue=tongue,
        row=rows,
        page=world.numbers(25, 2, 30),
        sort=["siar", "jadid"],
    )
    world.page(
        "/{tongue}/bahth/?k={word}[&safha={page}]",
        "search",
        tongue=tongue,
        word=world.slugs(world.share(0.3), 1, 3, joint="+"),
        page=["2", "3"],
    )
    world.page("/{tongue}/marka/{brand}/", "category", tongue=tongue, brand=world.some(18, 40))
    world.page("/{tongue}/urud/{slug}/", "offer", tongue=tongue, slug=world.slugs(18, 1, 3))
    for name in ("urud", "tasfiya"):
        world.page(f"/{{tongue}}/{name}/", "offer", 12, tongue=tongue)
    world.page("/khidma/mawjud/n{id}", "offer", world.share(0.4), id=ids)
    world.page("/khidma/aara/n{id}[?safha={page}]", "other", world.share(0.3), id=ids, page=["2", "3"])
    world.page("/{tongue}/salla/", "basket", 12, tongue=tongue)
    world.state(
        ("/khidma/salla/idafa", "basket"),
        ("/khidma/salla/izala", "basket"),
        ("/khidma/salla/tadil", "basket"),
        ("/khidma/qasima/tatbiq", "offer"),
        ("/khidma/qasima/talab", "offer"),
    )
    for name, role in (
        ("dafa/unwan", "checkout"),
        ("dafa/tawsil", "checkout"),
        ("dafa/takid", "checkout"),
        ("dukhul", "login"),
        ("khuruj", "login"),
        ("tasjil", "login"),
        ("istiada", "login"),
    ):
        world.page(f"/{{tongue}}/{name}/", role, 12, tongue=tongue, method="POST", changing=True)
    world.fixed("other", "/")
    for name in (
        "",
        "hisabi/talabat/",
        "hisabi/anawin/",
        "hisabi/mufaddala/",
        "man-nahnu/",
        "ittasil/",
        "shurut/",
        "irja/",
    ):
        world.page(f"/{{tongue}}/{name}", "other", 12, tongue=tongue)
    orders = world.codes(world.share(0.1), 12, "0123456789")
    world.page("/{tongue}/hisabi/talabat/{code}/", "other", tongue=tongue, code=orders)
    articles = world.slugs(world.share(0.02, least=12, most=150), 3, 7, sizes=0)
    world.page("/{tongue}/mudawwana/{slug}/", "other", tongue=tongue, slug=articles)
    world.page(
        "/wasait/{a}/{b}/{id}/{size}.webp",
        "asset",
        world.share(1.2),
        a=world.codes(world.share(1.2), 1),
        b=world.codes(world.share(1.2), 2),
        id=ids * 2,
        size=["s240", "s480", "s960"],
    )
    world.page("/wasait/shiar/{brand}.png", "asset", brand=world.some(12, 24))
    world.page("/asas/{version}/nasaq.css", "asset", version=["2021.10.2", "2021.11.1", "2021.11.4"])
    world.page("/asas/{version}/amal.js", "asset", version=["2021.10.2", "2021.11.1", "2021.11.4"])
    world.page(
        "/athar/{kind}/{code}",
        "beacon",
        world.share(0.3),
        kind=["ruya", "naqra"],
        code=world.codes(world.share(0.3), 18),
    )
    world.page("/masrif/radd/{code}", "callback", code=world.codes(world.share(0.05), 15), method="POST")
    world.fixed("feed", "/kharita.xml")
    world.fixed("health", "/hayy")
