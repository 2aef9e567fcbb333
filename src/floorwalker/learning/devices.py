"""Names of the devices that deep models are trained on."""

from __future__ import annotations

import re

from floorwalker.errors import UsageError

ALLOWED = "cpu, cuda, cuda:N for the card of number N, mps"


def check_device(name: str) -> None:
    """Raise `UsageError` where nothing can be trained on a device of this name, here or anywhere.

    >>> check_device("cuda:1")
    >>> check_device("tpu")
    Traceback (most recent call last):
    ...
    floorwalker.errors.UsageError: unknown device 'tpu'; allowed: cpu, cuda, cuda:N for the card of number N, mps
    """
    if re.fullmatch(r"cpu|mps|cuda(:[0-9]{1,3})?", name) is None:
        raise UsageError(f"unknown device {name!r}", allowed=ALLOWED)
