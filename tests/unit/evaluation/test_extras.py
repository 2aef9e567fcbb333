"""An evaluation says at once what it needs, not after minutes of simulating."""

from __future__ import annotations

import subprocess
import sys

import pytest

WITHOUT = """
import importlib.util as found
from pathlib import Path
real = found.find_spec
found.find_spec = lambda name, *rest: None if name == "sklearn" else real(name, *rest)
from floorwalker.errors import MissingExtraError
from floorwalker.evaluation.tasks import TASK as task
try:
    task.run(data=Path("."))
except MissingExtraError as error:
    print(error)
"""


@pytest.mark.parametrize("task", ["hardness", "realism"])
def test_a_missing_extra_is_named_before_anything_is_simulated(task: str) -> None:
    command = [sys.executable, "-c", WITHOUT.replace("TASK", task)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert "scikit-learn" in done.stdout
