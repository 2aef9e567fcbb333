"""Sellers and their goods directly at the root, two levels of names without any number."""

from __future__ import annotations

from floorwalker.simulation.sites._grammar import World

SPLIT = "unseen"
SOUNDS = ("ny ng b j k d p t s m", "a e i o u ai", "_ n ng h r")


def write(world: World) -> None:
    """Fill the site's pages."""
    n = world.items
    sellers = list(dict.fromkeys(world.slugs(world.share(0.1, least=25), 1, 2, joint="", sizes=0.4)))
    owner = world.pick(n, sellers)
    slugs = world.slugs(n, 3, 7, sizes=0.3)
    world.page("/{seller}/{slug}", "product", n, seller=owner, slug=slugs)
    world.page("/{seller}", "other", seller=sellers)
    world.page(
        "/{seller}/{slug}/ulasan[?halaman={page}]", "other", world.share(0.3), seller=owner, slug=slugs, page=["2", "3"]
    )
    world.page("/toko-info/{seller}/catatan", "other", len(sellers) // 2, seller=sellers)
    rows = world.slugs(world.share(0.03, least=12, most=250), 1, 2, sizes=0)
    world.page(
        "/kategori/{top}/{row}[?halaman={page}][&urut={sort}]",
        "category",
        len(rows) * 4,
        top=world.some(9, 15),
        row=rows,
        page=world.numbers(25, 2, 30),
        sort=["5", "9", "23"],
    )
    world.page(
        "/cari?kata={word}[&halaman={page}]",
        "search",
        word=world.slugs(world.share(0.3), 1, 3, joint="%20"),
        page=["2", "3"],
    )
    world.page("/temukan/{word}", "search", word=world.slugs(world.share(0.2), 1, 3))
    world.page("/layanan/v4/stok/{id}", "offer", world.share(0.4), id=world.ids(world.share(0.4), 90_000, step=50))
    world.page("/layanan/v4/harga/{id}", "product", world.share(0.4), id=world.ids(world.share(0.4), 90_000, step=50))
    world.page("/promosi/{slug}", "offer", slug=world.slugs(24, 1, 4))
    world.fixed("offer", "/promosi", "/kilat", "/kupon-saya")
    for verb in ("masuk", "hapus", "ubah"):
        world.page(
            f"/layanan/v4/keranjang/{verb}/{{id}}",
            "basket",
            world.share(0.03),
            id=world.ids(world.share(0.03), 90_000, step=50),
            method="POST",
            changing=True,
        )
    world.state(
        ("/layanan/v4/kupon/pakai", "offer"), ("/layanan/v4/kupon/klaim", "offer"), ("/layanan/v4/kupon/lepas", "offer")
    )
    world.fixed("basket", "/keranjang")
    world.state(
        ("/bayar/alamat", "checkout"),
        ("/bayar/kurir", "checkout"),
        ("/bayar/cara", "checkout"),
        ("/bayar/selesai", "checkout"),
    )
    world.state(
        ("/masuk-akun", "login"), ("/keluar-akun", "login"), ("/daftar-akun", "login"), ("/atur-sandi", "login")
    )
    world.fixed(
        "other",
        "/",
        "/tentang",
        "/bantuan",
        "/karir",
        "/syarat",
        "/akun/pesanan",
        "/akun/alamat",
        "/akun/favorit",
        "/akun/saldo",
    )
    world.page("/akun/pesanan/{code}", "other", code=world.codes(world.share(0.1), 12, "0123456789ABCDEF"))
    world.page("/bantuan/{slug}", "other", slug=world.slugs(40, 3, 7, sizes=0))
    world.page(
        "/cdn-gambar/cache/{size}/{folder}/{date}/{hash}.png",
        "asset",
        world.share(1.2),
        size=["100-square", "200-square", "700"],
        folder=["VqbcmM", "hDjmkQ"],
        date=world.dates(60),
        hash=world.uuids(world.share(1.2)),
    )
    world.page("/aset/{name}.{hash}.js", "asset", name=["inti", "rumah", "detil"], hash=world.codes(12, 8))
    world.page("/aset/{name}.{hash}.css", "asset", name=["inti", "rumah", "detil"], hash=world.codes(6, 8))
    world.page(
        "/catat?id={code}&aksi={kind}",
        "beacon",
        world.share(0.4),
        code=world.codes(world.share(0.4), 16),
        kind=["lihat", "ketuk"],
    )
    world.page("/bank/kabar/{code}", "callback", code=world.codes(world.share(0.05), 20), method="POST")
    world.fixed("feed", "/peta-situs.xml")
    world.fixed("health", "/sehat")
