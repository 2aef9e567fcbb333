"""Addresses in Chinese: from the largest to the smallest, numbers in any script, traditional or simplified."""

from __future__ import annotations

import re

from floorwalker.events.identity._address_western import Parts

_SIMPLE = str.maketrans(
    "號樓區縣鎮鄉單棟層臺台灣廣龍興華國園莊門馬鳳黃麗東慶陽遼寧蘇廈蘭瀋連濟鄭漢長貴雲銀烏魯齊爾濱無錫溫紹麵學業會館場開發業經濟貿術術陳劉趙楊馮鄧蔣蕭譚盧賴鐘鍾葉萬錢頤義聖聯盛達運動車電視臨滬閩贛湘粵瓊晉豫鄂豐順穗環衛輔鐵橋農魚員貨倉庫廠後強愛誠樂歡揚寶銘錦鵬飛鴻鷹鶴鴨雞鳥幣幢實際數圍將軍兩處別墅莊樹塊壩溝灘島嶼嶺",
    "号楼区县镇乡单栋层台台湾广龙兴华国园庄门马凤黄丽东庆阳辽宁苏厦兰沈连济郑汉长贵云银乌鲁齐尔滨无锡温绍面学业会馆场开发业经济贸术术陈刘赵杨冯邓蒋萧谭卢赖钟钟叶万钱颐义圣联盛达运动车电视临沪闽赣湘粤琼晋豫鄂丰顺穗环卫辅铁桥农鱼员货仓库厂后强爱诚乐欢扬宝铭锦鹏飞鸿鹰鹤鸭鸡鸟币幢实际数围将军两处别墅庄树块坝沟滩岛屿岭",
)
"""Traditional characters that addresses are made of, and their simplified forms."""

_DIGIT_GROUPS = ("〇零", "一壹", "二贰两", "三叁", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖")
_DIGITS = {character: value for value, group in enumerate(_DIGIT_GROUPS) for character in group}
_TENS = {"十": 10, "拾": 10, "廿": 20, "百": 100, "佰": 100, "千": 1000}
_NUMERAL = re.compile("[〇零一壹二贰三叁四肆五伍六陆七柒八捌九玖十拾廿百佰千]+")

CITIES = frozenset(
    {
        "北京", "上海", "天津", "重庆", "石家庄", "唐山", "秦皇岛", "邯郸", "保定", "廊坊", "沧州", "太原", "大同",
        "临汾", "呼和浩特", "包头", "鄂尔多斯", "沈阳", "大连", "鞍山", "锦州", "长春", "吉林", "哈尔滨", "大庆",
        "南京", "无锡", "徐州", "常州", "苏州", "南通", "连云港", "淮安", "盐城", "扬州", "镇江", "泰州", "宿迁",
        "杭州", "宁波", "温州", "嘉兴", "湖州", "绍兴", "金华", "衢州", "舟山", "台州", "丽水", "合肥", "芜湖",
        "蚌埠", "安庆", "阜阳", "福州", "厦门", "莆田", "三明", "泉州", "漳州", "南平", "龙岩", "宁德", "南昌",
        "景德镇", "九江", "赣州", "济南", "青岛", "淄博", "枣庄", "东营", "烟台", "潍坊", "济宁", "泰安", "威海",
        "日照", "临沂", "德州", "聊城", "菏泽", "郑州", "开封", "洛阳", "平顶山", "安阳", "新乡", "南阳", "商丘",
        "信阳", "武汉", "黄石", "十堰", "宜昌", "襄阳", "荆州", "长沙", "株洲", "湘潭", "衡阳", "岳阳", "常德",
        "广州", "韶关", "深圳", "珠海", "汕头", "佛山", "江门", "湛江", "茂名", "肇庆", "惠州", "梅州", "东莞",
        "中山", "潮州", "揭阳", "南宁", "柳州", "桂林", "北海", "海口", "三亚", "成都", "自贡", "泸州", "德阳",
        "绵阳", "乐山", "南充", "宜宾", "贵阳", "遵义", "昆明", "曲靖", "大理", "丽江", "拉萨", "西安", "宝鸡",
        "咸阳", "兰州", "西宁", "银川", "乌鲁木齐", "台北", "新北", "桃园", "台中", "台南", "高雄", "基隆", "新竹",
        "香港", "澳门",
    }
)  # fmt: skip
"""Cities that people write without 市; the others are found by it."""

_PROVINCE = re.compile(
    "^(?:中国|中华人民共和国|台湾)?(?:[一-龥]{2,3}省|内蒙古(?:自治区)?|广西(?:壮族自治区)?|宁夏(?:回族自治区)?|新疆(?:维吾尔自治区)?|西藏(?:自治区)?)?"
)
_SHORT_PROVINCES = (
    "河北", "山西", "辽宁", "黑龙江", "江苏", "浙江", "安徽", "福建", "江西", "山东", "河南", "湖北", "湖南",
    "广东", "海南", "四川", "贵州", "云南", "陕西", "甘肃", "青海",
)  # fmt: skip
_CITY = re.compile("^([一-龥]{2,6}?)(?:市|自治州|地区|盟)")
_DISTRICT = re.compile("^([一-龥]{1,6}?(?:自治县|新区|开发区|区|县|旗|市))")
_TOWN = re.compile("^[一-龥]{1,5}?(?:街道|镇|乡)(?!路|街|道|大道)")
_VILLAGE = re.compile("^([一-龥]{1,8}?(?:社区|村))")
_ROAD = re.compile(
    "([一-龥0-9]{1,10}?(?:大道|大街|胡同|公路|路|街|巷|弄|里|道))(?:([东西南北中]?[0-9]+段)|([东西南北]段?))?"
)
_ESTATE = re.compile(
    "([一-龥]{2,10}?)(?:小区|花园|公寓|大厦|广场|家园|新村|苑|园|城|府|湾|庭|邸|居|中心|大楼|宿舍|写字楼|学校|医院|大学|酒店|[0-9])"
)
_NUMBER = re.compile(
    "([0-9]+[a-z]?|(?<![a-z])[a-z](?=座|栋|幢|区|单元|#|号))(号楼|楼栋|单元|栋|幢|座|号|室|房|户|楼|层|f|#|弄|巷|之|-|区|期|组|队)?"
)
_PICKUP = re.compile(
    "菜鸟驿站|驿站|丰巢|快递柜|自提(?:点|柜)|代收点|蜂巢|速递易|快递超市|信箱|邮政信箱|智能柜|便利店代收|超商"
)
_NOISE = re.compile("[\\s,，.。、;；:：()（）\\[\\]【】\"'“”/|*~·]+")


def read_lines(text: str, town: str, district: str, region: str) -> Parts:
    """Parts of a Chinese address in one width; `street` holds the road, `numbers` all numbers from large to small."""
    rest = _NOISE.sub("", _simplify(text))
    is_pickup = _PICKUP.search(rest) is not None
    city, quarter = _bare_city(_simplify(town)), _simplify(district)
    rest = _strip_province(rest, _simplify(region))
    found, rest = _take_city(rest, city)
    city = city or found
    if quarter and rest.startswith(quarter):
        rest = rest[len(quarter) :]
    if (match := _DISTRICT.match(rest)) and not _ROAD.match(rest[: match.end()]):
        rest = rest[match.end() :]
    if match := _TOWN.match(rest):
        rest = rest[match.end() :]
    rest = _numerals(rest)  # not before: 四川 and 三亚 are no numbers
    villages = ""
    if match := _VILLAGE.match(rest):
        villages, rest = match[1], rest[match.end() :]
    street: tuple[str, ...]
    if match := _ROAD.search(rest):
        name, ending = _split_road(match[1])
        street = (name[-3:] + ending + (match[2] or match[3] or ""),)
        after = rest[match.end() :]
    else:
        estate = _ESTATE.search(rest)
        name = estate[1] if estate else re.split("[0-9a-z]", rest, maxsplit=1)[0]
        street = (villages + name,)
        after = rest[estate.end(1) :] if estate else rest[len(name) :]
    return Parts(street, _read_numbers(after), city, "", after, is_pickup)


def _split_road(road: str) -> tuple[str, str]:
    """A road's name and its last word. Only the end of the name counts: a district in front is left out as often."""
    for ending in ("大道", "大街", "胡同", "公路"):
        if road.endswith(ending):
            return road[: -len(ending)], ending
    return road[:-1], road[-1]


def _simplify(text: str) -> str:
    return text.translate(_SIMPLE)


def _bare_city(name: str) -> str:
    name = _NOISE.sub("", name)
    for ending in ("自治州", "地区", "市"):
        if len(name) > len(ending) + 1 and name.endswith(ending):
            return name[: -len(ending)]
    return name


def _strip_province(text: str, region: str) -> str:
    """The text without the province in front, written in full or short."""
    if region and text.startswith(region):
        text = text[len(region) :]
    match = _PROVINCE.match(text)
    text = text[match.end() :] if match else text
    for name in _SHORT_PROVINCES:
        if text.startswith(name):
            left = text[len(name) :]
            if left[:2] in CITIES or left[:3] in CITIES or _CITY.match(left):
                return left
    return text


def _take_city(text: str, known: str) -> tuple[str, str]:
    """The city in front of a text, and the text after it; a municipality may stand twice."""
    city = ""
    for _ in range(2):
        name = known if known and text.startswith(known) else ""
        name = name or next((text[:width] for width in (4, 3, 2) if text[:width] in CITIES), "")
        if not name and not city and (match := _CITY.match(text)):
            name = match[1]
        if not name:
            break
        city, text = name, text[len(name) :]
        for ending in ("自治州", "地区", "市"):
            if text.startswith(ending):
                text = text[len(ending) :]
                break
    return city, text


def _numerals(text: str) -> str:
    """Chinese numerals as digits: 二十三号 is 23号, 一〇二 is 102. A numeral inside a name becomes a digit as well."""

    def read(match: re.Match[str]) -> str:
        characters = match[0]
        if not any(character in _TENS for character in characters):
            return "".join(str(_DIGITS[character]) for character in characters)
        total, digit = 0, 0
        for character in characters:
            if character in _DIGITS:
                digit = _DIGITS[character]
            else:
                unit = _TENS[character]
                total += unit if character == "廿" else max(digit, 1) * unit
                digit = 0
        return str(total + digit)

    return _NUMERAL.sub(read, text)


def _read_numbers(text: str) -> tuple[str, ...]:
    """The numbers of house, building, entrance and room; a floor that the room's number repeats is left out."""
    found: list[tuple[str, str]] = [(match[1].lstrip("0") or "0", match[2] or "") for match in _NUMBER.finditer(text)]
    numbers: list[str] = []
    for place, (number, mark) in enumerate(found):
        if mark in ("楼", "层", "f") and place + 1 < len(found):
            room = found[place + 1][0]
            if len(room) > len(number) and room.startswith(number):
                continue
        numbers.append(number)
    return tuple(numbers)
