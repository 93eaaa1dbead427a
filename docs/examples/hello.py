import time

from zato.server.service import Service


class Greet(Service):
    name = "hello.greet"

    def handle(self):
        return f"Hello, {self.request.payload['name']}!"


class Letter(Service):
    name = "hello.letter"

    def handle(self):
        time.sleep(5)  # writing takes a while
        return self.invoke("hello.greet", self.request.payload)
