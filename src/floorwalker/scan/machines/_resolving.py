"""Forward-confirmed reverse DNS: the check that Google, Bing, Yandex and others document for their
crawlers."""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Callable, Sequence


def confirmed_name(
    address: str,
    *,
    reverse: Callable[[str], str] | None = None,
    forward: Callable[[str], Sequence[str]] | None = None,
) -> str | None:
    """The host name of an address, if that name leads back to the address.

    Whoever owns an address may give it any name, `googlebot.com` too; only the owner of the name decides
    where it leads. So both directions must agree.

    Parameters
    ----------
    address : the address as text.
    reverse, forward : look-ups, by default the system's resolver.

    >>> confirmed_name("192.0.2.1", reverse=lambda _: "crawl.example.", forward=lambda _: ["192.0.2.1"])
    'crawl.example'
    >>> confirmed_name("192.0.2.1", reverse=lambda _: "crawl.example", forward=lambda _: ["192.0.2.9"]) is None
    True
    """
    try:
        name = (reverse or _reverse)(address).rstrip(".").lower()
        back = (forward or _forward)(name)
    except OSError:
        return None
    return name if name and address in back else None


def _reverse(address: str) -> str:
    return socket.gethostbyaddr(address)[0]


def _forward(name: str) -> list[str]:
    return [str(answer[4][0]) for answer in socket.getaddrinfo(name, None)]


def resolve_all(
    addresses: Sequence[str],
    resolve: Callable[[str], str | None],
    *,
    workers: int = 16,
    timeout: float = 20.0,
) -> dict[str, str]:
    """Look up many addresses at once; those without an answer in time, or with an error, are missing from
    the result.

    Parameters
    ----------
    resolve : gives the confirmed name of an address or None, such as `confirmed_name`.
    workers : look-ups under way at a time.
    timeout : seconds for all of them together.

    >>> resolve_all(["192.0.2.1", "192.0.2.2"], {"192.0.2.1": "crawl.example"}.get)
    {'192.0.2.1': 'crawl.example'}
    """
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    for address in addresses:
        waiting.put(address)
    answers: queue.SimpleQueue[tuple[str, str | None]] = queue.SimpleQueue()

    def work() -> None:
        while True:
            try:
                address = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                answers.put((address, resolve(address)))
            except Exception:  # noqa: BLE001 - a resolver of the user's may raise anything; no answer is an answer
                answers.put((address, None))

    # Daemon threads: a resolver that hangs must not keep the program from ending.
    for _ in range(min(workers, len(addresses))):
        threading.Thread(target=work, daemon=True).start()
    found: dict[str, str] = {}
    late = threading.Event()
    timer = threading.Timer(timeout, late.set)
    timer.daemon = True
    timer.start()
    for _ in addresses:
        while not late.is_set():
            try:
                address, name = answers.get(timeout=0.05)
            except queue.Empty:
                continue
            if name:
                found[address] = name
            break
    timer.cancel()
    return dict(sorted(found.items()))
