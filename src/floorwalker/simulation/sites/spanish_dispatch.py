"""Everything goes through one script: a `route` key says which page it is."""

from __future__ import annotations

from floorwalker.simulation.sites._grammar import World

SPLIT = "training"
SOUNDS = (
    "ll rr ñ d c j v g p m",
    "a e o ue ia",
    "_ s r nt z",
)


def write(world: World) -> None:
    """Fill the site's pages."""
    n = world.items
    ids = world.ids(n, 30)
    shelves = world.ids(world.share(0.03, least=10, most=400), 1)
    base = "/index.php?route="
    world.page(base + "producto/producto&producto_id={id}[&ruta={shelf}]", "product", n, id=ids, shelf=shelves)
    world.page(
        base + "producto/estante&ruta={shelf}[&pagina={page}][&orden={sort}]",
        "category",
        len(shelves) * 4,
        shelf=shelves,
        page=world.numbers(40, 2, 25),
        sort=["precio", "nombre"],
    )
    world.page(
        base + "producto/busqueda&texto={word}[&pagina={page}]",
        "search",
        word=world.slugs(world.share(0.3), 1, 3, joint="+"),
        page=world.numbers(9, 2, 9),
    )
    world.page(base + "producto/comparar[&quitar={id}]", "other", world.share(0.05), id=ids)
    world.page(base + "producto/opinion&producto_id={id}", "other", world.share(0.3), id=ids)
    world.page(base + "producto/existencias&producto_id={id}", "offer", world.share(0.4), id=ids)
    world.page(base + "producto/ofertas[&pagina={page}]", "offer", page=world.numbers(9, 2, 9))
    world.page(
        base + "producto/fabricante&fabricante_id={id}",
        "category",
        id=world.ids(world.share(0.02, least=8, most=100), 5),
    )
    for name, role in (("anadir", "basket"), ("quitar", "basket"), ("editar", "basket"), ("cupon", "offer")):
        world.page(base + f"pedido/cesta/{name}", role, method="POST", changing=True)
    world.page(base + "pedido/cesta", "basket")
    for name in ("entrega", "pago", "confirmar", "invitado"):
        world.page(base + f"pedido/compra/{name}", "checkout", method="POST", changing=True)
    world.page(base + "pedido/compra", "checkout")
    world.page(base + "pedido/gracias", "checkout")
    for name in ("entrar", "salir", "alta", "olvidado"):
        world.page(base + f"cuenta/{name}", "login", method="POST", changing=True)
    for name in ("pedidos", "direcciones", "deseos", "boletin", "puntos"):
        world.page(base + f"cuenta/{name}", "other")
    world.page(base + "cuenta/pedidos/ver&pedido_id={id}", "other", id=world.ids(world.share(0.1), 7000))
    world.page(base + "informacion/texto&texto_id={id}", "other", id=world.numbers(12, 1, 15))
    world.page(base + "informacion/contacto", "other")
    world.page(base + "informacion/mapa", "other")
    world.page("/", "other")
    world.page(
        "/imagen/cache/{name}-{size}.jpg",
        "asset",
        world.share(1.0),
        name=world.slugs(world.share(1.0), 1, 3, joint="_"),
        size=["80x80", "228x228", "500x500"],
    )
    world.page("/imagen/cabecera/{name}.png", "asset", name=world.some(5, 10))
    world.page("/vista/tema/estilo.css[?v={v}]", "asset", v=world.numbers(4, 1, 90))
    world.fixed("asset", "/vista/js/comun.js", "/vista/js/jquery.min.js", "/vista/letra.woff2")
    world.page(base + "alimento/surtido", "feed")
    world.page(base + "pago/aviso&token={token}", "callback", token=world.codes(world.share(0.04), 26), method="POST")
    world.fixed("beacon", "/latido.php")
    world.fixed("health", "/estado.txt")
