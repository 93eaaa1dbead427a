from dataclasses import dataclass

from zato.common.typing_ import dictlist, strnone
from zato.server.service import Model, Service


@dataclass(init=False)
class Order(Model):
    order_id: int
    items: dictlist
    note: strnone = None


class CreateOrder(Service):
    input = Order

    def handle(self):
        order = self.request.input
        self.pubsub.publish('/shop/orders', data=order)
        self.response.payload = {'order_id': order.order_id, 'items': len(order.items)}
