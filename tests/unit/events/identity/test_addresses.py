"""Spellings of one door fall together, doors of neighbours do not."""

from __future__ import annotations

from itertools import combinations

import pytest

from floorwalker.events.event import Address
from floorwalker.events.identity.addresses import Place, read_address


def point_of(written: str, code: str | None = None, country: str | None = None, city: str | None = None) -> str | None:
    return read_address(Address(street=written, postal_code=code, country=country, city=city)).point


@pytest.mark.parametrize(
    ("code", "country", "spellings"),
    [
        (
            "LS1 4AP",
            "GB",
            [
                "Flat 3, 12 High St.",
                "12 High Street Apt 3",
                "12 HIGH STREET, FLAT 3",
                "12 High Street, Apartment #3, Leeds",
                "12, High Street, Unit 3",
                "3/12 High St",
                "12 Hihg Street, flat three",
                "１２ Ｈｉｇｈ Street Flat ３",
                "12 High St apt.3 xq7z",
                "12 High Street Flat No. 3",
                "Flat 3 12 High Street",
                "12 High Street (Apt 3)",
                "12 High Street-Apt3",
                "House 12, High Street, Flat 3",
                "012 High Street Flat 03",
                "12 High Street Flat 3 Flat 3",
            ],
        ),
        ("LS1 4AP", "GB", ["Flat B, 10 High Street", "10 High Street, Flat B", "10b High Street", "10 B High Street"]),
        ("LS1 4AP", "GB", ["PO Box 123", "P.O. Box 123", "Post Office Box 123"]),
        (
            "62701",
            "US",
            [
                "1600 N Main St Apt 4B",
                "1600 North Main Street #4B",
                "1600 N. Main St., Unit 4-B",
                "Apt 4B, 1600 North Main Street",
                "1600 N Mian St, Apt. 4 B",
            ],
        ),
        ("10118", "US", ["350 5th Ave Fl 2", "350 5th Avenue, 2nd Floor", "350 Fifth Avenue, Floor 2"]),
        (
            "20500",
            "US",
            ["1600 Pennsylvania Ave NW", "1600 Pensylvania Avenue Northwest", "1600 Pennsilvania Ave N.W."],
        ),
        ("10115", "DE", ["Hauptstraße 12", "Hauptstr. 12", "HAUPTSTRASSE 12", "Haupt Str. 12", "Hauptstr 12 Berlin"]),
        ("80331", "DE", ["Musterstraße 7a", "Musterstr. 7 a", "Muster Strasse 7A"]),
        ("75002", "FR", ["12 rue de la Paix", "12, Rue de la Paix", "12 r. de la Paix"]),
        ("28013", "ES", ["Calle Mayor 5, 2º B", "C/ Mayor 5 2B", "C. Mayor nº 5, 2-B"]),
        ("3000", "AU", ["5/22 Kings Road", "Unit 5, 22 Kings Rd", "22 Kings Road Unit 5", "U5 22 Kings Rd"]),
        ("10115", "DE", ["Packstation 145", "Packstation Nr. 145"]),
        (
            None,
            "CN",
            [
                "浙江省杭州市西湖区文三路12号3幢2单元501室",
                "浙江杭州西湖区文三路12号3栋2单元501",
                "杭州市西湖區文三路１２號３棟２單元５０１室",
                "浙江省 杭州市 西湖区 文三路十二号三幢二单元五〇一室",
                "杭州文三路12号3号楼2单元5楼501室",
                "杭州市文三路12号3#2-501",
                "杭州市西湖区翠苑街道文三路12号3-2-501",
            ],
        ),
        (
            None,
            "CN",
            [
                "北京市海淀区中关村大街27号中关村大厦1001室",
                "北京海淀区中关村大街27号1001",
                "北京市北京市海淀区中关村大街27号10层1001室",
            ],
        ),
        (
            None,
            "CN",
            [
                "广东省深圳市南山区阳光花园3栋B座1502",
                "深圳市南山区阳光花园小区3栋b座1502室",
                "深圳南山区阳光花园3幢B座15楼1502",
            ],
        ),
        (None, "CN", ["成都市武侯区天府大道北段1700号3-1-1205", "四川成都天府大道北段1700號3棟1單元1205"]),
        (None, "TW", ["台北市大安區忠孝東路四段100號5樓之3", "臺北市大安區忠孝東路4段１００號５樓之３"]),
    ],
)
def test_spellings_of_one_door_have_one_point(code: str | None, country: str, spellings: list[str]) -> None:
    points = {written: point_of(written, code, country) for written in spellings}
    assert None not in points.values()
    assert len(set(points.values())) == 1, points


def test_fields_and_one_text_fall_together() -> None:
    fields = Address(street="12 High St", extra="Flat 3", city="Leeds", postal_code="LS1 4AP", country="GB")
    text = Address(text="Flat 3, 12 High Street, Leeds LS1 4AP", country="GB")
    assert read_address(fields).point == read_address(text).point
    fields = Address(region="浙江省", city="杭州市", district="西湖区", street="文三路12号3幢2单元501室", country="CN")
    text = Address(text="浙江省杭州市西湖区文三路12号3幢2单元501室")
    assert read_address(fields).point == read_address(text).point


NEIGHBOURS = [
    *[
        (written, "LS1 4AP", "GB")
        for written in (
            "1 High St",
            "2 High St",
            "Flat 1, 2 High St",
            "Flat 2, 1 High St",
            "Flat 1a, 2 High St",
            "Flat 1b, 2 High St",
        )
    ],
    ("1 High St", "LS1 4AQ", "GB"),
    *[
        (written, "62701", "US")
        for written in (
            "12 Oak St",
            "12 Elm St",
            "12 Oak St Apt 1",
            "12 N Oak St",
            "12 S Oak St",
            "12 1st Ave",
            "12 2nd Ave",
            "Building A, 5 Main St",
            "Building B, 5 Main St",
            "5 Main St 2nd floor",
            "5 Main St 3rd floor",
        )
    ],
    *[(written, "80331", "DE") for written in ("Gartenweg 3", "Gartenweg 4", "Rosenweg 3")],
    *[
        (written, None, "CN")
        for written in (
            "四川省成都市武侯区天府大道北段1700号",
            "四川省成都市武侯区天府大道中段1700号",
            "成都市武侯区天府大道北段1701号",
            "成都市天府三街199号2栋1001",
            "成都市天府四街199号2栋1001",
            "成都市天府三街199号2栋1002",
            "成都市天府三街199号1栋1001",
            "北京市朝阳区建国路88号10号楼1单元2001",
            "北京市朝阳区建国路88号10号楼2单元2001",
            "上海市静安区南京西路1266号",
            "上海市黄浦区南京东路1266号",
            "上海市闵行区沪闵路1266弄5号301",
            "深圳市南山区阳光花园3栋B座1502",
            "深圳市南山区月亮花园3栋B座1502",
            "海南省三亚市天涯区解放路1号",
            "福建省三明市梅列区解放路1号",
        )
    ],
]


def test_neighbours_have_different_points() -> None:
    points = [(written, point_of(written, code, country)) for written, code, country in NEIGHBOURS]
    assert all(point is not None for _, point in points)
    same = [(a[0], b[0]) for a, b in combinations(points, 2) if a[1] == b[1]]
    assert same == []


@pytest.mark.parametrize(
    ("address", "is_pickup"),
    [
        (Address(street="Packstation 145", postal_code="10115", country="DE"), True),
        (Address(street="InPost Locker 7, 3 Mill Lane", postal_code="LS1 4AP", country="GB"), True),
        (Address(text="杭州市西湖区文三路12号菜鸟驿站"), True),
        (Address(text="深圳市南山区阳光花园丰巢快递柜3号"), True),
        (Address(street="12 Post Street", postal_code="LS1 4AP", country="GB"), False),
    ],
)
def test_pickup_points_are_recognised(address: Address, is_pickup: bool) -> None:
    assert read_address(address).is_pickup is is_pickup


def test_too_little_makes_no_point() -> None:
    assert read_address(Address()) == Place("|||", None, None, False)
    assert point_of("somewhere", None, "GB", "York") is None
    assert point_of("12 High Street") is None
    assert read_address(Address(name="Jane Doe", country="GB")).point is None


def test_the_area_is_coarse() -> None:
    assert read_address(Address(street="12 High St", postal_code="LS1 4AP", country="GB")).area == "GB:LS1"
    assert read_address(Address(street="12 Oak St", postal_code="62701-0001", country="US")).area == "US:627"
    assert read_address(Address(text="杭州市西湖区文三路12号")).area == "CN:杭州"
