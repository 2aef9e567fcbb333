"""The command line: reads clock and arguments, puts the rooms together, prints.

Exit codes: 0 done, 1 failed, 2 wrong use. Every command takes ``--json``: one JSON document on standard output,
everything else on standard error.
"""

from __future__ import annotations

import importlib
import sys
from typing import Annotated, Any

import typer

from floorwalker import __version__
from floorwalker.errors import FloorwalkerError

COMMANDS = (
    "scan", "doctor", "simulate", "evaluate", "bench", "demo", "serve", "feed", "keys", "privacy", "history", "replay",
    "repair", "explain", "backtest", "train", "rules", "calibration",
)  # fmt: skip
"""Each is a module of this package with a function of its name, or with an app of further commands: `keys_app`."""


def make_app(*only: str) -> typer.Typer:
    """The command line, or only these commands of it: the modules of one command take a second to import."""
    made = typer.Typer(
        name="floorwalker",
        help="Recognises malicious behaviour in online shops while it happens, and answers it.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    for name in only or COMMANDS:
        module = importlib.import_module(f"{__name__}.{name}")
        if hasattr(module, f"{name}_app"):
            made.add_typer(getattr(module, f"{name}_app"), name=name)
        else:
            made.command()(getattr(module, name))
    made.callback(invoke_without_command=True)(_root)
    return made


def _root(version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False) -> None:
    if version:
        print(__version__)
        raise typer.Exit


def __getattr__(name: str) -> Any:
    if name == "app":
        return make_app()
    raise AttributeError(name)


def main() -> None:
    """Run the command line; errors that a user can mend are printed without a traceback."""
    called = sys.argv[1:2]
    try:
        sys.exit(make_app(*(name for name in called if name in COMMANDS))(standalone_mode=False) or 0)
    except FloorwalkerError as error:
        print(f"floorwalker: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # The reader of our output has gone (`| head`); there is nobody left to tell.
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        # A full disk, a folder that is missing or may not be written.
        print(f"floorwalker: {error}", file=sys.stderr)
        sys.exit(1)
    except (KeyboardInterrupt, typer.Abort):
        print("floorwalker: interrupted", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        # Typer's own errors of use know how to show themselves and carry their exit code.
        show = getattr(error, "show", None)
        if not callable(show):
            raise
        show()
        sys.exit(int(getattr(error, "exit_code", 2)))
