"""Pictures of a report, taken by a headless Chromium: for the README, and for tests that look at the real page.

The browser is spoken to over a pipe (Chrome DevTools Protocol, `--remote-debugging-pipe`): no port is opened and no
driver has to be installed.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from floorwalker.errors import FloorwalkerError, InputError, UsageError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
MAC_PATHS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
)  # fmt: skip
PATIENCE = 30.0
"""Seconds to wait for any one answer of the browser."""


class BrowserError(FloorwalkerError):
    """The browser did not start, did not answer, or refused."""


def find_browser() -> str | None:
    """The path of an installed Chromium or Chrome, or None; the variable `FLOORWALKER_BROWSER` goes first."""
    chosen = os.environ.get("FLOORWALKER_BROWSER")
    if chosen:
        return chosen if Path(chosen).exists() else None
    found = (shutil.which(name) for name in NAMES)
    return next((path for path in found if path), next((path for path in MAC_PATHS if Path(path).exists()), None))


class Page:
    """One page of a headless browser.

    Parameters
    ----------
    browser : path of the browser.
    profile : an empty folder for its profile.
    """

    def __init__(self, browser: str, profile: Path) -> None:
        self.logged: list[str] = []
        self.requested: list[str] = []
        self._buffer = b""
        self._number = 0
        self._session: str | None = None
        their_input, self._input = os.pipe()
        self._output, their_output = os.pipe()
        # The protocol wants file descriptors 3 and 4; a shell moves ours there.
        command = f'exec "$@" 3<&{their_input} 4>&{their_output}'
        self._process = subprocess.Popen(  # noqa: S603  every argument is ours or a path
            ["/bin/bash", "-c", command, "bash", browser, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(their_input, their_output),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(their_input)
        os.close(their_output)
        try:
            target = self.call("Target.createTarget", url="about:blank")["targetId"]
            self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.call(f"{domain}.enable")
        except BrowserError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the browser."""
        os.close(self._input)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._output)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command of the DevTools protocol and wait for its answer."""
        self._number += 1
        number = self._number
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        try:
            os.write(self._input, json.dumps(message).encode() + b"\0")
        except OSError as error:
            raise BrowserError(f"the browser went away before {method}") from error
        while True:
            answer = self._next()
            if answer.get("id") == number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error'].get('message', answer['error'])}")
                result: dict[str, Any] = answer["result"]
                return result

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._output], [], [], PATIENCE)
            piece = os.read(self._output, 1 << 20) if ready else b""
            if not piece:
                raise BrowserError("the browser did not answer", fix="check that it starts by hand with --headless")
            self._buffer += piece
        raw, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(raw)
        self._note(message)
        return message

    def _note(self, message: dict[str, Any]) -> None:
        parameters = message.get("params", {})
        if message.get("method") == "Log.entryAdded":
            self.logged.append(parameters["entry"]["text"])
        elif message.get("method") == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.logged.append(details.get("exception", {}).get("description") or details["text"])
        elif message.get("method") == "Network.requestWillBeSent":
            self.requested.append(parameters["request"]["url"])

    def resize(self, width: int, height: int) -> None:
        """Set the size of the page in CSS pixels; below 500 it counts as a telephone."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )

    def prefer(self, scheme: Literal["light", "dark"] = "light", medium: Literal["screen", "print"] = "screen") -> None:
        """Set what the page's media queries see."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", media=medium, features=features)

    def open(self, file: Path) -> None:
        """Open a file and wait until it is loaded."""
        if not file.exists():
            raise InputError(f"no file {file}", fix="write the report first")
        self.call("Page.navigate", url=file.resolve().as_uri())
        loaded = "document.readyState === 'complete' ? done(1) : addEventListener('load', () => done(1))"
        self.evaluate(f"new Promise(done => {loaded})")
        self.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")

    def evaluate(self, script: str) -> Any:
        """The value of a JavaScript expression in the page, promises awaited; an exception raises `BrowserError`."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise BrowserError(f"the page threw: {details.get('exception', {}).get('description') or details['text']}")
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """Press and release a key, by its DOM name, where the focus is."""
        text = {"Enter": "\r", " ": " "}.get(key, "")
        codes = {"Enter": 13, "Tab": 9, " ": 32}
        for kind in ("keyDown", "keyUp"):
            typed = {"text": text} if text and kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=codes.get(key, 0), **typed)

    def capture(self, *, whole: bool = False) -> bytes:
        """A PNG of what is in view, or of the whole page."""
        return base64.b64decode(
            self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole, **self._clip(whole))["data"]
        )

    def _clip(self, whole: bool) -> dict[str, Any]:
        if not whole:
            return {}
        width, height = self.evaluate("[innerWidth, document.documentElement.scrollHeight]")
        return {"clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}}


@contextmanager
def open_browser() -> Iterator[Page]:
    """A page of the browser that is installed, closed afterwards; none installed raises `UsageError`."""
    browser = find_browser()
    if browser is None:
        raise UsageError(
            "no Chromium or Chrome was found",
            allowed=", ".join(NAMES),
            fix="install one (Debian: chromium) or name its path in FLOORWALKER_BROWSER",
        )
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, Page(browser, Path(profile)) as page:
        yield page


def screenshot(
    html: Path, png: Path, width: int = 1280, height: int = 900, *, scheme: Literal["light", "dark"] = "light"
) -> None:
    """Write a picture of the top of an HTML file.

    Parameters
    ----------
    html : the file to show.
    png : the picture to write.
    width, height : its size in pixels.
    scheme : light or dark.

    Raises
    ------
    UsageError : no browser is installed.
    InputError : the file does not exist.
    """
    with open_browser() as page:
        page.resize(width, height)
        page.prefer(scheme)
        page.open(html)
        png.write_bytes(page.capture())
