"""Kernels that become part of their caller.

Each array is handed over as seven words; a helper with twenty arrays costs more to call than to run. LLVM does not see
this by itself: with the helpers inlined the whole pass took a third of the time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from floorwalker.kernels import compile_kernel

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


def inline_kernel(function: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
    """Compile like `floorwalker.store._flat.flat_kernel` a function that its callers take in whole."""
    return compile_kernel(function, _nrt=False, forceinline=True)
