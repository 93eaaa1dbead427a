from zato.server.service import Service


class Order(Service):
    name = "order"

    def handle(self):
        key = self.request.http.headers.get("idempotency-key")
        self.response.status_code = 202
        return {"cid": self.invoke_async("order.place", self.request.payload, idempotency_key=key)}


class Place(Service):
    name = "order.place"

    def handle(self):
        self.logger.info("Placing %s", self.request.payload)
