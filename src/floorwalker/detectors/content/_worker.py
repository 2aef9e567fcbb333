"""The process that reads texts for `background`: one JSON line in, one out, until its input ends.

Run as `python -m floorwalker.detectors.content._worker FOLDER`; FOLDER holds a saved `TextClassifier`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from floorwalker.detectors.content.classifier import TextClassifier
from floorwalker.errors import FloorwalkerError


def serve(classifier: TextClassifier, lines: Iterable[str], out: TextIO) -> None:
    """Answer each line `{"id", "text"}` with `{"id", "score"}`; a text that cannot be read has the score null."""
    for line in lines:
        asked = json.loads(line)
        try:
            score: float | None = float(classifier.score([asked["text"]])[0])
        except FloorwalkerError:
            score = None
        out.write(json.dumps({"id": asked["id"], "score": score}) + "\n")
        out.flush()


def main(folder: str) -> int:
    """Load the classifier and serve standard input; 1 where it cannot be loaded."""
    try:
        classifier = TextClassifier.load(Path(folder))
        # Encoders load on the first text: done before anybody waits for one.
        classifier.score(["ready"])
    except FloorwalkerError as broken:
        sys.stdout.write(json.dumps({"failed": str(broken)}) + "\n")
        sys.stdout.flush()
        return 1
    sys.stdout.write(json.dumps({"ready": True}) + "\n")
    sys.stdout.flush()
    serve(classifier, sys.stdin, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
