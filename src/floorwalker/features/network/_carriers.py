"""Mobile carriers: thousands of people behind one address, so such an address is never blocked.

Allocations that the carriers hold for their mobile customers, as they stand in the registries of RIPE, ARIN,
APNIC, LACNIC and AFRINIC. The list is a start, not the whole world; `--networks FILE` adds the carriers of a
shop's own country.
"""

from __future__ import annotations

from floorwalker.features.network._published import Block

CARRIERS: tuple[Block, ...] = (
    ("carrier", "T-Mobile US", "172.32.0.0/11 208.54.0.0/17 66.94.0.0/19 2607:fb90::/32 2607:fb91::/32"),
    ("carrier", "Verizon Wireless", "70.192.0.0/11 174.192.0.0/10 97.128.0.0/9 2600:1000::/28"),
    ("carrier", "AT&T Mobility", "107.64.0.0/10 2600:380::/28"),
    (
        "carrier",
        "Reliance Jio",
        "49.32.0.0/12 157.32.0.0/12 132.154.0.0/16 152.56.0.0/14 2405:200::/29 2409:4000::/22",
    ),
    ("carrier", "Bharti Airtel", "106.192.0.0/11 223.176.0.0/12 223.224.0.0/12 27.56.0.0/14 2401:4900::/32"),
    ("carrier", "Vodafone Idea", "42.104.0.0/13 1.38.0.0/15 2402:3a80::/32 2402:8100::/32"),
    ("carrier", "Irancell", "5.112.0.0/12"),
    (
        "carrier",
        "MCI Iran",
        "5.208.0.0/13 5.216.0.0/15 5.218.0.0/16 83.120.0.0/14 89.196.0.0/16 89.198.0.0/15 37.129.0.0/16 "
        "91.251.0.0/16 93.110.0.0/16 204.18.0.0/16 192.15.0.0/16 5.106.0.0/16 5.52.0.0/16",
    ),
    ("carrier", "RighTel", "5.72.0.0/15 37.137.0.0/16 95.162.0.0/16 5.62.192.0/18 5.134.128.0/18"),
    ("carrier", "Vodafone Germany mobile", "109.40.0.0/13 2a00:20::/32"),
    ("carrier", "Telekom Deutschland mobile", "80.187.0.0/16 2a01:598::/31"),
    ("carrier", "O2 Germany mobile", "89.204.128.0/19 82.113.96.0/19 176.0.0.0/13"),
    ("carrier", "O2 UK", "82.132.128.0/17 2a01:4c8::/29"),
    ("carrier", "EE", "31.94.0.0/16 2a00:23ee::/32"),
    ("carrier", "Three UK", "92.40.0.0/15 188.28.0.0/14"),
    ("carrier", "Free Mobile", "37.160.0.0/12 2a0d:e480::/29"),
    ("carrier", "Turkcell", "178.240.0.0/13 5.24.0.0/14"),
    ("carrier", "TT Mobil", "46.104.0.0/16"),
    ("carrier", "MTS", "213.87.0.0/16 85.140.0.0/15"),
    ("carrier", "T2 Russia", "176.59.0.0/16"),
    ("carrier", "MegaFon", "31.173.0.0/16 83.149.0.0/18 178.176.0.0/14"),
    (
        "carrier",
        "China Mobile",
        "39.128.0.0/10 111.0.0.0/10 112.0.0.0/10 117.128.0.0/10 120.192.0.0/10 183.192.0.0/10 "
        "223.64.0.0/11 2409:8000::/20",
    ),
    ("carrier", "NTT Docomo", "1.72.0.0/13 49.96.0.0/14"),
    ("carrier", "KDDI au", "27.80.0.0/12 106.128.0.0/12 111.104.0.0/14"),
    ("carrier", "SK Telecom", "27.160.0.0/12 27.176.0.0/13 203.226.192.0/19 223.32.0.0/11"),
    ("carrier", "KT mobile", "39.7.0.0/16 110.70.0.0/16 175.223.0.0/16"),
    ("carrier", "Telkomsel", "114.120.0.0/13 182.0.0.0/12"),
    ("carrier", "Indosat", "114.4.0.0/14 114.8.0.0/13"),
    ("carrier", "Globe Telecom", "110.54.128.0/17 112.198.0.0/16"),
    ("carrier", "Viettel", "27.64.0.0/12 171.224.0.0/11"),
    ("carrier", "AIS", "49.228.0.0/14 2001:44c8::/32"),
    ("carrier", "Telstra mobile", "1.120.0.0/13"),
    ("carrier", "Optus mobile", "49.176.0.0/12"),
    ("carrier", "Vodafone Australia", "120.16.0.0/13"),
    ("carrier", "Vodacom", "41.0.0.0/13"),
    ("carrier", "MTN", "41.112.0.0/13 197.64.0.0/12"),
    ("carrier", "Safaricom", "105.160.0.0/13 41.80.0.0/15 41.90.0.0/16 196.96.0.0/12"),
    ("carrier", "Vivo Brazil mobile", "177.24.0.0/14 179.80.0.0/12 191.16.0.0/12"),
    ("carrier", "Claro Brazil mobile", "177.56.0.0/14"),
    ("carrier", "Telcel", "200.68.128.0/19"),
)
