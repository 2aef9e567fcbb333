"""The one typed door to Numba: stateful inner loops are kernels over flat arrays."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numba import config, njit, types
from numba.np import linalg

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


def _load_without_blas() -> None:
    """Load Numba's array functions as if SciPy had no BLAS.

    No kernel multiplies matrices, and only to look for BLAS Numba would load all of `scipy.linalg`: a seventh of a
    second of every start.
    """

    def refuse() -> None:
        raise ImportError("not looked for")

    ensure = linalg.ensure_blas
    linalg.ensure_blas = refuse
    try:
        importlib.import_module("numba.np.arraymath")
    finally:
        linalg.ensure_blas = ensure


_load_without_blas()


def kernel(function: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
    """Compile a function over NumPy arrays and scalars on its first call, and keep the machine code on disk.

    The compiled function releases the interpreter lock, so two stages can run in two threads. With
    ``NUMBA_DISABLE_JIT=1`` it stays plain Python, which is how coverage and debuggers see inside.

    >>> import numpy as np
    >>> @kernel
    ... def total(values: "np.ndarray") -> float:
    ...     result = 0.0
    ...     for value in values:
    ...         result += value
    ...     return result
    >>> total(np.array([1.0, 2.0]))
    3.0
    """
    return compile_kernel(function)


def compile_kernel(function: Callable[Arguments, Answer], **options: Any) -> Callable[Arguments, Answer]:
    """As `kernel`, with further options of `numba.njit`."""
    options = {"nogil": True, "error_model": "numpy", **options}
    compiled: Callable[Arguments, Answer]
    try:
        compiled = njit(cache=True, **options)(function)
    except RuntimeError:
        # No folder to keep machine code in (read-only install, no home): it is compiled anew in each process.
        compiled = njit(**options)(function)
    _take_constants_as_values(compiled)
    return compiled


def find_in_c(name: str, *arguments: str, answer: str) -> Callable[..., Any] | None:
    """A function of the C library for kernels to call, without the interpreter lock; None where they are plain Python.

    Parameters
    ----------
    name : of a symbol that the process has.
    arguments, answer : names of Numba's types; a pointer is an `intp`.
    """
    if getattr(config, "DISABLE_JIT", 0):
        return None
    found: Callable[..., Any] = types.ExternalFunction(
        name, getattr(types, answer)(*(getattr(types, argument) for argument in arguments))
    )
    return found


def _take_constants_as_values(compiled: Any) -> None:
    """Compile one version for all constants that other kernels call this one with.

    Numba makes a version for each: `hash_words_and_span` had ten, and a first start compiled for a tenth longer.
    """
    find = getattr(compiled, "get_call_template", None)
    if find is None:
        # Plain Python, with `NUMBA_DISABLE_JIT`.
        return

    def find_for_values(args: tuple[Any, ...], kws: dict[str, Any]) -> Any:
        widen: Callable[[Any], Any] = types.unliteral
        return find(tuple(map(widen, args)), {name: widen(argument) for name, argument in kws.items()})

    compiled.get_call_template = find_for_values


def silent(function: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
    """A kernel that warns of nothing: as it is where it is compiled, else as plain Python within `quiet`.

    For the request path: to enter and leave `quiet` there takes as long as a small kernel.

    >>> @kernel
    ... def wrap(values: "np.ndarray") -> None:
    ...     values[0] += np.uint8(1)
    >>> values = np.array([255], np.uint8)
    >>> silent(wrap)(values)
    >>> values.tolist()
    [0]
    """
    if not getattr(config, "DISABLE_JIT", 0):
        return function

    @wraps(function)
    def within(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
        with quiet():
            return function(*args, **kwargs)

    return within


_COMPILED = nullcontext()


def quiet() -> AbstractContextManager[Any]:
    """Around a call of a kernel whose integers wrap and whose numbers may be NaN: nothing is to be warned of.

    Compiled code warns of nothing by itself; telling NumPy so costs more than a kernel for one event.

    >>> with quiet():
    ...     wrapped = np.array([255], np.uint8) + np.uint8(1)
    >>> wrapped.tolist()
    [0]
    """
    return np.errstate(all="ignore") if getattr(config, "DISABLE_JIT", 0) else _COMPILED
