"""Every format parses its own examples, and is recognised by them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from floorwalker.errors import InputError
from floorwalker.events.requests import METHODS, RequestBatch
from floorwalker.sources.access_log import AccessLog, list_formats
from floorwalker.sources.access_log.formats import load_format


def read(path: Path, text: str | bytes, **options: object) -> tuple[AccessLog, RequestBatch]:
    """The log that these bytes make, read to its end, and its one batch."""
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    log = AccessLog([path], **options)  # type: ignore[arg-type]
    batches = list(log.batches())
    assert len(batches) == 1
    return log, batches[0]


@pytest.mark.parametrize("format_id", list_formats())
def test_examples_are_recognised_and_parsed(format_id: str, tmp_path: Path) -> None:
    part = load_format(format_id)
    examples = part.examples
    headers = [line for line in examples if line.startswith("#")]
    for line in examples:
        if line.startswith("#"):
            continue
        log, batch = read(tmp_path / "a.log", "\n".join([*headers, line]) + "\n")
        assert log.format.id == format_id, line
        assert part.title in log.format.note
        assert log.requests == len(batch) == 1
        target = log.tables.target.text(int(batch.target[0]))
        assert target.startswith("/"), line
        assert METHODS[batch.method[0]] in {"GET", "POST"}
        assert batch.status[0] == 200
        assert 1_500_000_000_000_000 < batch.at[0] < 1_800_000_000_000_000
        if not line.startswith("- -"):
            assert log.tables.client.text(int(batch.client[0])) in {"192.0.2.7", "2001:db8::7"}


def test_combined_columns(tmp_path: Path) -> None:
    line = (
        '198.51.100.4 - - [22/Jan/2019:03:56:14 +0330] "POST /cart?x=1 HTTP/1.1" 302 30577 '
        '"https://Shop.Example:8443/a?b" "Mozilla/5.0 \\"quoted\\" \\x5Cslash"\n'
    )
    log, batch = read(tmp_path / "a.log", line)
    assert batch.at[0] == 1548116774000000
    assert batch.utc_offset[0] == 210
    assert METHODS[batch.method[0]] == "POST"
    assert batch.status[0] == 302
    assert batch.size[0] == 30577
    assert log.tables.target.text(batch.target[0]) == "/cart?x=1"
    assert log.tables.referrer_host.text(batch.referrer_host[0]) == "shop.example"
    assert log.tables.user_agent.text(batch.user_agent[0]) == 'Mozilla/5.0 "quoted" \\slash'
    assert batch.host[0] == -1
    assert batch.session[0] == -1


def test_json_escapes_and_nesting(tmp_path: Path) -> None:
    record = {
        "ts": 1719958980.5,
        "request": {
            "remote_ip": "2001:DB8:0::7",
            "method": "GET",
            "host": "Shop.example:443",
            "uri": '/größe/"x"',
            "headers": {"Accept": ["a", "b"], "User-Agent": ["Möz\\illa 🛒", "second"], "X": [{"User-Agent": "no"}]},
        },
        "status": 404,
        "size": 7,
        "resp_headers": {"User-Agent": ["wrong"]},
    }
    log, batch = read(tmp_path / "a.log", json.dumps(record) + "\n")
    assert log.format.id == "caddy"
    assert log.tables.target.text(batch.target[0]) == '/größe/"x"'
    assert log.tables.user_agent.text(batch.user_agent[0]) == "Möz\\illa 🛒"
    assert log.tables.host.text(batch.host[0]) == "shop.example"
    assert log.tables.client.text(batch.client[0]) == "2001:db8::7"
    assert batch.at[0] == 1719958980500000


def test_cloudfront_joins_query_and_decodes_user_agent(tmp_path: Path) -> None:
    part = load_format("cloudfront")
    log, batch = read(tmp_path / "a.log", "\n".join(part.examples).replace("%20(X11)", "%2520(X11)"))
    assert log.tables.target.text(batch.target[0]) == "/cart?id=7"
    assert log.tables.user_agent.text(batch.user_agent[0]) == "Mozilla/5.0 (X11)"
    assert log.tables.host.text(batch.host[0]) == "shop.example"
    assert log.lines == 3
    assert {reason: count for reason, count, *_ in log.cleaned} == {"comment or header line": 2}


def test_haproxy_captured_headers(tmp_path: Path) -> None:
    log, batch = read(tmp_path / "a.log", load_format("haproxy").examples[0])
    assert log.tables.user_agent.text(batch.user_agent[0]) == "Mozilla/5.0 (X11)"
    assert log.tables.host.text(batch.host[0]) == "shop.example"
    assert batch.at[0] % 1_000_000 == 655_000


def test_absolute_targets_of_a_balancer_give_the_host(tmp_path: Path) -> None:
    log, batch = read(tmp_path / "a.log", load_format("aws_alb").examples[0])
    assert log.tables.target.text(batch.target[0]) == "/cart?x=1"
    assert log.tables.host.text(batch.host[0]) == "shop.example"


@pytest.mark.parametrize(
    ("template", "line"),
    [
        (
            '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
            '"$http_user_agent" rt=$request_time',
            '192.0.2.7 - - [22/Jan/2019:03:56:14 +0330] "GET /a HTTP/1.1" 200 5 "UA" rt=0.004',
        ),
        (
            "log_format main '$time_iso8601|$remote_addr|$request_method|'\n"
            "  '$request_uri|$status|$bytes_sent|$http_user_agent';",
            "2019-01-22T03:56:14+03:30|192.0.2.7|GET|/a|200|5|UA",
        ),
        (
            '{"t":"$msec","ip":"$remote_addr","m":"$request_method","u":"$uri$is_args$args","ua":"$http_user_agent","s":$status,'
            '"b":$body_bytes_sent}',
            '{"t":"1548116774.000","ip":"192.0.2.7","m":"GET","u":"/a","ua":"UA","s":200,"b":5}',
        ),
        (
            '%v %h %l %u %t "%r" %>s %b "%{User-Agent}i" %D',
            'a.example 192.0.2.7 - - [22/Jan/2019:03:56:14 +0330] "GET /a HTTP/1.1" 200 5 "UA" 7',
        ),
        (
            'LogFormat "%{%Y-%m-%dT%H:%M:%S%z}t %a %m %U%q %>s %B \\"%{User-Agent}i\\"" mine',
            '2019-01-22T03:56:14+0330 192.0.2.7 GET /a 200 5 "UA"',
        ),
        (
            "$time_local $remote_addr $request_method $request_uri $status $body_bytes_sent $http_user_agent",
            "22/Jan/2019:03:56:14 +0330 192.0.2.7 GET /a 200 5 UA",
        ),
        (
            '$remote_addr [$time_local] "$request_method $scheme://$host$request_uri" $status '
            '$body_bytes_sent "$http_user_agent"',
            '192.0.2.7 [22/Jan/2019:03:56:14 +0330] "GET https://a.example/a" 200 5 "UA"',
        ),
    ],
)
def test_custom_formats(template: str, line: str, tmp_path: Path) -> None:
    log, batch = read(tmp_path / "a.log", line + "\n", log_format=template)
    assert log.format.id == "custom"
    assert log.tables.client.text(batch.client[0]) == "192.0.2.7"
    assert log.tables.target.text(batch.target[0]) == "/a"
    assert log.tables.user_agent.text(batch.user_agent[0]) == "UA"
    assert (batch.status[0], batch.size[0], batch.at[0]) == (200, 5, 1548116774000000)


ADDRESSES = [
    ("192.0.2.9:51234", "192.0.2.9"),
    ("2001:db8::1:443", "2001:db8::1"),
    ("2001:db8::1:51234", "2001:db8::1"),
    ("2001:db8:0:0:0:0:0:1:80", "2001:db8::1"),
    ("[2001:db8::1]:80", "2001:db8::1"),
    ("::ffff:192.0.2.9:80", "192.0.2.9"),
    ("::1:1", "::1"),
]


@pytest.mark.parametrize(("logged", "client"), ADDRESSES)
@pytest.mark.parametrize("format_id", ["haproxy", "aws_alb", "aws_elb"])
def test_a_port_always_stands_behind_a_balancers_client(
    format_id: str, logged: str, client: str, tmp_path: Path
) -> None:
    line = load_format(format_id).examples[0].replace("192.0.2.7:2817", logged).replace("192.0.2.7:33317", logged)
    assert logged in line
    log, batch = read(tmp_path / "a.log", line + "\n")
    assert log.format.id == format_id
    assert log.tables.client.text(int(batch.client[0])) == client


@pytest.mark.parametrize(("logged", "client"), ADDRESSES)
@pytest.mark.parametrize(
    "template",
    ['$remote_addr:$remote_port [$time_iso8601] "$request" $status', '%a:%{remote}p [%{%FT%T%z}t] "%r" %>s'],
)
def test_a_format_string_may_put_a_port_behind_the_client(
    template: str, logged: str, client: str, tmp_path: Path
) -> None:
    line = f'{logged} [2024-07-02T22:23:00+00:00] "GET /cart HTTP/1.1" 200\n'
    log, batch = read(tmp_path / "a.log", line, log_format=template)
    assert log.tables.client.text(int(batch.client[0])) == client


def test_elsewhere_the_last_part_of_an_address_is_no_port(tmp_path: Path) -> None:
    line = load_format("combined").examples[0].replace("192.0.2.7", "2001:db8::1:443")
    log, batch = read(tmp_path / "a.log", line + "\n")
    assert log.tables.client.text(int(batch.client[0])) == "2001:db8::1:443"


def test_how_many_lines_fit_is_said_in_words(tmp_path: Path) -> None:
    line = load_format("combined").examples[0] + "\n"
    for text, note in ((line, "its only line fits"), (line * 2, "2 of the first 2 lines fit")):
        for log_format in (None, "combined"):
            assert read(tmp_path / "a.log", text, log_format=log_format)[0].format.note.endswith(note)


LINE = '192.0.2.7 - - [22/Jan/2019:03:56:14 +0330] "GET /cart HTTP/1.1" 200 5 "-" "Mozilla/5.0 (X11)"'


@pytest.mark.parametrize("host", ["", "shop.example:443 "])
@pytest.mark.parametrize(
    ("behind", "is_forwarded"),
    [
        (' "198.51.100.4, 192.0.2.7"', True),
        (' "-"', True),
        (' "garbage, 198.51.100.4" 0.003', True),
        (' 41 "shop@docker" "http://192.0.2.9:80" 3ms', False),
        (' "0.003" "-" "shop.example"', False),
        (' "shop.example" rt=0.003', False),
        (" 0.003 0.002 198.51.100.1:8080", False),
        ("", False),
    ],
)
def test_only_addresses_behind_the_user_agent_are_forwarded_addresses(
    host: str, behind: str, is_forwarded: bool, tmp_path: Path
) -> None:
    log, batch = read(tmp_path / "a.log", (host + LINE + behind + "\n") * 3)
    assert ("forwarded" in log.format.note) == is_forwarded
    assert log.tables.user_agent.text(int(batch.user_agent[0])) == "Mozilla/5.0 (X11)"
    trusting = AccessLog([tmp_path / "a.log"], trusted_proxies=["192.0.2.7"])
    client = next(iter(trusting.batches())).client[0]
    forwarded = is_forwarded and behind != ' "-"'
    assert trusting.tables.client.text(int(client)) == ("198.51.100.4" if forwarded else "192.0.2.7")


def test_caddy_knows_its_own_proxies(tmp_path: Path) -> None:
    line = load_format("caddy").examples[0]
    behind_proxy = line.replace('"remote_ip":"192.0.2.7"', '"remote_ip":"10.0.0.5"')
    older = behind_proxy.replace('"client_ip":"192.0.2.7",', "")
    for text, client in ((line, "192.0.2.7"), (behind_proxy, "192.0.2.7"), (older, "10.0.0.5")):
        log, batch = read(tmp_path / "a.log", text + "\n")
        assert log.format.id == "caddy"
        assert log.tables.client.text(int(batch.client[0])) == client


def test_caddys_wall_clock_is_read(tmp_path: Path) -> None:
    line = load_format("caddy").examples[0].replace("1719958980.1253", '"2024/07/02 22:23:00.125"')
    log, batch = read(tmp_path / "a.log", line + "\n")
    assert log.format.id == "caddy"
    assert batch.at[0] == 1719958980125000


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        (json.dumps({"log": LINE + "\n", "stream": "stdout"}), "jq -j .log"),
        ("[" + ",".join([json.dumps({"ClientIP": "192.0.2.7"})] * 9000) + "]", "jq -c '.[]'"),
        (" ".join([LINE] * 2000), "one request a line"),
        ('2021/11/04 00:00:01 [error] 12#12: *7 open() "/x" failed, request: "GET /x HTTP/1.1"', "error log"),
        ("[Fri Sep 09 10:42:29.902022 2011] [core:error] [pid 35708:tid 4328636416] AH00037: no file", "error log"),
        ('{"at":"2024-07-02T22:23:00Z","who":"192.0.2.7","what":"GET / HTTP/1.1"}', '{"t":"$msec"'),
        ("192.0.2.7\t2024-07-02T22:23:00Z\tGET\t/cart", "log_format string"),
    ],
)
def test_what_no_format_fits_gets_advice(text: str, advice: str, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(text + "\n")
    with pytest.raises(InputError) as caught:
        AccessLog([tmp_path / "a.log"])
    assert advice in caught.value.fix
