from zato.server.service import Service
class MyService(Service):
    def handle(self):
        self.invoke_async('zato.ping', 'Hello from async!', callback='my.callback')
class MyCallback(Service):
    name = 'my.callback'
    def handle(self):
        self.logger.info('I received %r', self.request.payload)
