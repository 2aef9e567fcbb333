"""Number first in product file names, a `controller` key for everything else."""

from __future__ import annotations

from floorwalker.simulation.sites._grammar import World

SPLIT = "training"
SOUNDS = ("b ch d f g l m v n r t", "eau oi a é u ai", "_ x r t lle sse")


def write(world: World) -> None:
    """Fill the site's pages."""
    n = world.items
    slugs, ids = world.slugs(n, 2, 4), world.ids(n, 1)
    rows = world.slugs(world.share(0.03, least=12, most=300), 1, 3, sizes=0)
    row_ids = world.ids(len(rows), 2)
    world.page("/{row}/{id}-{slug}.html", "product", n, row=rows, id=ids, slug=slugs)
    world.page(
        "/{id}-{row}[?page={page}][&order={sort}][&q={facet}]",
        "category",
        len(rows) * 4,
        id=row_ids * 4,
        row=rows * 4,
        page=world.numbers(30, 2, 30),
        sort=["prix.asc", "nom.desc"],
        facet=["Couleur-Bleu", "Taille-38", "Disponible"],
    )
    world.page("/marque/{id}_{brand}", "category", id=world.ids(20, 2), brand=world.some(20, 20))
    world.page("/contenu/{id}-{slug}", "other", id=world.ids(9, 1), slug=world.slugs(9, 2, 4))
    base = "/index.php?controller="
    world.page(
        base + "recherche&s={word}[&page={page}]",
        "search",
        word=world.slugs(world.share(0.3), 1, 3, joint="+"),
        page=["2", "3"],
    )
    world.page(base + "panier&action=afficher", "basket")
    for action in ("ajouter", "supprimer", "modifier"):
        world.page(
            base + f"panier&action={action}&id_produit={{id}}",
            "basket",
            world.share(0.1),
            id=ids,
            method="POST",
            changing=True,
        )
    world.page(base + "panier&action=reduction", "offer", method="POST", changing=True)
    for step in ("adresse", "livraison", "paiement", "valider"):
        world.page(base + f"commande&etape={step}", "checkout", method="POST", changing=True)
    world.page(base + "commande", "checkout")
    world.page(
        base + "suivi&reference={reference}", "other", reference=world.codes(world.share(0.1), 9, "ABCDEFGHIJKLMNOP")
    )
    world.page(base + "stock&id_produit={id}", "offer", world.share(0.4), id=ids)
    for name in ("connexion", "deconnexion", "inscription", "oubli"):
        world.page(base + name, "login", method="POST", changing=True)
    for name in ("historique", "adresses", "identite", "bons", "avoirs"):
        world.page(base + name, "other")
    world.page(base + "promotions[&page={page}]", "offer", page=["2", "3", "4"])
    world.page(base + "ventes-privees", "offer")
    world.fixed("other", "/", "/nous-contacter", "/plan-du-site", "/magasins")
    world.page(
        "/{id}-{size}_defaut/{slug}.jpg",
        "asset",
        world.share(1.3),
        id=ids * 2,
        size=["petit", "moyen", "grand"],
        slug=slugs * 2,
    )
    world.page("/themes/classique/cache/theme-{hash}.css", "asset", hash=world.codes(3, 6))
    world.page("/themes/classique/cache/bas-{hash}.js", "asset", hash=world.codes(3, 6))
    world.fixed("asset", "/themes/classique/police.woff2", "/img/logo.png", "/img/favicon.png")
    world.page(
        "/module/{name}/retour?cle={key}",
        "callback",
        world.share(0.04),
        name=["virement", "carte"],
        key=world.codes(world.share(0.04), 24),
        method="POST",
    )
    world.page("/plan_{number}.xml", "feed", number=["1", "2", "3"])
    world.fixed("beacon", "/mesure.gif")
    world.fixed("health", "/vivant.php")
