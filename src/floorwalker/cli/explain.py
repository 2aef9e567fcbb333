"""``floorwalker explain``: why a decision was made."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from floorwalker.cli._output import Json, print_json
from floorwalker.cli.serve import FOLDER, Folder, need_serving


def explain(
    decision_id: Annotated[str, typer.Argument(metavar="DECISION_ID", help="As the reply gave it: dc_…")],
    folder: Folder = FOLDER,
    as_json: Json = False,
) -> None:
    """Show a decision with its inputs, make it again from them, and say whether it comes out the same.

    Under the recorded versions of rules and detectors the decision is made again and must be equal; where one of them
    has changed, the stored decision stands beside today's answer to the same inputs.
    """
    need_serving()
    from floorwalker.server.installation import Installation
    from floorwalker.server.replaying import explain_decision

    document = explain_decision(Installation(folder), decision_id)
    if as_json:
        print_json(document)
        return
    stored, again = document["stored"], document["again"]
    print(
        f"{decision_id}: {document['event']['type']} {document['event']['id']} of {stored['subject'] or 'nobody named'}"
    )
    print(f"answered {stored['action']} ({stored['mode']} mode, intended {stored['intended']}), risk {stored['risk']}")
    for cause in stored.get("causes", ()):
        print(f"  {cause['severity']:.2f} {cause['code']}: {cause['text']}")
    for name in stored.get("degraded", ()):
        print(f"  without {name}, which did not answer")
    if document["changed"]:
        print("changed since: " + ", ".join(f"{name} {old} -> {new}" for name, old, new in document["changed"]))
        if again is None:
            print("not made again: today's features are others")
        else:
            print(f"today the same inputs give {again['intended']}, risk {again['risk']}")
    else:
        print("made again from its inputs: " + ("equal" if document["equal"] else "NOT EQUAL"))
        today = document["today"]
        if document["rules_now"] != stored["versions"].get("rules"):
            print(f"by the rules of then; today's give {today['intended']}, risk {today['risk']}")
    _print_joined(document["joined"], document["joined_again"])
    _print_features(document["features"])
    if not document["changed"] and not document["equal"]:
        raise typer.Exit(1)


def _print_joined(later: dict[str, Any] | None, again: dict[str, Any] | None) -> None:
    if later is None:
        return
    seconds = (later["at"] - later["decided_at"]) / 1e6
    said = "its text could not be read" if later["score"] is None else f"its text has the score {later['score']:.3f}"
    print(f"joined {seconds:.1f} s later: {said}; with it risk {later['risk']}, intended {later['intended']}")
    for cause in later.get("causes", ()):
        print(f"  {cause['severity']:.2f} {cause['code']}: {cause['text']}")
    if again is not None and again != later:
        print("  joined again from its score: NOT EQUAL")


def _print_features(features: dict[str, Any]) -> None:
    known = {name: value for name, value in features.items() if value is not None}
    print(f"{len(known)} of {len(features)} features were known:")
    for name, value in known.items():
        print(f"  {name} = {value:g}")
