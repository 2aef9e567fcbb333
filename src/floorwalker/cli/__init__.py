"""The command line: reads clock and arguments, puts the rooms together, prints.

Exit codes: 0 done, 1 failed, 2 wrong use. Every command takes ``--json``: one JSON document on standard output,
everything else on standard error.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from floorwalker import __version__
from floorwalker.cli.backtest import backtest
from floorwalker.cli.bench import bench
from floorwalker.cli.demo import demo
from floorwalker.cli.doctor import doctor
from floorwalker.cli.evaluate import evaluate
from floorwalker.cli.explain import explain
from floorwalker.cli.feed import feed
from floorwalker.cli.history import history_app
from floorwalker.cli.keys import keys_app
from floorwalker.cli.privacy import privacy_app
from floorwalker.cli.repair import repair
from floorwalker.cli.replay import replay
from floorwalker.cli.rules import rules_app
from floorwalker.cli.scan import scan
from floorwalker.cli.serve import serve
from floorwalker.cli.simulate import simulate
from floorwalker.cli.train import train_app
from floorwalker.errors import FloorwalkerError

app = typer.Typer(
    name="floorwalker",
    help="Recognises malicious behaviour in online shops while it happens, and answers it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(scan)
app.command()(doctor)
app.command()(simulate)
app.command()(evaluate)
app.command()(bench)
app.command()(demo)
app.command()(serve)
app.command()(feed)
app.add_typer(keys_app, name="keys")
app.add_typer(privacy_app, name="privacy")
app.add_typer(history_app, name="history")
app.command()(replay)
app.command()(repair)
app.command()(explain)
app.command()(backtest)
app.add_typer(train_app, name="train")
app.add_typer(rules_app, name="rules")


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False) -> None:
    if version:
        print(__version__)
        raise typer.Exit


def main() -> None:
    """Run the command line; errors that a user can mend are printed without a traceback."""
    try:
        sys.exit(app(standalone_mode=False) or 0)
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
