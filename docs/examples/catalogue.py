from zato.server.service import Date, DictList, Int, Service

PRICES = {"chair": 120, "table": 480}


class Order(Service):
    name = "catalogue.order"
    input = "customer_id", "-note", Date("-deliver_on"), DictList("lines", "product", Int("quantity"))
    output = "customer_id", Int("total"), "-note", Date("-deliver_on")

    def handle(self):
        given = self.request.input
        self.response.payload.customer_id = given.customer_id
        self.response.payload.total = sum(PRICES[line.product] * line.quantity for line in given.lines)
        if given.deliver_on:
            self.response.payload.deliver_on = given.deliver_on


class Products(Service):
    name = "catalogue.products"
    input = Int("-above", default=0)
    output = "product", Int("price")

    def handle(self):
        for product, price in PRICES.items():
            if price > self.request.input.above:
                self.response.payload.append({"product": product, "price": price})
