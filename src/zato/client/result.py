"""How a background call stands, or ended: the record of `zato.invocation.get`, read as a response."""

from typing import Any, Generic, TypeVar

from zato.client.reply import Reply
from zato.client.response import ResponseOptions, ServiceInvokeResponse
from zato.core.invocation import OUTCOMES, Status
from zato.core.payload import encode
from zato.core.typed import member

__all__ = ["InvocationResult"]

T = TypeVar("T")


class InvocationResult(ServiceInvokeResponse[T], Generic[T]):
    """How a background call stands, or ended.

    `ok` is True only if the call is done; then `data` is what the service returned, read by the rules of `invoke`.

    Attributes:
        cid: the CID that was asked for.
        status: `waiting`, `delayed`, `running`, `stranded`, `done`, `failed`, `expired`, `cancelled`, or None if the
            question itself failed.
        record: all that the server told of the call: attempts, times, error and more. {} if the question failed.
    """

    def __init__(self, inner: Reply, options: ResponseOptions, *, cid: str) -> None:
        super().__init__(inner, options)
        self.cid = cid
        self.status: str | None = None
        self.record: dict[str, Any] = {}
        if self.ok:
            self._read(self.data)

    @property
    def is_final(self) -> bool:
        """Whether asking again can bring nothing new: there is an outcome, or the question itself failed."""
        return self.status is None or self.status in OUTCOMES

    def _read(self, record: Any) -> None:
        status = record.get("status") if isinstance(record, dict) else None
        self.ok = status == Status.DONE
        if isinstance(status, str):
            self.status, self.record = status, record
            self.details = "" if self.ok else _failure(record, status, self.cid)
            self._take(self._returned(record.get("response")))
        else:
            self.details = f"The server's reply about the call {self.cid!r} is no record of an invocation."
            self._take("")
        self.output_repeated = isinstance(self.data, list)

    def _returned(self, value: object) -> str:
        """Return the text of what the service returned; a number keeps its digits."""
        if value is None or isinstance(value, str):
            return value or ""
        return member(self.data_text, "response") or encode(value).decode()


def _failure(record: dict[str, Any], status: str, cid: str) -> str:
    error = record.get("error")
    if isinstance(error, dict) and error.get("message"):
        return str(error["message"])
    if status in OUTCOMES:
        return f"The call {cid!r} is {status}: its service did not run to an end."
    return f"The call {cid!r} is {status} and has no outcome yet. Ask again, or pass a longer wait."
