"""Active server pages with names and a tilde, facets as `key_value` folders."""

from __future__ import annotations

from floorwalker.simulation.sites._grammar import World

SPLIT = "unseen"
SOUNDS = ("gn gh sc br f l m p t v", "io ia ue a i o", "_ lli tta ssi no")


def write(world: World) -> None:
    """Fill the site's pages."""
    n = world.items
    slugs, ids = world.slugs(n, 2, 4, capital=True), world.ids(n, 2000)
    rows = world.slugs(world.share(0.03, least=12, most=250), 1, 2, sizes=0, capital=True)
    world.page("/negozio/{slug}~{id}.aspx", "product", n, slug=slugs, id=ids)
    world.page(
        "/reparto/{row}.aspx[?pag={page}][&ordina={sort}]",
        "category",
        len(rows) * 4,
        row=rows,
        page=world.numbers(25, 2, 20),
        sort=["prezzo", "novita"],
    )
    facets = world.share(0.2, least=30)
    world.page(
        "/reparto/{row}/colore_{colour}/taglia_{size}.aspx",
        "category",
        facets,
        row=rows,
        colour=world.some(8, 12),
        size=["XS", "S", "M", "L", "40", "42"],
    )
    world.page("/marchi/{brand}.aspx", "category", brand=world.some(18, 40))
    world.page(
        "/cerca.aspx?testo={word}[&pag={page}]",
        "search",
        word=world.slugs(world.share(0.3), 1, 3, joint="+"),
        page=["2", "3"],
    )
    world.page("/servizi/Giacenza.ashx?articolo={id}", "offer", world.share(0.4), id=ids)
    world.page("/servizi/Commenti.ashx?articolo={id}[&pag={page}]", "other", world.share(0.3), id=ids, page=["2", "3"])
    world.fixed("offer", "/sconti.aspx", "/occasioni.aspx")
    world.page("/sconti/{slug}.aspx", "offer", slug=world.slugs(18, 1, 3, capital=True))
    world.page("/carrello/aggiungi/{id}", "basket", world.share(0.04), id=ids, method="POST", changing=True)
    world.page("/carrello/togli/{id}", "basket", world.share(0.04), id=ids, method="POST", changing=True)
    world.state(
        ("/carrello/svuota", "basket"),
        ("/carrello/quantita", "basket"),
        ("/buono/applica", "offer"),
        ("/buono/riscatta", "offer"),
    )
    world.fixed("basket", "/carrello.aspx")
    world.state(
        ("/ordine/indirizzo.aspx", "checkout"),
        ("/ordine/spedizione.aspx", "checkout"),
        ("/ordine/pagamento.aspx", "checkout"),
        ("/ordine/conferma.aspx", "checkout"),
    )
    world.state(
        ("/utente/accedi.aspx", "login"),
        ("/utente/esci.aspx", "login"),
        ("/utente/iscriviti.aspx", "login"),
        ("/utente/recupera.aspx", "login"),
    )
    world.fixed(
        "other",
        "/utente/ordini.aspx",
        "/utente/indirizzi.aspx",
        "/utente/preferiti.aspx",
        "/",
        "/chi-siamo.aspx",
        "/contatti.aspx",
        "/condizioni.aspx",
        "/resi.aspx",
    )
    world.page("/utente/ordine~{id}.aspx", "other", id=world.ids(world.share(0.1), 700))
    world.page(
        "/guide/{slug}.aspx",
        "other",
        slug=world.slugs(world.share(0.02, least=12, most=150), 3, 6, sizes=0, capital=True),
    )
    world.page(
        "/foto/{a}/{id}_{number}.JPG",
        "asset",
        world.share(1.2),
        a=world.numbers(60, 1, 99),
        id=ids * 2,
        number=["1", "2", "3"],
    )
    world.page(
        "/WebResource.axd?d={code}&t={time}",
        "asset",
        code=world.codes(8, 30, "abcdefghijklmnopqrstuvwxyzABCDEF0123456789_-"),
        time=world.codes(3, 18, "0123456789"),
    )
    world.fixed("asset", "/App_Temi/principale.css", "/App_Temi/stampa.css", "/copioni/base.js", "/copioni/vetrina.js")
    world.page(
        "/traccia.ashx?evento={event}&u={code}",
        "beacon",
        world.share(0.3),
        event=["vista", "clic"],
        code=world.codes(world.share(0.3), 12),
    )
    world.page(
        "/banca/esito/{code}", "callback", code=world.codes(world.share(0.05), 22, "0123456789ABCDEF"), method="POST"
    )
    world.fixed("feed", "/mappa.xml", "/catalogo-export.xml")
    world.fixed("health", "/vivo.ashx")
