"""Kinds of error: each says what was given, what was allowed and what to do.

>>> raise InputError("access.log is empty", allowed="a log with at least one request", fix="check the path")
Traceback (most recent call last):
    ...
floorwalker.errors.InputError: access.log is empty; allowed: a log with at least one request; check the path
"""


class FloorwalkerError(Exception):
    """The base of every error that a user may see without a traceback.

    Parameters
    ----------
    given : what was found, with its name and value.
    allowed : what would have been accepted; empty where the message already says it.
    fix : what the user can do next; empty where there is nothing to do.
    """

    exit_code = 1

    def __init__(self, given: str, *, allowed: str = "", fix: str = "") -> None:
        self.given = given
        self.allowed = allowed
        self.fix = fix
        parts = [given]
        if allowed:
            parts.append(f"allowed: {allowed}")
        if fix:
            parts.append(fix)
        super().__init__("; ".join(parts))


class InputError(FloorwalkerError):
    """Data from outside that cannot be used: a broken file, an unknown format, an empty log."""


class UsageError(FloorwalkerError):
    """A command or a function was called with values that do not fit together."""

    exit_code = 2


class MissingExtraError(FloorwalkerError):
    """An optional package is not installed.

    Parameters
    ----------
    package : the import name that is missing.
    extra : the extra of the distribution that installs it.
    """

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"the package {package!r} is not installed",
            fix=f"install it with: pip install 'floorwalker[{extra}]'",
        )


class ArtefactError(FloorwalkerError):
    """A stored model or state is damaged, of another version, or not what its manifest says."""


class NotReadyError(FloorwalkerError):
    """A part was asked for an answer before it was fitted or warmed up."""
