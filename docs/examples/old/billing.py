from zato.common.api import SCHEDULER, ZATO_OK
from zato.server.service import Service
from zato.server.service.internal import AdminService


class Charge(Service):
    name = 'billing.charge'

    def handle(self):
        session = self.outgoing.sql.get('Billing DB').session()
        session.execute('insert into charges (customer) values (:customer)', self.request.payload)
        session.commit()

        bank = self.outgoing.plain_http['Bank']
        response = bank.conn.post(self.cid, self.request.payload)

        self.kvdb.conn.set('billing:last', response.text)
        self.cache.set('last', response.text)
        self.invoke('zato.pubsub.topic.get-list')
        self.invoke_async('billing.audit', ZATO_OK, pid=0)


class Audit(AdminService):
    name = 'zato.billing.audit'

    def handle(self):
        self.logger.info('Charged: %s', self.request.payload)
