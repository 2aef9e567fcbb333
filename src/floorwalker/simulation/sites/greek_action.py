"""One script per room with an `energeia` key, Greek words in values and file names."""

from __future__ import annotations

from floorwalker.simulation.sites._grammar import World

SPLIT = "unseen"
SOUNDS = ("θ ξ ψ δ γ λ κ μ τ π", "α ε η ο ω ου", "_ ς ν ρ ξ")


def write(world: World) -> None:
    """Fill the site's pages."""
    n = world.items
    ids, slugs = world.ids(n, 300), world.slugs(n, 1, 3, joint="_")
    base = "/katastima/eidi.php?energeia="
    world.page(base + "provoli&kodikos={id}[&onoma={slug}]", "product", n, id=ids, slug=slugs)
    world.page(
        base + "lista&omada={group}[&selida={page}][&seira={sort}]",
        "category",
        world.share(0.12, least=40),
        group=world.ids(world.share(0.03, least=12), 2),
        page=world.numbers(25, 2, 30),
        sort=["timi", "neo"],
    )
    world.page(
        base + "anazitisi&lexi={word}[&selida={page}]",
        "search",
        word=world.slugs(world.share(0.3), 1, 3, joint="+"),
        page=["2", "3"],
    )
    world.page(base + "apothema&kodikos={id}", "offer", world.share(0.4), id=ids)
    world.page(base + "kritikes&kodikos={id}", "other", world.share(0.3), id=ids)
    world.page(base + "prosfores[&selida={page}]", "offer", page=["2", "3", "4"])
    world.page(base + "xepoulima", "offer")
    base = "/katastima/kalathi.php?energeia="
    for verb in ("vale", "vgale", "allaxe"):
        world.page(base + f"{verb}&kodikos={{id}}", "basket", world.share(0.05), id=ids, method="POST", changing=True)
    world.page(base + "adeiase", "basket", method="POST", changing=True)
    world.page(base + "kouponi", "offer", method="POST", changing=True)
    world.page("/katastima/kalathi.php", "basket")
    base = "/katastima/tameio.php?energeia="
    for step in ("dieuthynsi", "apostoli", "pliromi", "telos"):
        world.page(base + step, "checkout", method="POST", changing=True)
    base = "/katastima/pelatis.php?energeia="
    for step in ("eisodos", "exodos", "eggrafi", "kodikos-neos"):
        world.page(base + step, "login", method="POST", changing=True)
    for name in ("istoriko", "agapimena", "stoixeia", "pontoi"):
        world.page(base + name, "other")
    world.page(base + "paraggelia&arithmos={order}", "other", order=world.ids(world.share(0.1), 6000))
    world.page("/selides/{slug}.html", "other", slug=world.slugs(14, 1, 3, sizes=0))
    world.page(
        "/nea/{date}/{slug}.html",
        "other",
        world.share(0.03, least=15, most=200),
        date=world.dates(80, "%Y-%m"),
        slug=world.slugs(world.share(0.03, least=15, most=200), 3, 6),
    )
    world.fixed("other", "/", "/katastima/index.php", "/epikoinonia.php", "/oroi.php")
    world.page(
        "/eikones/proionta/{id}/{side}.jpg", "asset", world.share(1.2), id=ids * 2, side=["mprosta", "piso", "mikri"]
    )
    world.page("/eikones/marka-{number}.png", "asset", number=world.ids(24, 1))
    world.page("/thema/{name}.css[?ekd={v}]", "asset", name=["vasi", "kinito"], v=world.numbers(4, 1, 40))
    world.page("/thema/{name}.js[?ekd={v}]", "asset", name=["vasi", "kinito", "karouzel"], v=world.numbers(4, 1, 40))
    world.page("/metritis.php?t={time}", "beacon", time=world.ids(world.share(0.3), 1_610_000_000))
    world.page(
        "/trapeza/apantisi.php?anafora={code}", "callback", code=world.codes(world.share(0.05), 16), method="POST"
    )
    world.fixed("feed", "/skroutz.xml", "/xartis.xml")
    world.fixed("health", "/zontanos.php")
