"""Names at the root that end in `/p`, categories of one to three levels, open interfaces under `/api`."""

from __future__ import annotations

from floorwalker.simulation.sites._grammar import World

SPLIT = "validation"
SOUNDS = ("lh nh ch qu b f p s t c", "ão õe a é i ou", "_ m r s l")


def write(world: World) -> None:
    """Fill the site's pages."""
    n = world.items
    slugs, ids = world.slugs(n, 2, 6, sizes=0.3), world.ids(n, 1)
    top, middle, low = (
        world.some(9, 14),
        world.some(25, 40),
        world.slugs(world.share(0.02, least=20, most=200), 1, 2, sizes=0),
    )
    world.page("/{slug}/p[?idsku={id}]", "product", n, slug=slugs, id=ids)
    world.page("/{top}", "category", top=[f"{word}-e-{other}" for word, other in zip(top, middle, strict=False)])
    world.page(
        "/departamento/{top}/{middle}/{low}[?pagina={page}][&ordem={sort}]",
        "category",
        len(low) * 4,
        top=top,
        middle=middle,
        low=low,
        page=world.numbers(20, 2, 25),
        sort=["menorpreco", "maisvendidos"],
    )
    world.page(
        "/busca/{word}[?pagina={page}]",
        "search",
        word=world.slugs(world.share(0.3), 1, 3, joint="%20"),
        page=["2", "3"],
    )
    world.page("/api/vitrine/produtos/variacoes/{id}", "product", world.share(0.5), id=ids)
    world.page("/api/estoque/{id}/simular[?sc={channel}]", "offer", world.share(0.4), id=ids, channel=["1", "2"])
    world.page("/api/avaliacoes/{id}", "other", world.share(0.3), id=ids)
    world.page("/api/pedidos/pub/carrinho/{key}", "basket", key=world.codes(world.share(0.2), 32))
    world.page(
        "/api/pedidos/pub/carrinho/{key}/itens",
        "basket",
        key=world.codes(world.share(0.1), 32),
        method="POST",
        changing=True,
    )
    world.page(
        "/api/pedidos/pub/carrinho/{key}/itens/remover",
        "basket",
        key=world.codes(world.share(0.1), 32),
        method="POST",
        changing=True,
    )
    world.page(
        "/api/pedidos/pub/carrinho/{key}/cupom",
        "offer",
        key=world.codes(world.share(0.05), 32),
        method="POST",
        changing=True,
    )
    world.page(
        "/api/pedidos/pub/carrinho/{key}/pagar",
        "checkout",
        key=world.codes(world.share(0.05), 32),
        method="POST",
        changing=True,
    )
    world.page(
        "/api/pedidos/pub/carrinho/{key}/entrega",
        "checkout",
        key=world.codes(world.share(0.05), 32),
        method="POST",
        changing=True,
    )
    world.state(
        ("/api/sessao/entrar", "login"),
        ("/api/sessao/sair", "login"),
        ("/api/sessao/cadastrar", "login"),
        ("/api/sessao/senha", "login"),
    )
    world.fixed("other", "/api/sessao", "/api/regioes", "/api/banners")
    world.fixed("basket", "/carrinho")
    world.fixed("checkout", "/finalizar", "/pedido-feito")
    world.fixed("offer", "/queima", "/cupons")
    world.page("/cupons/{code}", "offer", code=world.codes(20, 7, "ABCDEFGHJKLMNPRSTUVWXYZ2345679"))
    world.fixed(
        "other",
        "/",
        "/quem-somos",
        "/fale-conosco",
        "/trocas",
        "/minha-conta",
        "/minha-conta/pedidos",
        "/minha-conta/enderecos",
        "/minha-conta/cartoes",
    )
    world.page("/institucional/{slug}", "other", slug=world.slugs(15, 2, 5, sizes=0))
    world.page(
        "/arquivos/ids/{id}-{width}-{height}/{slug}.jpg[?v={stamp}]",
        "asset",
        world.share(1.2),
        id=ids * 2,
        width=["150", "500"],
        height=["150", "500"],
        slug=slugs * 2,
        stamp=world.codes(40, 18, "0123456789"),
    )
    world.page(
        "/arquivos/{name}.css[?v={v}]",
        "asset",
        name=["estilo-geral", "estilo-produto"],
        v=world.codes(6, 10, "0123456789"),
    )
    world.page(
        "/arquivos/{name}.js[?v={v}]", "asset", name=["geral", "produto", "busca"], v=world.codes(6, 10, "0123456789")
    )
    world.page(
        "/ocorrido/{kind}/{code}",
        "beacon",
        world.share(0.3),
        kind=["vista", "clique"],
        code=world.codes(world.share(0.3), 20),
    )
    world.page("/retorno/pagar/{code}", "callback", code=world.uuids(world.share(0.05)), method="POST")
    world.fixed("feed", "/mapa-do-site.xml", "/xml/comparador.xml")
    world.fixed("health", "/api/saude")
