"""Generated access logs of shops, with the truth beside them."""

from floorwalker.simulation.access_log._family import Family, list_families, load_family
from floorwalker.simulation.access_log._generate import generate, generate_on
from floorwalker.simulation.access_log._large import write_large_log
from floorwalker.simulation.access_log._records import (
    ABUSIVE_KINDS,
    KINDS,
    SKILLS,
    SPLITS,
    GeneratedLog,
    Scenario,
)
from floorwalker.simulation.access_log._write import FORMATS, write_log

__all__ = [
    "ABUSIVE_KINDS",
    "FORMATS",
    "KINDS",
    "SKILLS",
    "SPLITS",
    "Family",
    "GeneratedLog",
    "Scenario",
    "generate",
    "generate_on",
    "list_families",
    "load_family",
    "write_large_log",
    "write_log",
]
