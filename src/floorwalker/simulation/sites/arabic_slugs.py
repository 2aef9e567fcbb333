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
    world.page("/ar/{slug}/n{id}/", "product", n, slug=slugs, id=ids)
    world.page("/en/{slug}/n{id}/", "product", world.share(0.3), slug=slugs, id=ids)
    world.page(
        "/ar/qism/{row}/[?safha={page}][&tartib={sort}]",
        "category",
        len(rows) * 4,
        row=rows,
        page=world.numbers(25, 2, 30),
        sort=["siar", "jadid"],
    )
    world.page("/en/qism/{row}/[?safha={page}]", "category", len(rows), row=rows, page=world.numbers(25, 2, 30))
    world.page(
        "/ar/bahth/?k={word}[&safha={page}]",
        "search",
        word=world.slugs(world.share(0.3), 1, 3, joint="+"),
        page=["2", "3"],
    )
    world.page("/ar/marka/{brand}/", "category", brand=world.some(18, 40))
    world.page("/ar/urud/{slug}/", "offer", slug=world.slugs(18, 1, 3))
    world.fixed("offer", "/ar/urud/", "/ar/tasfiya/", "/en/urud/")
    world.page("/khidma/mawjud/n{id}", "offer", world.share(0.4), id=ids)
    world.page("/khidma/aara/n{id}[?safha={page}]", "other", world.share(0.3), id=ids, page=["2", "3"])
    world.fixed("basket", "/ar/salla/")
    world.state(
        ("/khidma/salla/idafa", "basket"),
        ("/khidma/salla/izala", "basket"),
        ("/khidma/salla/tadil", "basket"),
        ("/khidma/qasima/tatbiq", "offer"),
        ("/khidma/qasima/talab", "offer"),
    )
    world.state(("/ar/dafa/unwan/", "checkout"), ("/ar/dafa/tawsil/", "checkout"), ("/ar/dafa/takid/", "checkout"))
    world.state(("/ar/dukhul/", "login"), ("/ar/khuruj/", "login"), ("/ar/tasjil/", "login"), ("/ar/istiada/", "login"))
    world.fixed(
        "other",
        "/",
        "/ar/",
        "/en/",
        "/ar/hisabi/talabat/",
        "/ar/hisabi/anawin/",
        "/ar/hisabi/mufaddala/",
        "/ar/man-nahnu/",
        "/ar/ittasil/",
        "/ar/shurut/",
        "/ar/irja/",
    )
    world.page("/ar/hisabi/talabat/{code}/", "other", code=world.codes(world.share(0.1), 12, "0123456789"))
    world.page("/ar/mudawwana/{slug}/", "other", slug=world.slugs(world.share(0.02, least=12, most=150), 3, 7, sizes=0))
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
