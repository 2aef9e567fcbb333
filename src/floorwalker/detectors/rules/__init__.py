"""Rules that analysts write: conditions in SQL expression syntax over event fields and live features.

One YAML file a rule, all rules in one table that a kernel evaluates. See docs/rules.md for the language.
"""

from floorwalker.detectors.rules.cases import CaseFailure, run_cases
from floorwalker.detectors.rules.faults import Fault, RuleError
from floorwalker.detectors.rules.files import STARTER
from floorwalker.detectors.rules.hits import RuleHits, signals, spoken
from floorwalker.detectors.rules.limits import DEFAULT_LIMITS, Limits
from floorwalker.detectors.rules.lists import LIST_NAMES, ListEntry, Lists
from floorwalker.detectors.rules.live import LiveRules
from floorwalker.detectors.rules.rule import Rule
from floorwalker.detectors.rules.schema import Kind, Schema, default_schema, make_schema
from floorwalker.detectors.rules.table import RuleTable

__all__ = [
    "DEFAULT_LIMITS", "LIST_NAMES", "STARTER", "CaseFailure", "Fault", "Kind", "Limits", "ListEntry", "Lists",
    "LiveRules", "Rule", "RuleError", "RuleHits", "RuleTable", "Schema", "default_schema", "make_schema", "run_cases",
    "signals",
    "spoken",
]  # fmt: skip
