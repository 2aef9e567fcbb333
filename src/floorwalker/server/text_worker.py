"""The process that scores texts for a server: ``python -m floorwalker.server.text_worker FOLDER``.

It has what nobody else wants of the machine, so that a review never makes a checkout wait; and it ends when the server
does, because its input then ends.
"""

from __future__ import annotations

import signal
import sys

from floorwalker.detectors.content.background import serve_texts
from floorwalker.server.turns import give_way

NICENESS = 19


def main(folder: str) -> int:
    """Answer the texts of standard input until it ends; signals are meant for the server."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    give_way(NICENESS)
    return serve_texts(folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
