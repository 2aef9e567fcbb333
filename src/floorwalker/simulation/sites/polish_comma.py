"""Values joined by commas in one file name: letter, number, name, page."""

from __future__ import annotations

from floorwalker.simulation.sites._grammar import World

SPLIT = "validation"
SOUNDS = ("szcz prz krz dz w p k m cz", "ą ę y o a ie", "_ w k ć ł ny")


def write(world: World) -> None:
    """Fill the site's pages."""
    n = world.items
    slugs, ids = world.slugs(n, 2, 4), world.ids(n, 5000, step=11)
    rows = world.slugs(world.share(0.03, least=12, most=250), 1, 2, sizes=0)
    row_ids = world.ids(len(rows), 3)
    world.page("/towar,{id},{slug}.html", "product", n, id=ids, slug=slugs)
    world.page(
        "/dzial,{id},{row},{page}.html[?porzadek={sort}]",
        "category",
        len(rows) * 5,
        id=row_ids * 5,
        row=rows * 5,
        page=world.numbers(30, 1, 20),
        sort=["cena", "nazwa"],
    )
    world.page("/firma,{id},{brand}.html", "category", id=world.ids(24, 3), brand=world.some(24, 24))
    world.page("/szukaj,{word}.html", "search", word=world.slugs(world.share(0.3), 1, 3, joint="+"))
    world.page("/opinie,{id}.html[?strona={page}]", "other", world.share(0.3), id=ids, page=["2", "3"])
    world.page("/stan-magazynu,{id}.json", "offer", world.share(0.4), id=ids)
    world.page("/promocja,{slug}.html", "offer", slug=world.slugs(20, 1, 3))
    world.fixed("offer", "/wyprzedaz.html", "/kody-rabatowe.html")
    world.page("/poradnik,{id},{slug}.html", "other", id=world.ids(40, 9), slug=world.slugs(40, 3, 6, sizes=0))
    world.page("/koszyk,dodaj,{id}.html", "basket", world.share(0.04), id=ids, method="POST", changing=True)
    world.page("/koszyk,usun,{id}.html", "basket", world.share(0.04), id=ids, method="POST", changing=True)
    world.state(
        ("/koszyk,przelicz.html", "basket"), ("/koszyk,wyczysc.html", "basket"), ("/koszyk,rabat.html", "offer")
    )
    world.fixed("basket", "/koszyk.html")
    world.state(
        ("/zamowienie,dostawa.html", "checkout"),
        ("/zamowienie,platnosc.html", "checkout"),
        ("/zamowienie,potwierdz.html", "checkout"),
    )
    world.page("/zamowienie,status,{code}.html", "other", code=world.codes(world.share(0.1), 12, "0123456789ABCDEF"))
    world.state(
        ("/klient,zaloguj.html", "login"),
        ("/klient,wyloguj.html", "login"),
        ("/klient,zarejestruj.html", "login"),
        ("/klient,haslo.html", "login"),
    )
    world.fixed(
        "other",
        "/klient,zamowienia.html",
        "/klient,ksiazka-adresowa.html",
        "/klient,schowek.html",
        "/",
        "/regulamin.html",
        "/o-nas.html",
        "/dostawy.html",
        "/kontakty.html",
    )
    world.page(
        "/zdjecia/{size}/{a}/{id}.jpg",
        "asset",
        world.share(1.2),
        size=["mini", "srednie", "duze"],
        a=world.numbers(100, 0, 100),
        id=ids * 2,
    )
    world.page("/szablon/{hash}/arkusz.css", "asset", hash=world.codes(3, 10))
    world.page("/szablon/{hash}/wspolny.js", "asset", hash=world.codes(3, 10))
    world.fixed("asset", "/szablon/litery.woff", "/szablon/znak.svg")
    world.fixed("feed", "/mapa-strony.xml", "/porownywarka.xml")
    world.page("/licznik,{code}.gif", "beacon", code=world.codes(world.share(0.3), 9))
    world.page("/platnosci/powiadomienie/{code}", "callback", code=world.codes(world.share(0.05), 20), method="POST")
    world.fixed("health", "/dziala.html")
