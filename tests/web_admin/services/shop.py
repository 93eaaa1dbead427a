"""Services for people to look at, to invoke, and to see fail."""

from dataclasses import dataclass

from zato.server.service import AsyncService, Service

PRICES = {"tea": 3, "coffee": 4}


@dataclass
class PriceRequest:
    """What a price is asked of.

    Attributes:
        item: what is bought.
        amount: how many of it.
    """

    item: str
    amount: int = 1


class Price(Service):
    """Says what an item costs.

    The second paragraph of a docstring is shown on the service's page.
    """

    name = "shop.price"
    input = PriceRequest

    def handle(self) -> None:
        asked = self.request.input
        self.response.payload = {"item": asked.item, "cost": PRICES.get(asked.item, 1) * asked.amount}


class Order(Service):
    """Takes an order, and fails without a customer: what a newcomer finds, corrects and replays."""

    name = "shop.order"

    def handle(self) -> None:
        order = self.request.payload or {}
        if not order.get("customer"):
            raise ValueError("An order needs a customer, and this one has none: 'customer' is missing")
        self.response.payload = {"ordered": order}


class Basket(Service):
    """Has other services called: a tree of calls."""

    name = "shop.basket"

    def handle(self) -> None:
        cid = self.invoke_async("shop.price", {"item": "tea"}, callback="shop.told")
        self.invoke_async("shop.order", {"customer": "Ada"})
        self.response.payload = {"cid": cid}


class Told(Service):
    """Gets what another service returned."""

    name = "shop.told"

    def handle(self) -> None:
        self.response.payload = "told"


class Report(AsyncService):
    """Returns as many characters as it is asked for."""

    name = "shop.report"

    async def handle(self) -> None:
        self.response.payload = {"text": "x" * int((self.request.payload or {}).get("size", 1000))}


class Markup(Service):
    """Returns or raises what a browser must never take for its own: <script>document.title = "taken"</script>."""

    name = "shop.markup"

    def handle(self) -> None:
        asked = self.request.payload or {}
        text = "</pre><script>document.title = 'taken'</script><img src=x onerror=\"document.title='taken'\">"
        if asked.get("fail"):
            raise ValueError(text)
        self.response.payload = {"html": text, "asked": asked}
