"""The client for code that waits: threads, scripts, WSGI."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

from floorwalker_client._base import BaseClient, Settings, check_piece, make_label, shop_query
from floorwalker_client.fallback import fall_back
from floorwalker_client.fields import EventFields
from floorwalker_client.replies import Applied, Decision, LabelReceipt, Receipt
from floorwalker_client.sockets import SocketTransport
from floorwalker_client.steps import Pause, Steps

Result = TypeVar("Result")


class Client(BaseClient):
    """Talks to a Floorwalker server; any number of threads may share one.

    Settings: see `BaseClient`.

    >>> from floorwalker_client import FailurePolicy
    >>> client = Client("http://127.0.0.1:9", "fw_key", failing=FailurePolicy(by_type={"top_up": "block"}))
    >>> decision = client.decide({"type": "top_up", "account": "a-1", "amount_minor": 5000, "currency": "EUR"})
    >>> decision.action, decision.answered
    ('block', False)
    """

    def __init__(self, url: str, key: str, **settings: Unpack[Settings]) -> None:
        super().__init__(url, key, **settings)
        self._transport = SocketTransport(self._address, self._context)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are kept."""
        self._transport.close()

    def decide(self, event: EventFields | Mapping[str, object], *, timeout: float | None = None) -> Decision:
        """What to do about an event, within `timeout` seconds; it is counted.

        Where no decision comes (no answer in time, a refusal, a faulty event) the action is the failure policy's, and
        nothing is raised unless that says `raise`.
        """
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        known: object = event
        try:
            prepared = known = self.core.prepare(event)
            return self._run(self.core.decide(prepared, deadline), deadline)
        except Exception as error:  # noqa: BLE001 - whatever it is must not reach the shop's page
            return fall_back(self.failing, known, error)

    def applied(
        self, decision_id: str, action: str, *, by: str = "policy", reason: str = "", patience: float | None = None
    ) -> Applied:
        """Report what was really done about a decision; `by` names whoever overrode it.

        Raises `ClientError`, as every method below.
        """
        deadline = self._deadline(patience)
        return self._run(self.core.apply(decision_id, action, by, reason, deadline), deadline)

    def send(
        self,
        events: Iterable[EventFields | Mapping[str, object]],
        *,
        piece: int = 1000,
        patience: float | None = None,
    ) -> Receipt:
        """Tell of events nobody waits for, `piece` in a body; may be repeated with the same ids without harm.

        Raises `PartlySentError` where some pieces went through before the server stopped answering.
        """
        check_piece(piece)
        deadline = self._deadline(patience)
        return self._run(self.core.send([self.core.prepare(event) for event in events], piece, deadline), deadline)

    def label(
        self,
        subject_kind: str,
        subject: str,
        *,
        source: str,
        abuse_type: str = "",
        value: float = 1.0,
        idempotency_key: str | None = None,
        patience: float | None = None,
        **others: str | float,
    ) -> LabelReceipt:
        """Say what turned out to be true of a subject; `others` are further fields of a label (`docs/server.md`).

        With an `idempotency_key` of your own the label is kept once, however often the call is made.
        """
        deadline = self._deadline(patience)
        body = make_label(self.core, subject_kind, subject, source, abuse_type, value, others)
        return self._run(self.core.label(body, idempotency_key, deadline), deadline)

    def withdraw_label(self, label_id: str, *, patience: float | None = None) -> None:
        """Take a label back."""
        deadline = self._deadline(patience)
        self._run(self.core.withdraw(label_id, deadline), deadline)

    def entity(
        self, kind: str, identity: str, *, shop: str | None = None, patience: float | None = None
    ) -> dict[str, Any]:
        """What is known of an account, a device, …: risk, features, timeline, links."""
        deadline = self._deadline(patience)
        return self._run(self.core.read(("entities", kind, identity), shop_query(self.core, shop), deadline), deadline)

    def decision(self, decision_id: str, *, patience: float | None = None) -> dict[str, Any]:
        """A decision with everything it was made of."""
        deadline = self._deadline(patience)
        return self._run(self.core.read(("decisions", decision_id), {}, deadline), deadline)

    def collector_script(self, *, patience: float | None = None) -> bytes:
        """The browser collector, to be served under the shop's own name."""
        deadline = self._deadline(patience)
        return self._run(self.core.fetch("/v1/collector.js", deadline), deadline).body

    def _run(self, steps: Steps[Result], deadline: float) -> Result:
        try:
            step = next(steps)
            while True:
                if isinstance(step, Pause):
                    time.sleep(step.seconds)
                    step = next(steps)
                    continue
                try:
                    answer = self._transport.send(step, deadline)
                except Exception as error:  # noqa: BLE001 - the steps decide what becomes of it
                    step = steps.throw(error)
                else:
                    step = steps.send(answer)
        except StopIteration as done:
            result: Result = done.value
            return result
