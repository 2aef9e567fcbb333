"""A magazine with a shop: articles by date, archives by year and month, plain `?p=` numbers."""

from __future__ import annotations

from floorwalker.simulation.sites._grammar import World

SPLIT = "training"
SOUNDS = ("bj hv kn sk st tr gl fr d m", "å ø æ e i y", "_ g nd d rs v")


def write(world: World) -> None:
    """Fill the site's pages."""
    n = world.items
    slugs, ids = world.slugs(n, 1, 4), world.ids(n, 40)
    articles = world.share(0.3, least=30, most=5000)
    world.page("/udsalg/vare/{slug}/", "product", n, slug=slugs)
    world.page(
        "/udsalg/afdeling/{row}/[?side={page}]",
        "category",
        world.share(0.1, least=24),
        row=world.slugs(world.share(0.03, least=10, most=200), 1, 2),
        page=["2", "3", "4", "5"],
    )
    world.page("/{date}/{slug}/", "other", date=world.dates(articles), slug=world.slugs(articles, 3, 7))
    world.page("/{month}/", "other", month=list(dict.fromkeys(world.dates(80, "%Y/%m"))))
    world.page(
        "/{date}/{slug}/kommentar/",
        "other",
        articles // 4,
        date=world.dates(articles),
        slug=world.slugs(articles, 3, 7),
    )
    world.page("/maerke/{tag}/[?side={page}]", "other", tag=world.some(40, 90), page=["2", "3"])
    world.page("/skribent/{name}/", "other", name=world.slugs(14, 2, 2, sizes=0))
    world.page("/?p={id}", "other", world.share(0.2, least=20), id=ids)
    world.page(
        "/?find={word}[&side={page}]", "search", word=world.slugs(world.share(0.3), 1, 3, joint="+"), page=["2", "3"]
    )
    world.page("/?laeg-i-kurv={id}", "basket", world.share(0.05), id=ids, method="POST", changing=True)
    world.page("/?tag-ud={code}", "basket", code=world.codes(world.share(0.03), 32), method="POST", changing=True)
    world.page("/?fortryd={code}", "basket", code=world.codes(world.share(0.03), 32), method="POST", changing=True)
    world.page("/lager/?vare={id}", "offer", world.share(0.3), id=ids)
    world.fixed("offer", "/udsalg/", "/udsalg/tilbud/", "/rabatkoder/")
    world.page("/rabatkoder/{slug}/", "offer", slug=world.slugs(20, 1, 2, sizes=0.6))
    world.state(
        ("/kurv/opdater/", "basket"),
        ("/kurv/rabat/", "offer"),
        ("/kassen/levering/", "checkout"),
        ("/kassen/betaling/", "checkout"),
        ("/kassen/godkend/", "checkout"),
    )
    world.fixed("basket", "/kurv/")
    world.fixed("checkout", "/kassen/")
    world.page("/kassen/modtaget/{id}/", "checkout", id=world.ids(world.share(0.05), 800))
    world.state(
        ("/konto/log-ind/", "login"),
        ("/konto/log-ud/", "login"),
        ("/konto/opret/", "login"),
        ("/konto/nulstil/", "login"),
    )
    world.fixed(
        "other",
        "/",
        "/konto/ordrer/",
        "/konto/adresser/",
        "/konto/downloads/",
        "/om-os/",
        "/levering/",
        "/kontakt-os/",
        "/handelsbetingelser/",
    )
    world.page(
        "/filer/{month}/{slug}-{size}.jpg",
        "asset",
        world.share(1.0),
        month=world.dates(30, "%Y/%m"),
        slug=slugs,
        size=["150x150", "300x200", "1024x683"],
    )
    world.page("/filer/{month}/{slug}.pdf", "asset", 25, month=world.dates(25, "%Y/%m"), slug=world.slugs(25, 2, 4))
    world.page("/indhold/tema/butik/stil.css[?ver={v}]", "asset", v=["5.4.1", "5.4.2"])
    world.page(
        "/indhold/udvidelser/{name}/js/skript.min.js[?ver={v}]",
        "asset",
        name=world.some(12, 12),
        v=["1.2", "3.3.1", "2.0"],
    )
    world.page(
        "/indhold/udvidelser/{name}/css/stil.min.css[?ver={v}]",
        "asset",
        name=world.some(12, 12),
        v=["1.2", "3.3.1", "2.0"],
    )
    world.page("/{date}/{slug}/feed/", "feed", 40, date=world.dates(articles), slug=world.slugs(articles, 3, 7))
    world.fixed("feed", "/feed/", "/kommentarer/feed/")
    world.page("/hit/{code}/", "beacon", code=world.codes(world.share(0.2), 12))
    world.page("/betaling/svar/{code}/", "callback", code=world.codes(world.share(0.04), 14), method="POST")
    world.fixed("health", "/oppe.txt")
