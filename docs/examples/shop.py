from zato.server.service import Service


class Import(Service):
    name = "shop.import"

    def handle(self):
        rows = self.request.payload["rows"]
        return self.invoke_async_many(
            {"name": "shop.price", "payload": row, "priority": "low", "queue": "imports"} for row in rows
        )


class Price(Service):
    name = "shop.price"
    max_concurrency = 2
    retry = 3
    time_limit = 60

    def handle(self):
        row = self.request.payload
        with self.lock(f"product {row['product']}", expires=20, timeout=10):
            self.logger.info("%s costs %s", row["product"], row["price"])
        return row["product"]
