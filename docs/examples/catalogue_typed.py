from dataclasses import dataclass, field
from datetime import date

from zato.server.service import Model, Service


@dataclass
class Line(Model):
    product: str
    quantity: int = 1


@dataclass
class Order(Model):
    customer_id: str
    lines: list[Line]
    deliver_on: date | None = None
    tags: list[str] = field(default_factory=list)


@dataclass
class Receipt(Model):
    customer_id: str
    pieces: int
    deliver_on: date | None = None


class Accept(Service):
    name = "catalogue.accept"
    input: Order
    output: Receipt

    def handle(self):
        order = self.input
        return Receipt(order.customer_id, sum(line.quantity for line in order.lines), order.deliver_on)
