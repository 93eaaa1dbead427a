import json
import time
from pathlib import Path

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


class Address(Service):
    name = "hello.address"

    def handle(self):
        addresses = json.loads(Path("addresses.json").read_text())
        return addresses[self.request.payload["name"]]
