"""`zato.service.check-input`: whether a service would take an input, without running it."""

from functools import partial
from typing import Any

from zato.core.elements import Contract
from zato.core.errors import BadRequest
from zato.server.builtin.inputs import read_object, text_of
from zato.server.deployment import Deployment
from zato.server.failures import message_of, run_contained
from zato.server.service import AsyncService
from zato.server.threads import Budget

__all__ = ["CheckInput"]

# Seconds. A model may run code of its own.
LIMIT = 10.0


class CheckInput(AsyncService):
    """Tells whether the input that a service declares accepts a payload. The service does not run.

    Input: `name`; `payload`, any JSON, by default an empty one.
    Output: `ok`; `message`, what a caller with that payload would be told, or null. A service that declares no input
    accepts everything. What its own `validate_input` refuses is not known before it runs. An unknown name is a 404.
    """

    name = "zato.service.check-input"

    def __init__(self, deployment: Deployment, slots: Budget) -> None:
        """Take what knows of services, and the slots for what may block."""
        self._deployment = deployment
        self._slots = slots

    async def handle(self) -> dict[str, Any]:
        """Return `{"ok": ..., "message": ...}`."""
        fields = read_object(self.request.payload, "name", "payload")
        name = text_of(fields, "name")
        if name is None:
            raise BadRequest("Give 'name', the name of a service.")
        contract = self._deployment.get(name).plan.contract
        message = None
        if contract.has_input:
            work = partial(_refusal, contract, fields.get("payload", ""))
            message = await self._slots.run(work, label=name, timeout=LIMIT)
        return {"ok": message is None, "message": message}


def _refusal(contract: Contract, payload: object) -> str | None:
    """Return why a payload is not accepted, or None if it is."""
    try:
        run_contained(partial(contract.read, payload, {}))
    except BadRequest as error:
        return str(error)
    except Exception as error:
        return f"{type(error).__name__}: {message_of(error)}"
    return None
