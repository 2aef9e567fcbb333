"""PyTorch, asked for only when something is trained."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import Any

from floorwalker.errors import MissingExtraError
from floorwalker.models.devices import find_device


def import_torch() -> Any:
    """The package `torch`; `MissingExtraError` where it is not installed."""
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError("torch", "train") from error
    return torch


@dataclass(frozen=True)
class Group:
    """The processes that train together, as `torchrun` started them; one alone otherwise.

    Parameters
    ----------
    rank, size : which process this is, of how many.
    device : where this one computes.
    """

    rank: int
    size: int
    device: str

    @property
    def is_first(self) -> bool:
        """Whether this process writes and reports."""
        return self.rank == 0


@contextlib.contextmanager
def training_group(device: str) -> Any:
    """Join the processes that `torchrun` started, and leave them at the end.

    Parameters
    ----------
    device : ``cpu``, ``cuda``, ``cuda:N`` or ``mps``; under `torchrun` each process takes its own card.
    """
    torch = import_torch()
    find_device(device)
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Group(0, 1, device)
        return
    distributed = torch.distributed
    rank = int(os.environ["RANK"])
    if device.startswith("cuda"):
        device = f"cuda:{int(os.environ.get('LOCAL_RANK', '0'))}"
        torch.cuda.set_device(device)
    joined = not distributed.is_initialized()
    if joined:
        distributed.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    try:
        yield Group(rank, size, device)
    finally:
        if joined:
            distributed.destroy_process_group()


def precision(device: str) -> Any:
    """Mixed precision on a card (bfloat16 where it has it, else float16); single precision on processors."""
    torch = import_torch()
    if not device.startswith("cuda"):
        return contextlib.nullcontext()
    kind = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return torch.autocast("cuda", dtype=kind)


def gradient_scaler(device: str) -> Any:
    """Keeps float16 gradients from vanishing; does nothing where that cannot happen."""
    torch = import_torch()
    needed = device.startswith("cuda") and not torch.cuda.is_bf16_supported()
    return torch.amp.GradScaler("cuda", enabled=needed)
