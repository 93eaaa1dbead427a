from zato.server.service import BadRequest, Service


class Place(Service):
    name = "orders.place"

    def handle(self):
        return self.invoke_async(
            "orders.charge", self.request.payload, callback="orders.receipt", on_failure="orders.refused"
        )


class Charge(Service):
    name = "orders.charge"

    def handle(self):
        order = self.request.payload
        if order["amount"] > 100:
            raise BadRequest(f"The card of {order['customer']} takes 100 at most, not {order['amount']}.")
        return {"customer": order["customer"], "paid": order["amount"]}


class Receipt(Service):
    name = "orders.receipt"

    def handle(self):
        self.logger.info("A receipt for %s", self.request.payload)


class Refused(Service):
    name = "orders.refused"

    def handle(self):
        failure = self.request.payload
        self.logger.info("No order: %s", failure["error"]["message"])
