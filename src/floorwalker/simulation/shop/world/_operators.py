"""Who runs networks: internet providers, carriers, gateways, rented servers, with the blocks that they hold.

Blocks are public ones that registries show for such operators, so that lists of networks say the right thing of them;
the operators' names are invented. First octets are few: a block stands for one /16 or a run of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["residential", "mobile", "business", "education", "hosting", "vpn", "relay"]


@dataclass(frozen=True)
class Operator:
    """One operator of networks.

    Parameters
    ----------
    kind, country, asn, organisation : as in `floorwalker.events.event.NetworkFacts`.
    blocks : IPv4, `first address/length` with a length of at most 16.
    weight : share of its country's customers of this kind.
    lease_hours : how long a customer keeps an address; 0 for always.
    six : prefix of its IPv6 addresses (32 bits), "" for none.
    six_share : of its customers have IPv6.
    pool_start : where a carrier's shared addresses begin within a /16.
    """

    kind: Kind
    country: str
    asn: int
    organisation: str
    blocks: tuple[str, ...]
    weight: float = 1.0
    lease_hours: int = 0
    six: str = ""
    six_share: float = 0.0
    pool_start: int = 0x1000


HOMES: tuple[Operator, ...] = (
    Operator("residential", "DE", 64801, "Nordnetz Telekommunikation", ("79.192.0.0/12", "84.128.0.0/13",
             "93.192.0.0/12", "91.16.0.0/14"), 40, 24, "2003:c0", 0.75),
    Operator("residential", "DE", 64802, "RheinKabel", ("95.88.0.0/14", "77.20.0.0/14", "178.200.0.0/14"), 24, 2160,
             "2a02:8108", 0.5),
    Operator("residential", "DE", 64803, "Breitband Eins", ("87.160.0.0/13", "89.244.0.0/14"), 14, 24, "2001:16b8",
             0.6),
    Operator("residential", "DE", 64804, "StadtNetz Süd", ("188.96.0.0/14", "92.72.0.0/14"), 14, 180 * 24),
    Operator("residential", "DE", 64805, "Glasfaser Heimat", ("46.80.0.0/14",), 8, 0, "2a00:6020", 0.9),
    Operator("residential", "AT", 64811, "Alpenkabel", ("84.112.0.0/14", "80.108.0.0/15"), 50, 1440),
    Operator("residential", "AT", 64812, "Donau Online", ("91.112.0.0/14", "62.46.0.0/16"), 50, 24, "2001:871", 0.4),
    Operator("residential", "GB", 64821, "Albion Broadband", ("86.128.0.0/12", "81.128.0.0/13"), 40, 240, "2a00:23c5",
             0.7),
    Operator("residential", "GB", 64822, "Crown Cable", ("82.0.0.0/13", "80.0.0.0/14"), 25, 4320),
    Operator("residential", "GB", 64823, "Heath Fibre", ("90.192.0.0/12", "94.0.0.0/13"), 35, 336, "2a02:c7c", 0.8),
    Operator("residential", "PL", 64831, "Telewizja Mazowsze", ("89.64.0.0/13",), 40, 720),
    Operator("residential", "PL", 64832, "Siec Polska", ("83.0.0.0/13", "79.184.0.0/14"), 60, 24),
    Operator("residential", "NL", 64841, "Polder Net", ("77.160.0.0/13", "86.80.0.0/14"), 50, 0, "2a02:a420", 0.7),
    Operator("residential", "NL", 64842, "Kabel Oost", ("94.208.0.0/14", "83.80.0.0/14"), 50, 4320, "2001:1c00", 0.5),
    Operator("residential", "US", 64851, "Continental Cable", ("73.0.0.0/10", "67.160.0.0/12", "24.0.0.0/13"), 100,
             2160, "2601:40", 0.7),
    Operator("residential", "CN", 64861, "华东宽带", ("222.64.0.0/12", "180.96.0.0/12"), 60, 48, "240e:380", 0.6),
    Operator("residential", "CN", 64862, "西部宽带", ("125.64.0.0/12", "60.160.0.0/12"), 25, 48, "240e:330", 0.5),
    Operator("residential", "CN", 64863, "北方联网", ("123.112.0.0/13",), 15, 72),
)  # fmt: skip

CARRIERS: tuple[Operator, ...] = (
    Operator("mobile", "DE", 64871, "Funk Eins", ("80.187.0.0/16",), 38, 7, "2a01:598", 0.6),
    Operator("mobile", "DE", 64872, "Mobil Rot", ("109.40.0.0/14",), 32, 5, "2a00:20", 0.3),
    Operator("mobile", "DE", 64873, "Blasen Mobilfunk", ("176.0.0.0/14",), 30, 4),
    Operator("mobile", "AT", 64874, "Berg Mobil", ("178.112.0.0/14",), 100, 6),
    Operator("mobile", "GB", 64875, "Lion Mobile", ("82.132.128.0/17",), 40, 6, pool_start=0x8800),
    Operator("mobile", "GB", 64876, "Three Oaks", ("92.40.0.0/16", "188.28.0.0/15"), 60, 4),
    Operator("mobile", "PL", 64877, "Fala Mobilna", ("37.47.0.0/16", "5.173.0.0/16"), 100, 5),
    Operator("mobile", "NL", 64878, "Zeebel", ("178.224.0.0/14",), 100, 8),
    Operator("mobile", "US", 64879, "Prairie Wireless", ("172.56.0.0/14",), 100, 6, "2607:fb90", 0.8),
    Operator("mobile", "CN", 64880, "东方移动", ("117.128.0.0/12", "39.128.0.0/12"), 60, 3, "2409:8a20", 0.6),
    Operator("mobile", "CN", 64881, "南方移动", ("223.64.0.0/12",), 40, 3, "2409:8a55", 0.5),
)  # fmt: skip

GATES: tuple[Operator, ...] = (
    Operator("business", "DE", 64891, "Gewerbenetz", ("217.86.0.0/16", "62.156.0.0/15", "80.146.0.0/16")),
    Operator("business", "GB", 64892, "Trade Park Networks", ("81.136.0.0/15",)),
    Operator("education", "DE", 64893, "Hochschulnetz", ("139.30.0.0/16", "141.89.0.0/16", "134.76.0.0/16")),
)
"""Offices and campuses; those of other countries stand behind their home providers."""

HOSTING: tuple[Operator, ...] = (
    Operator("hosting", "DE", 64901, "Serverhalle", ("5.9.0.0/16", "46.4.0.0/16", "88.198.0.0/16", "116.202.0.0/15",
             "95.216.0.0/15", "159.69.0.0/16"), 40),
    Operator("hosting", "FR", 64902, "Cloud Ardennes", ("51.38.0.0/16", "51.75.0.0/16", "137.74.0.0/16",
             "51.15.0.0/16"), 25),
    Operator("hosting", "US", 64903, "Droplet Host", ("45.55.0.0/16", "104.131.0.0/16", "138.68.0.0/16",
             "159.65.0.0/16", "167.71.0.0/16", "45.32.0.0/16"), 35),
)  # fmt: skip

EXITS: tuple[Operator, ...] = (
    Operator("vpn", "DE", 64911, "Tarnkappe VPN", ("146.70.0.0/16",), 20),
    Operator("vpn", "NL", 64912, "Tulip Shield", ("185.107.0.0/16", "212.8.0.0/16"), 20),
    Operator("vpn", "CH", 64913, "Alpine Tunnel", ("185.159.0.0/16",), 15),
    Operator("vpn", "GB", 64914, "Foglamp VPN", ("194.35.0.0/16",), 15),
    Operator("vpn", "US", 64915, "Blue Harbor VPN", ("45.86.0.0/16", "138.199.0.0/16"), 20),
    Operator("vpn", "SE", 64916, "Mole Hill", ("193.138.0.0/16",), 10),
)  # fmt: skip

RELAYS: tuple[Operator, ...] = (
    Operator("relay", "DE", 64921, "Relay Egress West", ("172.225.0.0/16",), 60, 12, "2a09:bac2", 0.5),
    Operator("relay", "GB", 64922, "Relay Egress North", ("104.28.0.0/16",), 40, 12, "2a09:bac3", 0.5),
)

OPERATORS: tuple[Operator, ...] = (*HOMES, *CARRIERS, *GATES, *HOSTING, *EXITS, *RELAYS)
"""All of them; columns name an operator by its place here."""
