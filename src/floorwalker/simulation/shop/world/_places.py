"""Towns, streets and the shops that keep parcels: what addresses are made of."""

from __future__ import annotations

from floorwalker.simulation.shop.world._tables import Texts, texts

Town = tuple[str, str, str, int, int, float]
"""Name, district (Chinese ones) or "", region, first postal code, how many codes, weight. British ones count areas."""

TOWNS: tuple[tuple[Town, ...], ...] = (
    (
        ("Berlin", "", "", 10115, 3900, 37), ("Hamburg", "", "", 20095, 2500, 19), ("München", "", "", 80331, 1600, 15),
        ("Köln", "", "", 50667, 480, 11), ("Frankfurt am Main", "", "", 60306, 630, 8),
        ("Stuttgart", "", "", 70173, 450, 7), ("Düsseldorf", "", "", 40210, 410, 7), ("Leipzig", "", "", 4103, 250, 6),
        ("Dortmund", "", "", 44135, 250, 6), ("Essen", "", "", 45127, 230, 6), ("Bremen", "", "", 28195, 580, 6),
        ("Dresden", "", "", 1067, 260, 6), ("Hannover", "", "", 30159, 500, 5), ("Nürnberg", "", "", 90402, 90, 5),
        ("Duisburg", "", "", 47051, 220, 5), ("Bochum", "", "", 44787, 110, 4), ("Kassel", "", "", 34117, 20, 2),
        ("Freiburg", "", "", 79098, 20, 2), ("Rostock", "", "", 18055, 60, 2), ("Trier", "", "", 54290, 10, 1),
        ("Jena", "", "", 7743, 10, 1), ("Passau", "", "", 94032, 5, 1), ("Flensburg", "", "", 24937, 8, 1),
        ("Göttingen", "", "", 37073, 14, 1), ("Konstanz", "", "", 78462, 8, 1), ("Bamberg", "", "", 96047, 6, 1),
        ("Lüneburg", "", "", 21335, 6, 1), ("Cottbus", "", "", 3042, 12, 1), ("Siegen", "", "", 57072, 9, 1),
        ("Kempten", "", "", 87435, 6, 1),
    ),
    (
        ("Wien", "", "", 1010, 230, 30), ("Graz", "", "", 8010, 50, 9), ("Linz", "", "", 4020, 20, 6),
        ("Salzburg", "", "", 5020, 10, 5), ("Innsbruck", "", "", 6020, 10, 4), ("Klagenfurt", "", "", 9020, 10, 3),
        ("Villach", "", "", 9500, 5, 2), ("Wels", "", "", 4600, 5, 2), ("Dornbirn", "", "", 6850, 3, 1.5),
        ("Krems", "", "", 3500, 4, 1),
    ),
    (
        ("London", "", "SW SE N E W NW", 1, 20, 30), ("Birmingham", "", "B", 1, 40, 10), ("Leeds", "", "LS", 1, 28, 7),
        ("Manchester", "", "M", 1, 40, 8), ("Glasgow", "", "G", 1, 40, 6), ("Sheffield", "", "S", 1, 30, 5),
        ("Bristol", "", "BS", 1, 30, 5), ("Liverpool", "", "L", 1, 30, 5), ("Cardiff", "", "CF", 1, 20, 3),
        ("Nottingham", "", "NG", 1, 20, 3), ("Norwich", "", "NR", 1, 16, 2), ("Exeter", "", "EX", 1, 10, 2),
        ("York", "", "YO", 1, 20, 2), ("Dundee", "", "DD", 1, 8, 1), ("Reading", "", "RG", 1, 20, 3),
    ),
    (
        ("Warszawa", "", "", 0, 4900, 20), ("Kraków", "", "", 30000, 900, 9), ("Wrocław", "", "", 50000, 700, 8),
        ("Łódź", "", "", 90000, 700, 7), ("Poznań", "", "", 60000, 900, 7), ("Gdańsk", "", "", 80000, 900, 6),
        ("Szczecin", "", "", 70000, 800, 4), ("Lublin", "", "", 20000, 700, 4), ("Katowice", "", "", 40000, 800, 4),
        ("Rzeszów", "", "", 35000, 300, 2),
    ),
    (
        ("Amsterdam", "", "", 1011, 95, 15), ("Rotterdam", "", "", 3011, 75, 11), ("Den Haag", "", "", 2511, 70, 9),
        ("Utrecht", "", "", 3511, 70, 7), ("Eindhoven", "", "", 5611, 45, 5), ("Groningen", "", "", 9711, 35, 4),
        ("Tilburg", "", "", 5011, 35, 3), ("Nijmegen", "", "", 6511, 35, 3), ("Zwolle", "", "", 8011, 30, 2),
        ("Maastricht", "", "", 6211, 15, 2),
    ),
    (
        ("New York", "", "NY", 10001, 280, 12), ("Chicago", "", "IL", 60601, 60, 8), ("Austin", "", "TX", 78701, 58, 5),
        ("Seattle", "", "WA", 98101, 90, 5), ("Phoenix", "", "AZ", 85003, 60, 5), ("Denver", "", "CO", 80202, 60, 4),
        ("Portland", "", "OR", 97201, 60, 4), ("Columbus", "", "OH", 43201, 40, 4), ("Tampa", "", "FL", 33602, 40, 3),
        ("Raleigh", "", "NC", 27601, 20, 3),
    ),
    (
        ("上海", "浦东新区 徐汇区 静安区 闵行区 长宁区", "上海", 200000, 80, 12),
        ("北京", "朝阳区 海淀区 丰台区 通州区 东城区", "北京", 100000, 90, 12),
        ("深圳", "南山区 福田区 宝安区 龙岗区", "广东", 518000, 60, 9),
        ("广州", "天河区 越秀区 番禺区 白云区", "广东", 510000, 60, 9),
        ("杭州", "西湖区 余杭区 滨江区 拱墅区", "浙江", 310000, 40, 8),
        ("成都", "武侯区 锦江区 青羊区 高新区", "四川", 610000, 40, 7),
        ("南京", "鼓楼区 玄武区 江宁区", "江苏", 210000, 40, 5),
        ("武汉", "武昌区 洪山区 江汉区", "湖北", 430000, 40, 5),
        ("苏州", "姑苏区 吴中区 虎丘区", "江苏", 215000, 30, 5),
        ("西安", "雁塔区 碑林区 未央区", "陕西", 710000, 30, 4),
        ("长沙", "岳麓区 芙蓉区 雨花区", "湖南", 410000, 30, 4),
        ("青岛", "市南区 崂山区 黄岛区", "山东", 266000, 30, 3),
    ),
)  # fmt: skip
"""By the country's place."""

_GERMAN = (
    "Haupt|Schul|Garten|Bahnhof|Dorf|Berg|Birken|Linden|Kirch|Wald|Ring|Schiller|Goethe|Jahn|Amsel|Wiesen|Mühlen|Buchen"
    "|Ahorn|Feld|Eichen|Rosen|Bach|Mozart|Beethoven|Friedhof|Post|Markt|Industrie|Park|Berliner |Hamburger "
    "|Frankfurter "
    "|Tannen|Kastanien|Finken|Lerchen|Meisen|Sonnen|Siedlungs|Brunnen|Kloster|Burg|Schloss|Kaiser|Königs|Luisen"
    "|Wilhelm|Friedrich|Bismarck|Uhland|Lessing|Heine|Kant|Stein|Talsperren|Hafen|Fischer|Schmiede|Weber|Ziegelei"
)
_GERMAN_ENDS = ("straße", "straße", "straße", "straße", "weg", "weg", "allee", "gasse", "ring", "platz")
_BRITISH = (
    "High|Station|Main|Park|Church|London|Victoria|Green|Manor|Kings|Queens|New|Grange|North|South|West|Windsor|Mill"
    "|School|York|Springfield|George|Albert|Chester|Stanley|Highfield|Broad|The Crescent|Oak|Ash|Elm|Alexandra|Grove"
    "|Clarence|Bridge|Cross|Cambridge|Oxford|Hawthorn|Meadow|Woodland|Orchard|Hillside|Warwick|Lime|Beech"
)
_BRITISH_ENDS = ("Road", "Road", "Street", "Street", "Avenue", "Lane", "Close", "Drive", "Way", "Gardens", "Terrace")
_POLISH = (
    "Polna|Leśna|Słoneczna|Krótka|Szkolna|Ogrodowa|Lipowa|Brzozowa|Łąkowa|Kwiatowa|Kościelna|Sosnowa|Zielona|Parkowa"
    "|Akacjowa|Kolejowa|Mickiewicza|Sienkiewicza|Słowackiego|Kościuszki|Mazowiecka|Długa|Nowa|Spokojna|Wiejska"
    "|Grunwaldzka|Piłsudskiego|Kopernika|Chopina|Reymonta|Warszawska|Krakowska|Zamkowa|Wodna|Górna|Dworcowa"
)
_DUTCH = (
    "Kerk|School|Molen|Dorps|Nieuw|Julianal|Wilhelmina|Beatrix|Linden|Eiken|Beuken|Berken|Kastanje|Prins Hendrik"
    "|Oranje|Sport|Industrie|Haven|Vondel|Rembrandt|Vermeer|Mozart|Zonnebloem|Tulpen|Rozen|Iris|Merel|Leeuwerik"
    "|Kievit|Zwaluw|Stations|Park|Brink|Veld|Water|Dijk"
)
_DUTCH_ENDS = ("straat", "straat", "straat", "laan", "weg", "hof", "plein", "singel", "kade")
_AMERICAN = (
    "Main|Oak|Pine|Maple|Cedar|Elm|Washington|Lake|Hill|Walnut|Spring|North|Ridge|Church|Willow|Mill|Sunset|Railroad"
    "|Jefferson|Center|Highland|Forest|Jackson|River|Meadow|Lincoln|Franklin|Park|Madison|Dogwood|Hickory|Cherry"
)
_AMERICAN_ENDS = ("St", "St", "Ave", "Ave", "Rd", "Dr", "Ln", "Blvd", "Ct", "Way")
_CHINESE = (
    "人民|中山|解放|建设|和平|文化|新华|胜利|长江|黄河|南京|北京|文三|天目山|古墩|世纪|张杨|龙阳|科苑|深南|滨海|学院|友谊"
    "|光明|朝阳|团结|民生|劳动|工业|科技|创新|东风|环城|湖滨|江南|滨江|迎宾|花园|体育|站前|振兴|青年|桃源|梧桐|银杏|玉兰"
)
_CHINESE_ENDS = ("路", "路", "路", "路", "大道", "街", "街", "巷")


def _streets(names: str, ends: tuple[str, ...], gap: str) -> Texts:
    # Every name with every ending, the frequent names first: picking with a tilt makes main streets frequent.
    return texts([f"{name}{gap}{end}" for name in names.split("|") for end in ends])


def _german_streets() -> Texts:
    return texts(
        [
            name + (end.capitalize() if name.endswith(" ") else end)
            for name in _GERMAN.split("|")
            for end in _GERMAN_ENDS
        ]
    )


STREETS: tuple[Texts, ...] = (
    _german_streets(),
    _german_streets(),
    _streets(_BRITISH, _BRITISH_ENDS, " "),
    texts([f"ul. {name}" for name in _POLISH.split("|")]),
    _streets(_DUTCH, _DUTCH_ENDS, ""),
    _streets(_AMERICAN, _AMERICAN_ENDS, " "),
    _streets(_CHINESE, _CHINESE_ENDS, ""),
)
"""By the country's place."""

ESTATES: Texts = texts(
    [
        "阳光花园",
        "翠苑小区",
        "金桂家园",
        "绿城公寓",
        "世纪花园",
        "东方苑",
        "万科城",
        "碧水湾",
        "玫瑰园",
        "和平里小区",
        "紫荆花园",
        "锦绣家园",
        "星河苑",
        "学府花园",
        "滨江公寓",
        "银泰城",
    ]
)
"""Housing estates, named as Chinese addresses name them."""

KIOSKS: Texts = texts(
    ["Kiosk am Eck", "Schreibwaren Otto", "Spätkauf 24", "Blumen Linde", "Getränkemarkt Süd", "Lotto Post Tabak",
     "Reinigung Blitz", "Handyshop Mitte", "Corner News", "Parkside Store", "Village Pantry", "City Express"]
)  # fmt: skip
"""Small shops that keep parcels for others."""
