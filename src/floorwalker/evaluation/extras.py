"""What an evaluation needs beside the core install, asked for before it works for minutes."""

from __future__ import annotations

from importlib.util import find_spec

from floorwalker.errors import MissingExtraError


def need_evaluation_extra() -> None:
    """Return where scikit-learn is installed.

    Errors
    ------
    `MissingExtraError` where it is not; it names the extra to install.
    """
    if find_spec("sklearn") is None:
        raise MissingExtraError("scikit-learn", "evaluate")


def need_training_extra() -> None:
    """Return where PyTorch and LightGBM are installed.

    Errors
    ------
    `MissingExtraError` where one is not; it names the extra to install.
    """
    for module, name in (("torch", "PyTorch"), ("lightgbm", "LightGBM"), ("safetensors", "safetensors")):
        if find_spec(module) is None:
            raise MissingExtraError(name, "train")
