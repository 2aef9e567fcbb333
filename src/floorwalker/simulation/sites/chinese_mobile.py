"""Chinese names in keys and paths, `.htm` numbers, a mobile prefix, JSONP calls."""

from __future__ import annotations

from floorwalker.simulation.sites._grammar import World

SPLIT = "training"
SOUNDS = ("中 山 水 火 木 金 大 小 红 绿 手 机", "人 心 口 日 月 天 _", "_ 包 鞋 衣 书 车")


def write(world: World) -> None:
    """Fill the site's pages."""
    n = world.items
    ids = world.ids(n, 100_000, step=40)
    names = world.slugs(n, 1, 3, joint="")
    world.page("/shangpin/{id}.htm", "product", n, id=ids)
    world.page(
        "/m/shangpin/{id}.htm[?from={source}]", "product", world.share(0.6), id=ids, source=["fenxiang", "guanggao"]
    )
    world.page(
        "/leimu/{a}-{b}-{c}.htm",
        "category",
        world.share(0.2, least=40),
        a=world.ids(40, 300),
        b=world.numbers(40, 0, 30),
        c=world.numbers(40, 0, 50),
    )
    world.page("/m/leimu/{a}.htm", "category", a=world.ids(40, 300))
    world.page(
        "/sousuo?ci={word}[&ye={page}][&paixu={sort}]",
        "search",
        word=names[: world.share(0.5, least=10)],
        page=world.numbers(20, 2, 20),
        sort=["jiage", "xiaoliang"],
    )
    world.page("/pinpai/{brand}", "category", brand=world.some(15, 40))
    world.page(
        "/jiage/chaxun?skuIds=J_{id}&callback=jQuery{call}",
        "offer",
        world.share(0.6),
        id=ids,
        call=world.codes(world.share(0.6), 7, "0123456789"),
    )
    world.page(
        "/kucun/{id}/{area}", "offer", world.share(0.5), id=ids, area=world.lists(40, "1", joint="_", high=4000, most=3)
    )
    world.page("/pinglun/{id}-{page}.htm", "other", world.share(0.5), id=ids, page=world.numbers(30, 0, 9))
    world.page("/wenda/{id}.htm", "other", world.share(0.2), id=ids)
    world.fixed("offer", "/miaosha", "/m/miaosha", "/youhuiquan")
    world.page("/miaosha/changci/{hour}", "offer", hour=["00", "08", "10", "12", "16", "20"])
    world.page(
        "/youhuiquan/lingqu/{code}",
        "offer",
        code=world.codes(world.share(0.02, least=8), 16),
        method="POST",
        changing=True,
    )
    world.page(
        "/youhuiquan/shiyong/{code}",
        "offer",
        code=world.codes(world.share(0.02, least=8), 16),
        method="POST",
        changing=True,
    )
    world.fixed("basket", "/gouwuche", "/m/gouwuche")
    world.state(
        ("/gouwuche/jiaru", "basket"),
        ("/gouwuche/shanchu", "basket"),
        ("/gouwuche/xiugai", "basket"),
        ("/gouwuche/qingkong", "basket"),
    )
    world.state(
        ("/dingdan/tijiao", "checkout"),
        ("/dingdan/dizhi", "checkout"),
        ("/dingdan/zhifu", "checkout"),
        ("/denglu", "login"),
        ("/tuichu", "login"),
        ("/zhuce", "login"),
        ("/zhaohui", "login"),
    )
    world.page("/dingdan/xiangqing/{id}", "other", id=world.codes(world.share(0.1), 18, "0123456789"))
    world.fixed(
        "other",
        "/",
        "/m",
        "/bangzhu",
        "/guanyu",
        "/lianxi",
        "/wode/dingdan",
        "/wode/shoucang",
        "/wode/dizhi",
        "/wode/zuji",
        "/wode/youhui",
    )
    world.page("/bangzhu/{id}.htm", "other", id=world.ids(20, 1))
    world.page(
        "/dianpu/{name}", "other", name=list(dict.fromkeys(world.slugs(world.share(0.05, least=15), 1, 2, joint="")))
    )
    world.page(
        "/tupian/n{size}/jfs/t{a}/{b}/{hash}.jpg!q70.dpg",
        "asset",
        world.share(1.3),
        size=["1", "5", "7"],
        a=world.numbers(80, 1, 300),
        b=world.numbers(300, 1, 9000),
        hash=world.codes(world.share(1.3), 24),
    )
    world.page("/jingtai/??{a}.js,{b}.js", "asset", a=world.some(8, 8), b=world.some(8, 8))
    world.page("/jingtai/yangshi/{version}/quanju.css", "asset", version=["1.0.33", "1.0.34", "1.1.0"])
    world.page(
        "/rizhi.gif?m={m}&r={r}",
        "beacon",
        m=world.codes(world.share(0.4), 11),
        r=world.codes(world.share(0.4), 9, "0123456789"),
    )
    world.page("/zhifu/huidiao/{partner}", "callback", partner=["weixin", "yinlian", "zhifubao"], method="POST")
    world.fixed("feed", "/ditu.xml")
    world.fixed("health", "/jiankang")
