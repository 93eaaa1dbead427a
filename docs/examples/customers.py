from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from zato.server.service import Service


@dataclass
class Customer:
    name: str
    since: date
    credit: Decimal


class Get(Service):
    name = "customers.get"

    def handle(self):
        return Customer(self.request.payload["name"], date(1833, 6, 5), Decimal("99.90"))
