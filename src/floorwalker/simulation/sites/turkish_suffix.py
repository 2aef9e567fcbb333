"""Everything hangs at the root: a letter and a number at the end say what a name is."""

from __future__ import annotations

from floorwalker.simulation.sites._grammar import World

SPLIT = "training"
SOUNDS = ("k y b d ç s m t g p l", "ı i ü a e o u", "_ m k r ş z n")


def write(world: World) -> None:
    """Fill the site's pages."""
    n = world.items
    slugs, ids = world.slugs(n, 2, 6), world.ids(n, 300_000, step=200)
    brands = world.some(15, 40)
    rows = world.slugs(world.share(0.03, least=12, most=300), 1, 2, sizes=0)
    world.page("/{brand}/{slug}-p-{id}", "product", n, brand=brands, slug=slugs, id=ids)
    world.page(
        "/{brand}/{slug}-p-{id}/yorumlar[?sayfa={page}]",
        "other",
        world.share(0.3),
        brand=brands,
        slug=slugs,
        id=ids,
        page=["2", "3"],
    )
    world.page("/{brand}/{slug}-p-{id}/saticilar", "offer", world.share(0.3), brand=brands, slug=slugs, id=ids)
    world.page(
        "/{row}-x-c{id}[?sirala={sort}][&pi={page}]",
        "category",
        len(rows) * 4,
        row=rows * 4,
        id=world.ids(len(rows), 100) * 4,
        sort=["artan", "azalan"],
        page=world.numbers(20, 2, 30),
    )
    world.page("/{brand}-x-b{id}", "category", brand=brands, id=world.ids(len(brands), 100))
    world.page(
        "/sr?aranan={word}[&pi={page}]",
        "search",
        word=world.slugs(world.share(0.4), 1, 3, joint="%20"),
        page=["2", "3"],
    )
    world.page("/kampanya/{slug}-k{id}", "offer", slug=world.slugs(24, 2, 4), id=world.ids(24, 200))
    world.fixed("offer", "/flas-indirim", "/kuponlarim")
    world.page("/servis/mevcut/{id}", "offer", world.share(0.4), id=ids)
    for verb in ("ekle", "cikar", "guncelle"):
        world.page(f"/servis/sepet/{verb}/{{id}}", "basket", world.share(0.03), id=ids, method="POST", changing=True)
    world.state(("/servis/cek/kullan", "offer"), ("/servis/cek/topla", "offer"), ("/servis/cek/sil", "offer"))
    world.fixed("basket", "/sepetim")
    world.state(("/odeme/adres", "checkout"), ("/odeme/kart", "checkout"), ("/odeme/onay", "checkout"))
    world.state(("/giris", "login"), ("/cikis", "login"), ("/uyelik", "login"), ("/sifremi-unuttum", "login"))
    world.fixed(
        "other",
        "/",
        "/hakkimizda",
        "/iletisim",
        "/yardim",
        "/hesabim/siparisler",
        "/hesabim/adresler",
        "/hesabim/iadeler",
        "/hesabim/favoriler",
    )
    world.page("/hesabim/siparisler/{id}", "other", id=world.ids(world.share(0.1), 8_000_000, step=900))
    world.page(
        "/magaza/{name}-m-{id}",
        "other",
        name=world.slugs(world.share(0.05, least=10), 1, 2),
        id=world.ids(world.share(0.05, least=10), 100_000, step=50),
    )
    world.page(
        "/mnresize/{width}/-/ty{shelf}/product/media/images/{date}/{id}_{number}.jpg",
        "asset",
        world.share(1.2),
        width=["128", "400", "1200"],
        shelf=world.numbers(60, 1, 500),
        date=world.dates(world.share(1.2), "%Y%m%d"),
        id=ids * 2,
        number=["1", "2", "3"],
    )
    world.page("/yayin/{version}/{name}.js", "asset", version=world.codes(3, 8), name=["ana", "urun", "sepet", "liste"])
    world.page(
        "/yayin/{version}/{name}.css", "asset", version=world.codes(3, 8), name=["ana", "urun", "sepet", "liste"]
    )
    world.page(
        "/iz.gif?o={kind}&z={time}",
        "beacon",
        world.share(0.4),
        kind=["gor", "tik"],
        time=world.ids(world.share(0.4), 1_630_000_000),
    )
    world.page("/banka/donus/{code}", "callback", code=world.codes(world.share(0.05), 20), method="POST")
    world.page("/harita/urun_{number}.xml", "feed", number=world.numbers(9, 1, 40))
    world.fixed("health", "/canli")
