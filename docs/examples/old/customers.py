# -*- coding: utf-8 -*-

from zato.common.exception import NotFound
from zato.server.service import Bool, Int, Service

CUSTOMERS = {1: {'name': 'Ada', 'email': 'ada@example.com', 'is_active': True}}


class GetCustomer(Service):
    """ Returns one customer.
    """
    name = 'customers.get'

    class SimpleIO:
        input_required = Int('customer_id')
        output_required = 'name', Bool('is_active')
        output_optional = 'email'

    def handle(self):
        customer = CUSTOMERS.get(self.request.input.customer_id)
        if not customer:
            raise NotFound(self.cid, 'There is no such customer')

        self.response.payload.name = customer['name']
        self.response.payload.email = customer['email']
        self.response.payload.is_active = customer['is_active']


class Import(Service):
    """ Has each customer imported in the background.
    """
    def handle(self):
        for customer_id in self.request.payload['ids']:
            self.invoke_async('customers.get', {'customer_id': customer_id}, callback='customers.imported')
        return len(self.request.payload['ids'])


class Imported(Service):
    name = 'customers.imported'

    def handle(self):
        self.logger.info('Imported %s in reply to %s', self.request.payload, self.in_reply_to)
