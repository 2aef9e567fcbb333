"""ONNX models, served by ONNX Runtime on one thread, so that two runs of one log give equal scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import ArtefactError


class OnnxModel:
    """A loaded ONNX graph.

    Parameters
    ----------
    content : the file's bytes, as a checked `Artefact` holds them.
    """

    def __init__(self, content: bytes) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session: Any = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as broken:
            # ONNX Runtime raises its own kinds for each way a graph can be damaged.
            raise ArtefactError(f"the ONNX graph cannot be loaded: {broken}", fix="train the model again") from broken

    def run(self, inputs: Mapping[str, NDArray[np.generic]]) -> NDArray[np.float32]:
        """The first output for these inputs."""
        answer: NDArray[np.float32] = self._session.run(None, dict(inputs))[0]
        return answer
