import tomllib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from zato.client import AnyServiceInvoker


@dataclass
class Customer:
    name: str
    since: date
    credit: Decimal


password = tomllib.loads(Path("try/secrets.toml").read_text())["admin_invoke"]

with AnyServiceInvoker("http://localhost:11223", "/zato/admin/invoke", ("admin.invoke", password)) as client:
    response = client.invoke("customers.get", {"name": "Ada"}, type=Customer)
    if response.ok:
        customer = response.data
        print(customer.name, customer.since.year, customer.credit / 2)
