"""A single-page shop: short product slugs, a versioned REST interface, hashed bundles."""

from __future__ import annotations

from floorwalker.simulation.sites._grammar import World

SPLIT = "training"
SOUNDS = ("th sh wh cl br tr sn gl pr qu", "oo ea ou i e", "_ ck ll sh ng mp st")


def write(world: World) -> None:
    """Fill the site's pages."""
    n = world.items
    slugs, ids = world.slugs(n, 1, 3, sizes=0.4), world.ids(n, 100)
    rows = world.slugs(world.share(0.02, least=10, most=200), 1, 2)
    world.page("/p/{slug}[?ref={ref}]", "product", n, slug=slugs, ref=world.codes(9, 6))
    world.page(
        "/c/{row}[?page={page}][&sort={sort}]",
        "category",
        len(rows) * 3,
        row=rows,
        page=world.numbers(30, 1, 40),
        sort=["new", "cheap", "best"],
    )
    world.page(
        "/search?q={word}[&page={page}]",
        "search",
        world.share(0.3),
        word=world.slugs(world.share(0.3), 1, 3, joint="%20"),
        page=world.numbers(9, 2, 9),
    )
    world.page("/api/v2/items/{id}", "product", world.share(0.7), id=ids)
    world.page("/api/v2/items/{id}/stock", "offer", world.share(0.7), id=ids)
    world.page(
        "/api/v2/items/{id}/reviews[?offset={offset}]", "other", world.share(0.5), id=ids, offset=["20", "40", "60"]
    )
    world.page("/api/v2/items/{id}/similar", "other", world.share(0.3), id=ids)
    world.page("/api/v2/users/{user}/wishlist", "other", user=world.ids(world.share(0.2), 4000))
    world.page(
        "/api/v2/users/{user}/orders/{order}",
        "other",
        user=world.ids(world.share(0.15), 4000),
        order=world.codes(world.share(0.15), 10, "0123456789ABCDEFGHJK"),
    )
    world.fixed(
        "other",
        "/api/v2/me",
        "/api/v2/settings",
        "/api/v2/countries",
        "/api/v2/menu",
        "/",
        "/about",
        "/help",
        "/jobs",
        "/press",
    )
    world.fixed("offer", "/api/v2/deals/today", "/api/v2/deals/flash", "/deals")
    world.page("/api/v2/deals/{id}", "offer", id=world.ids(world.share(0.02, least=6), 70))
    world.state(
        ("/api/v2/cart/add", "basket"),
        ("/api/v2/cart/remove", "basket"),
        ("/api/v2/cart/update", "basket"),
        ("/api/v2/cart/clear", "basket"),
        ("/api/v2/auth/login", "login"),
        ("/api/v2/auth/logout", "login"),
        ("/api/v2/auth/register", "login"),
        ("/api/v2/auth/reset", "login"),
        ("/api/v2/coupons/apply", "offer"),
        ("/api/v2/coupons/claim", "offer"),
        ("/api/v2/coupons/remove", "offer"),
    )
    world.state(
        ("/api/v2/checkout/address", "checkout"),
        ("/api/v2/checkout/shipping", "checkout"),
        ("/api/v2/checkout/payment", "checkout"),
        ("/api/v2/checkout/place", "checkout"),
    )
    world.fixed("basket", "/cart", "/api/v2/cart")
    world.fixed("checkout", "/checkout", "/checkout/success")
    world.fixed("login", "/login", "/register", "/forgot")
    world.fixed(
        "other", "/account/orders", "/account/addresses", "/account/returns", "/account/wishlist", "/account/settings"
    )
    world.page("/help/{slug}", "other", slug=world.slugs(world.share(0.02, least=12, most=120), 3, 6, sizes=0))
    world.page(
        "/bundles/{name}.{hash}.js", "asset", name=["main", "vendor", "runtime", "shop"], hash=world.codes(16, 16)
    )
    world.page("/bundles/{name}.{hash}.css", "asset", name=["main", "shop"], hash=world.codes(6, 16))
    world.page(
        "/media/{a}/{b}/{hash}.webp",
        "asset",
        a=world.codes(world.share(1.0), 2),
        b=world.codes(world.share(1.0), 2),
        hash=world.codes(world.share(1.0), 32),
    )
    world.fixed("asset", "/favicon.ico", "/manifest.json", "/robots.txt")
    world.page(
        "/collect?cid={cid}&e={e}", "beacon", cid=world.codes(world.share(0.3), 12), e=["view", "click", "scroll"]
    )
    world.fixed("health", "/healthz")
    world.fixed("feed", "/sitemap.xml")
    world.page("/hooks/payments/{token}", "callback", token=world.uuids(world.share(0.03)), method="POST")
