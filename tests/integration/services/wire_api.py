"""Services that show what reached them, and that answer with whatever they are told."""

import datetime
import decimal
import enum
import uuid
from dataclasses import dataclass
from typing import Any

import msgspec

from zato.server.service import AsyncService, Service


class Colour(enum.Enum):
    RED = "red"


@dataclass
class Customer:
    name: str
    since: datetime.date


class Order(msgspec.Struct):
    number: int
    lines: list[str]


RESPONSES: dict[str, Any] = {
    "text": "plain text",
    "text-that-is-json": '{"a": 1}',
    "empty-text": "",
    "none": None,
    "dict": {"a": {"b": [1, None, True]}},
    "empty-dict": {},
    "list": [1, "two"],
    "empty-list": [],
    "zero": 0,
    "no": False,
    "decimal": {"price": decimal.Decimal("12.300000000000000000001")},
    "bytes": "zażółć".encode(),
    "binary": b"\xff\x00",
    "dataclass": Customer("Ada", datetime.date(2026, 1, 2)),
    "struct": Order(7, ["x"]),
    "datetime": datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC),
    "uuid": uuid.UUID(int=1),
    "enum": Colour.RED,
    "set": {3, 1, 2},
    "response-element": {"response": {"a": 1}},
    "zato-element": {"zato_anything": [1]},
    "two-elements": {"response": 1, "other": 2},
    "other-element": {"data": 1},
    "status": {"a": 1},
}


class Reveal(Service):
    """Returns the type and value of its payload, and what came with it."""

    name = "wire.reveal"

    def handle(self) -> dict[str, Any]:
        request = self.request
        return {
            "type": type(request.payload).__name__,
            "payload": request.payload,
            "raw": request.raw_request,
            "channel": self.channel,
            "channel_name": self.channel.name,
            "data_format": self.data_format,
            "transport": self.transport,
            "method": request.http.method,
            "path": request.http.path,
            "params": request.http.params,
            "agent": request.http.headers.get("x-agent"),
            "POST": request.http.POST,
        }


class Respond(Service):
    """Answers with the response of that name, and sets what only other doors look at."""

    name = "wire.respond"

    def handle(self) -> None:
        self.response.payload = RESPONSES[self.request.payload]
        self.response.status_code = 202
        self.response.headers = {"X-Mine": "1"}
        self.response.content_type = "text/csv"


class RespondOnLoop(AsyncService):
    name = "wire.respond-on-loop"

    async def handle(self) -> Any:
        return RESPONSES[self.request.payload]
