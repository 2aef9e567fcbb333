"""Cyrillic names, section folders, keys in capitals and an `action` key that changes state."""

from __future__ import annotations

from floorwalker.simulation.sites._grammar import World

SPLIT = "training"
SOUNDS = ("ж з к л п ст тр щ х в", "а о ы е у", "_ н к ль й р")


def write(world: World) -> None:
    """Fill the site's pages."""
    n = world.items
    slugs, ids = world.slugs(n, 1, 3, joint="_"), world.ids(n, 1000)
    sections = world.some(8, 14)
    below = world.slugs(world.share(0.03, least=15, most=250), 1, 2, joint="_", sizes=0)
    section, group = world.pick(n, sections), world.pick(n, below)
    world.page("/katalog/{section}/{group}/{slug}/", "product", n, section=section, group=group, slug=slugs)
    world.page(
        "/katalog/{section}/{group}/[?PAGEN_1={page}][&SORT={sort}]",
        "category",
        len(below) * 4,
        section=sections,
        group=below,
        page=world.numbers(40, 2, 30),
        sort=["CENA", "IMYA"],
    )
    world.page("/katalog/{section}/", "category", section=sections)
    world.page(
        "/katalog/?SECTION_ID={section}&ELEMENT_ID={id}", "product", world.share(0.4), section=world.ids(20, 10), id=ids
    )
    world.page("/katalog/sravnenie/?ID={id}", "other", world.share(0.1), id=ids)
    world.page(
        "/poisk/?zapros={word}[&PAGEN_1={page}]",
        "search",
        word=world.slugs(world.share(0.3), 1, 3, joint="+"),
        page=["2", "3"],
    )
    world.page("/akcii/{slug}/", "offer", slug=world.slugs(world.share(0.01, least=6, most=50), 2, 4))
    world.fixed("offer", "/akcii/", "/rasprodazha/")
    world.page("/ajax/ostatok.php?ELEMENT_ID={id}", "offer", world.share(0.4), id=ids)
    world.page("/ajax/otzyvy.php?ELEMENT_ID={id}[&PAGEN_2={page}]", "other", world.share(0.3), id=ids, page=["2", "3"])
    for action, role in (("DOBAVIT", "basket"), ("UDALIT", "basket")):
        world.page(
            f"/ajax/korzina.php?DEISTVIE={action}&ID={{id}}",
            role,
            world.share(0.05),
            id=ids,
            method="POST",
            changing=True,
        )
    world.page("/ajax/korzina.php?DEISTVIE=OCHISTIT", "basket", method="POST", changing=True)
    world.page("/ajax/skidochnyi-kod.php?DEISTVIE=PRIMENIT", "offer", method="POST", changing=True)
    world.page("/ajax/skidochnyi-kod.php?DEISTVIE=SNYAT", "offer", method="POST", changing=True)
    world.fixed("basket", "/lichnyi/korzina/")
    world.fixed("other", "/lichnyi/", "/lichnyi/zakazy/", "/lichnyi/profil/", "/lichnyi/podpiska/", "/lichnyi/schet/")
    world.page("/lichnyi/zakazy/{id}/", "other", id=world.ids(world.share(0.1), 3000))
    world.state(
        ("/oformlenie/adres/", "checkout"), ("/oformlenie/oplata/", "checkout"), ("/oformlenie/podtverdit/", "checkout")
    )
    world.fixed("checkout", "/oformlenie/")
    world.state(("/vhod/", "login"), ("/vyhod/", "login"), ("/registraciya/", "login"), ("/vosstanovlenie/", "login"))
    world.fixed("other", "/", "/o-kompanii/", "/dostavka/", "/kontakty/", "/garantiya/", "/vakansii/")
    world.page("/stati/{slug}/", "other", slug=world.slugs(world.share(0.03, least=10, most=200), 3, 6))
    world.page("/novosti/{date}/", "other", date=world.dates(40, "%d-%m-%Y"))
    world.page(
        "/zagruzka/resize_cache/{folder}/{size}/{hash}.png",
        "asset",
        world.share(1.0),
        folder=world.codes(world.share(1.0), 3),
        size=["140_140_1", "300_300_1"],
        hash=world.codes(world.share(1.0), 32),
    )
    world.page(
        "/zagruzka/iblock/{folder}/{slug}.jpeg",
        "asset",
        world.share(0.6),
        folder=world.codes(world.share(0.6), 3),
        slug=slugs,
    )
    world.page("/shablony/stil.css[?{stamp}]", "asset", stamp=world.ids(3, 1_500_000_000))
    world.page("/shablony/skript.js[?{stamp}]", "asset", stamp=world.ids(3, 1_500_000_000))
    world.page("/oplata/rezultat/{order}/", "callback", order=world.ids(world.share(0.04), 3000), method="POST")
    world.fixed("feed", "/vygruzka.xml", "/karta.xml")
    world.fixed("beacon", "/schetchik.php")
    world.fixed("health", "/zhiv.html")
