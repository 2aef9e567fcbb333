"""Devices that deep models are trained on: their names, and whether this machine has them."""

from __future__ import annotations

import re

from floorwalker.errors import MissingExtraError, UsageError

ALLOWED = "cpu, cuda, cuda:N for the card of number N, mps"


def check_device(device: str) -> str:
    """The device's name; `UsageError` where it is none. Whether the machine has it is not looked at.

    >>> check_device("cuda:1")
    'cuda:1'
    >>> check_device("tpu")
    Traceback (most recent call last):
    ...
    floorwalker.errors.UsageError: unknown device 'tpu'; allowed: cpu, cuda, cuda:N for the card of number N, mps
    """
    if not isinstance(device, str) or re.fullmatch(r"cpu|mps|cuda(:[0-9]{1,3})?", device) is None:
        raise UsageError(f"unknown device {device!r}", allowed=ALLOWED)
    return device


def find_device(device: str) -> str:
    """The device's name; `UsageError` where it is none, or where this machine has no such device.

    Raises `MissingExtraError` where PyTorch is not installed.
    """
    check_device(device)
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError("torch", "train") from error
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise UsageError(f"device {device!r} on a machine without CUDA", allowed="cpu", fix="leave the device out")
    if device.startswith("cuda:") and int(device[5:]) >= torch.cuda.device_count():
        raise UsageError(f"device {device!r}", allowed=f"cuda:0 to cuda:{torch.cuda.device_count() - 1}, or cpu")
    if device == "mps" and not torch.backends.mps.is_available():
        raise UsageError("device 'mps' on a machine without Metal", allowed="cpu", fix="leave the device out")
    return device
