"""What rule files may not hold, and that every fault is named with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from floorwalker.detectors.rules import Limits, Lists, RuleError, RuleTable, document, make_schema
from floorwalker.errors import InputError

SCHEMA = make_schema(
    features=["device_accounts_1d", "account_orders_1d"],
    numbers=["amount_minor", "quantity"],
    texts=["country", "url", "device", "card_issuer_country", "shop"],
)
HEAD = "abuse_type: scraping\nseverity: 0.5\nevents: any\nreason: r\n"


def faults_of(condition: str, **limits: int) -> list[str]:
    """Messages of what is wrong with a condition, each with line and column; empty where it is accepted."""
    text = HEAD + "condition: |\n" + "".join(f"  {line}\n" for line in condition.split("\n"))
    try:
        RuleTable.load({"rule.yaml": text}, schema=SCHEMA, limits=Limits(**limits))
    except RuleError as error:
        return [f"{fault.line - 5}:{fault.column - 2}: {fault.message}" for fault in error.faults]
    return []


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("amont_minor > 5", "1:1: unknown field or feature 'amont_minor' (did you mean 'amount_minor'?)"),
        ("amount_minor > 5\n  AND contry = 'DE'", "2:7: unknown field or feature 'contry' (did you mean 'country'?)"),
        ("lowr(country) = 'de'", "1:1: unknown function 'lowr' (did you mean 'lower'?)"),
        ("quantity > 1 AND round(quantity) > 1", "1:18: unknown function 'round'"),
        ("Country = 'DE'", "1:1: unknown field or feature 'Country' (did you mean 'country'?)"),
        ('"amont_minor" > 5', "1:1: unknown field or feature 'amont_minor'"),
        ("country > 'DE'", "1:1: a text where a number belongs"),
        ("country = 5", "1:1: a text where a number belongs"),
        ("amount_minor LIKE '5%'", "1:1: a number where a text belongs"),
        ("amount_minor = '5'", "1:1: a text where a number belongs"),
        ("country LIKE url", "1:14: a text constant belongs here"),
        ("country", "1:1: a text where a condition belongs"),
        ("1", "1:1: a constant where a condition belongs"),
        ("1 = 1", "1:1: compares two constants"),
        ("amount_minor > 0 OR 'a' = 'a'", "1:1: compares two constants"),
        ("amount_minor > 0 OR TRUE", "1:1: a constant where a condition belongs"),
        ("amount_minor = NULL", "1:1: NULL stands only in IS NULL"),
        ("amount_minor IN (1, NULL)", "1:1: NULL stands only in IS NULL"),
        ("5 IS NULL", "1:1: a constant is never missing"),
        ("amount_minor IS TRUE", "1:1: IS takes NULL only"),
        ("amount_minor IN (quantity)", "1:18: IN takes constants only"),
        ("amount_minor IN (1, 'a')", "1:1: a text where a number belongs"),
        ("(amount_minor > 1) + 1 > 2", "1:2: a condition is not allowed here"),
        ("amount_minor < quantity < 3", "1:1: a condition is not allowed here"),
        ("abs(country) > 1", "1:5: a text where a number belongs"),
        ("length(amount_minor) > 1", "1:8: a number where a text belongs"),
        ("coalesce(country, 5) = 'x'", "1:1: coalesce of texts and numbers"),
        ("least(country, url) = 'x'", "1:1: least of texts and numbers"),
        ("coalesce(amount_minor) > 1", "1:1: coalesce of 1 values, allowed: 2 to 16"),
        ("in_list('dny', device)", "1:1: unknown list 'dny' (did you mean 'deny'?)"),
        ("in_list('deny', amount_minor)", "1:1: in_list takes a text field"),
        ("in_list(device)", "1:1: in_list takes a list and a field"),
        ("amount_minor >", "1:14: not a condition"),
        ("amount_minor > 1 country = 'x'", "1:18: not a condition"),
        ("(amount_minor > 1", "not a condition"),
        ("amount_minor > 1e999", "1:1: not a number that can be reckoned with"),
        ("amount_minor > 'a", "1:1: cannot be read"),
        ("", "1:"),
    ],
)
def test_a_wrong_condition_is_refused_with_its_place(condition: str, expected: str) -> None:
    faults = faults_of(condition)
    assert len(faults) == 1, faults
    assert expected in faults[0]


@pytest.mark.parametrize(
    "condition",
    [
        "amount_minor > (SELECT 1)",
        "amount_minor IN (SELECT amount_minor FROM orders)",
        "EXISTS (SELECT 1)",
        "amount_minor > 1; DROP TABLE decisions",
        "amount_minor > 1 -- and nothing else",
        "amount_minor > 1 /* nothing */",
        "/* nothing */ amount_minor > 1",
        "amount_minor > 1 UNION SELECT 1",
        "CAST(amount_minor AS TEXT) = 'x'",
        "amount_minor::int > 1",
        "country || url = 'x'",
        "CASE WHEN amount_minor > 1 THEN 1 END = 1",
        "pg_sleep(10) > 1",
        "system('id') = 'x'",
        "__import__('os') = 'x'",
        "country.__class__ = 'x'",
        "shop.country = 'x'",
        "$1 = amount_minor",
        ":name = amount_minor",
        "@name = amount_minor",
        "? = amount_minor",
        "amount_minor % 2 = 0",
        "amount_minor & 1 = 1",
        "amount_minor BETWEEN SYMMETRIC 5 AND 1",
        "country LIKE 'a!%' ESCAPE '!'",
        "country ILIKE 'a'",
        "country SIMILAR TO 'a'",
        "country ~ 'a'",
        "amount_minor > ALL (1, 2)",
        "amount_minor IS DISTINCT FROM 1",
        "DATE '2020-01-01' > amount_minor",
        "INTERVAL '1' DAY > amount_minor",
        "abs(DISTINCT amount_minor) > 1",
        "abs(amount_minor) OVER () > 1",
        "amount_minor AS x > 1",
        "count(*) > 1",
        "amount_minor[0] > 1",
        "{fn abs(amount_minor)} > 1",
        "x'41' = country",
        "b'1' = amount_minor",
        "N'x' = country",
        "'a' 'b' = country",
        "amount_minor > 1 LIMIT 1",
        "(amount_minor, quantity) = (1, 2)",
        "(amount_minor, quantity) IN ((1, 2))",
        "coalesce((1, 2), 3) > amount_minor",
        "abs(amount_minor, 2, 3) > 1",
        "starts_with(country) = 1",
        "length(country, 'UTF8') > 1",
        "lower(country, url) = 'x'",
        "amount_minor => 1",
        "amount_minor := 1",
        "amount_minor IN UNNEST(url)",
        "amount_minor IN ()",
        "NOT",
        "AND",
        "\\",
        "amount_minor > 1 \x00",
    ],
)
def test_what_is_no_part_of_the_language_is_refused(condition: str) -> None:
    assert faults_of(condition)


def test_depth_length_and_number_are_bounded() -> None:
    term = "amount_minor > 1"
    assert not faults_of("(" * 24 + term + ")" * 24)
    assert "nested deeper than 24" in faults_of("(" * 25 + term + ")" * 25)[0]
    assert "nested deeper than 24" in faults_of("NOT " * 25 + term)[0]
    assert "nested deeper than 24" in faults_of(f"{'- ' * 25}amount_minor > 1")[0]
    assert "nested deeper" in faults_of("abs(" * 25 + "amount_minor" + ")" * 25 + " > 1")[0]
    assert not faults_of(" OR ".join([term] * 64))
    assert "65 comparisons, allowed: 64" in faults_of(" OR ".join([term] * 65))[0]
    assert "more than 128 AND and OR" in faults_of(" OR ".join(["quantity"] * 200))[0]
    assert "more than 100 signs of arithmetic" in faults_of(" + ".join(["quantity"] * 102) + " > 1")[0]
    assert not faults_of(f"quantity IN ({', '.join(map(str, range(200)))})")
    assert "201 values, allowed: 200" in faults_of(f"quantity IN ({', '.join(map(str, range(201)))})")[0]
    assert "more than 1000 words" in faults_of(f"quantity IN ({','.join('1' * 600)})")[0]
    assert "characters, allowed: 4000" in faults_of(f"country = '{'x' * 5_000}'")[0]
    assert "a constant of 201 characters" in faults_of(f"country = '{'x' * 201}'")[0]
    assert "17 wildcards, allowed: 16" in faults_of(f"country LIKE '{'%x' * 17}'")[0]
    assert "greatest of 17 values" in faults_of(f"greatest({', '.join(['quantity'] * 17)}) > 1")[0]


def test_a_deep_condition_beyond_every_limit_does_not_exhaust_the_interpreter() -> None:
    deep = {"condition_characters": 10**6, "tokens": 10**6, "depth": 10**6, "operators": 10**6, "terms": 10**6}
    assert "not a condition" in faults_of("(" * 20_000 + "quantity > 1" + ")" * 20_000, **deep)[0]


def test_all_faults_of_all_files_are_reported_at_once() -> None:
    files = {
        "scraping/a.yaml": "abuse_type: scrapin\nseverity: 2\nmodus: x\nevents: [ordr]\nreason: '{ammount_minor}'\n"
        "condition: |\n  contry = 'DE'\n  AND lowr(url) = 'x'\n",
        "scraping/b.yaml": HEAD + "condition: quantity > 'x'\n",
        "scraping/c.yaml": HEAD + "condition: quantity > 1\n",
    }
    with pytest.raises(RuleError) as caught:
        RuleTable.load(files, schema=SCHEMA)
    places = [(fault.file, fault.line, fault.column) for fault in caught.value.faults]
    assert places == [
        ("scraping/a.yaml", 1, 13), ("scraping/a.yaml", 2, 11), ("scraping/a.yaml", 3, 1), ("scraping/a.yaml", 4, 10),
        ("scraping/a.yaml", 5, 9), ("scraping/a.yaml", 7, 3), ("scraping/a.yaml", 8, 7), ("scraping/b.yaml", 5, 12),
    ]  # fmt: skip
    assert str(caught.value).startswith("8 faults in the rules:\nscraping/a.yaml:1:13: ")


@pytest.mark.parametrize(
    ("written", "line", "column"),
    [
        ("condition: quantity > 1 AND contry = 'a'", 5, 29),
        ("condition: 'quantity > 1 AND contry = ''a'' '", 5, 30),
        ("condition: 'country = ''a'' AND contry = ''a'' '", 5, 33),
        ("condition: \"quantity > 1 AND contry = 'a'\"", 5, 30),
        ("condition: >\n  quantity > 1\n  AND contry = 'a'", 7, 7),
        ("condition: |  # a remark\n\n    quantity > 1\n\n    AND contry = 'a'", 9, 9),
        ("condition:\n  quantity > 1\n  AND contry = 'a'", 7, 7),
        ("# 微信 é\ncondition: country = '微信' AND contry = 'a'", 6, 31),
    ],
)
def test_places_are_right_in_every_way_to_write_a_text(written: str, line: int, column: int) -> None:
    with pytest.raises(RuleError) as caught:
        RuleTable.load({"rule.yaml": HEAD + written + "\n"}, schema=SCHEMA)
    assert [(fault.line, fault.column) for fault in caught.value.faults] == [(line, column)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("- a\n- b\n", "the file holds no mapping"),
        ("just words", "the file holds no mapping"),
        (HEAD + "condition: quantity > 1\n---\na: b\n", "a second document"),
        (HEAD + "severity: 0.7\ncondition: quantity > 1\n", "'severity' is given twice"),
        ("a: &x [1]\nb: *x\n", "anchors and aliases"),
        ("a: !!python/object/apply:os.system ['id']\n", "the tag"),
        ("a: !!int 5\n", "the tag"),
        ("? [a]\n: b\n", "a key must be a name"),
        ("a: [1\n", "not YAML"),
        ("a: \x07\n", "not YAML"),
        ("a: " + "[" * 50 + "]" * 50, "nested deeper than 8"),
        ("a: " + "[" * 30_000, "nested deeper than 8"),
        ("a: [" + "1," * 6_000 + "]", "more than 5000 values"),
        ("a: " + "x" * 70_000, "allowed: 65536"),
        (HEAD, "'condition' is missing"),
        (HEAD + "condition: 5\n", "the condition must be a text"),
        (HEAD + "condition: [a]\n", "the condition must be a text"),
        (HEAD.replace("0.5", "true") + "condition: quantity > 1\n", "severity is true"),
        (HEAD.replace("0.5", "0") + "condition: quantity > 1\n", "severity is 0, allowed: 0 < severity <= 1"),
        (HEAD.replace("0.5", ".nan") + "condition: quantity > 1\n", "severity is .nan"),
        (HEAD.replace("any", "[]") + "condition: quantity > 1\n", "events must be a list"),
        (HEAD.replace("any", "[order, order]") + "condition: quantity > 1\n", "given twice"),
        (HEAD + "mode: on\ncondition: quantity > 1\n", "mode is 'on', allowed: active, shadow"),
        (HEAD.replace("reason: r", "reason: '{quantity'") + "condition: quantity > 1\n", "not a template"),
        (HEAD.replace("reason: r", "reason: '{quantity.real}'") + "condition: quantity > 1\n", "unknown field"),
        (HEAD.replace("reason: r", "reason: '{quantity!r}'") + "condition: quantity > 1\n", "the format"),
        (HEAD.replace("reason: r", "reason: '{quantity:>999999}'") + "condition: quantity > 1\n", "the format"),
        (HEAD.replace("reason: r", "reason: '{quantity:{quantity}}'") + "condition: quantity > 1\n", "the format"),
        (HEAD.replace("reason: r", "reason: '{country:.2f}'") + "condition: quantity > 1\n", "which is a text"),
        (HEAD.replace("reason: r", "reason: '{0}'") + "condition: quantity > 1\n", "unknown field"),
        (HEAD.replace("reason: r", "reason: '{}'") + "condition: quantity > 1\n", "unknown field"),
        (HEAD.replace("reason: r", f"reason: {'r' * 500}") + "condition: quantity > 1\n", "allowed: 400"),
    ],
)
def test_a_wrong_file_is_refused(text: str, message: str) -> None:
    with pytest.raises(RuleError) as caught:
        RuleTable.load({"rule.yaml": text}, schema=SCHEMA)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("cases", "message"),
    [
        ("cases: 5", "cases must hold"),
        ("cases: {fire: []}", "unknown kind of case 'fire' (did you mean 'fires'?)"),
        ("cases: {fires: 5}", "fires must be a list"),
        ("cases: {fires: [5]}", "a case holds why and given"),
        ("cases: {fires: [{given: {quantity: 2}}]}", "says in why"),
        ("cases: {fires: [{why: x, given: {}}]}", "the case gives no value for quantity"),
        ("cases: {fires: [{why: x, given: {quantiti: 2, quantity: 2}}]}", "(did you mean 'quantity'?)"),
        ("cases: {fires: [{why: x, given: {quantity: two}}]}", "quantity is 'two', allowed: a number or null"),
        ("cases: {fires: [{why: x, given: {quantity: [2]}}]}", "quantity must be one value"),
        ("cases: {fires: [{why: x, event: ordre, given: {quantity: 2}}]}", "unknown event type 'ordre'"),
        ("cases: {fires: [{why: x, lists: {dny: {}}, given: {quantity: 2}}]}", "unknown list 'dny'"),
        ("cases: {fires: [{why: x, lists: {deny: {quantity: [a]}}, given: {quantity: 2}}]}", "is no text field"),
    ],
)
def test_a_wrong_case_is_refused(cases: str, message: str) -> None:
    with pytest.raises(RuleError) as caught:
        RuleTable.load({"rule.yaml": HEAD + f"condition: quantity > 1\n{cases}\n"}, schema=SCHEMA)
    assert message in str(caught.value)


def test_files_are_read_with_care(tmp_path: Path) -> None:
    good = HEAD + "condition: quantity > 1\n"
    (tmp_path / "scraping").mkdir()
    (tmp_path / "scraping" / "good.yaml").write_text("\ufeff" + good, "utf-8")
    (tmp_path / ".hidden.yaml").write_text("nonsense", "utf-8")
    (tmp_path / "notes.txt").write_text("nonsense", "utf-8")
    assert [rule.id for rule in RuleTable.load(tmp_path, schema=SCHEMA).rules] == ["scraping.good"]
    (tmp_path / "old.yml").write_text(good, "utf-8")
    (tmp_path / "Bad Name.yaml").write_text(good, "utf-8")
    (tmp_path / "latin.yaml").write_bytes(b"reason: \xff\n")
    (tmp_path / "large.yaml").write_bytes(b" " * 300_000)
    with pytest.raises(RuleError) as caught:
        RuleTable.load(tmp_path, schema=SCHEMA)
    assert [(fault.file, fault.message.split(";")[0][:30]) for fault in caught.value.faults] == [
        ("Bad Name.yaml", "the path is the rule's id"),
        ("large.yaml", "the file is too large, allowed"),
        ("latin.yaml", "cannot be read as UTF-8: 'utf-"),
        ("old.yml", "rule files end in .yaml"),
    ]
    with pytest.raises(InputError, match="no folder of rules"):
        RuleTable.load(tmp_path / "nowhere", schema=SCHEMA)
    with pytest.raises(InputError, match="more than 3 rule files"):
        RuleTable.load(tmp_path, schema=SCHEMA, limits=Limits(rules=3))


def test_two_files_of_one_id_are_refused() -> None:
    good = HEAD + "condition: quantity > 1\n"
    with pytest.raises(RuleError, match=r"the rule 'a\.b' is also in a\.b\.yaml|also in a/b\.yaml"):
        RuleTable.load({"a/b.yaml": good, "a.b.yaml": good}, schema=SCHEMA)


def test_patterns_of_all_rules_together_are_bounded() -> None:
    files = {f"r{n}.yaml": HEAD + f"condition: country IN ('a{n}', 'b{n}', 'c{n}')\n" for n in range(4)}
    RuleTable.load(files, schema=SCHEMA, limits=Limits(patterns=12))
    with pytest.raises(RuleError, match="12 text constants and patterns in all rules, allowed: 11"):
        RuleTable.load(files, schema=SCHEMA, limits=Limits(patterns=11))


def test_a_list_of_the_installation_may_be_asked() -> None:
    text = HEAD + "condition: in_list('resellers', device)\n"
    with pytest.raises(RuleError, match="unknown list 'resellers'"):
        RuleTable.load({"r.yaml": text}, schema=SCHEMA)
    assert len(RuleTable.load({"r.yaml": text}, schema=SCHEMA, lists=Lists(names=["resellers"]))) == 1


@pytest.mark.parametrize("loader", ["CSafeLoader", "SafeLoader"])
def test_both_readers_of_yaml_say_the_same(loader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(yaml, loader):
        pytest.skip("PyYAML was built without libyaml")
    monkeypatch.setattr(document, "_LOADER", getattr(yaml, loader))
    text = HEAD + "# 微信\ncondition: >-\n  quantity > 1\n  AND contry = 'é'\nmode: [on\n"
    with pytest.raises(RuleError, match=r"rule.yaml:10:1: not YAML"):
        RuleTable.load({"rule.yaml": text}, schema=SCHEMA)
    with pytest.raises(RuleError) as caught:
        RuleTable.load({"rule.yaml": text.replace("mode: [on", "mode: on")}, schema=SCHEMA)
    assert [(fault.line, fault.column) for fault in caught.value.faults] == [(8, 7), (9, 7)]
    for given in ("a: &x 1", "a: !t 1", "- 1", "a: 1\n---\na: 2", ""):
        with pytest.raises(RuleError):
            RuleTable.load({"rule.yaml": given}, schema=SCHEMA)


@pytest.mark.parametrize("opened", ["- ", "abs(", "- abs(", "length(lower(", "coalesce(1, ", "NOT ", "NOT ("])
def test_what_is_nested_grows_with_its_depth_and_no_faster(opened: str) -> None:
    shut = ")" * opened.count("(")
    inner = "quantity > 1" if opened.startswith("NOT") else "url" if "lower" in opened else "quantity"
    outer = "" if opened.startswith("NOT") else " > 1"
    depth = 1 if "length" in opened else 20
    text = HEAD + f"condition: '{opened * depth}{inner}{shut * depth}{outer}'\n"
    (rule,) = RuleTable.load({"rule.yaml": text}, schema=SCHEMA).rules
    assert len(repr(rule.condition)) < 200 * (depth + 2)
