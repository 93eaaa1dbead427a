from zato.server.service import Integer, Service


class Stock(Service):
    name = "catalogue.stock"

    class SimpleIO:
        input_required = "product"
        input_optional = "warehouse", Integer("at_least")
        output_required = "product", Integer("pieces")
        output_optional = ("warehouse",)
        output_repeated = True

    def handle(self):
        found = [("chair", "north", 5), ("chair", "south", 12)]
        wanted = self.request.input.at_least or 0
        self.response.payload[:] = [
            {"product": product, "warehouse": warehouse, "pieces": pieces}
            for product, warehouse, pieces in found
            if product == self.request.input.product and pieces >= wanted
        ]
