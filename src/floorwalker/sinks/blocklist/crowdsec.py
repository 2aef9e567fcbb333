"""CrowdSec: decisions as JSON, for `cscli decisions import -i FILE --format json`; they expire by
themselves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from floorwalker.sinks.blocklist._base import BlockEntry, checked_network, comment_text

TITLE = "CrowdSec decisions"


def write(entries: Sequence[BlockEntry], made_at: datetime) -> str:
    """A JSON list of decisions: duration, reason, scope, type and value, the fields that `cscli decisions
    import` reads."""
    decisions = []
    for entry in entries:
        network = checked_network(entry)
        minutes = max(int((entry.expires_at - made_at).total_seconds() // 60), 1)
        decisions.append(
            {
                "duration": f"{minutes}m",
                "reason": comment_text(f"floorwalker/{entry.reason_code}: {entry.evidence}"),
                "scope": "range" if "/" in network else "ip",
                "type": "ban",
                "value": network,
            }
        )
    return json.dumps(decisions, indent=2) + "\n"
