from zato.server.service import Service


class Export(Service):
    name = "orders.export"

    def handle(self):
        for order in self.request.payload["orders"]:
            if self.cancelled:
                return
            self.logger.info("Exported %s", order)
