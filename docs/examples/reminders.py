from zato.server.service import Retry, Service


class Remind(Service):
    name = "reminders.remind"

    def handle(self):
        hours = self.user_config["reminders"].hours
        return self.invoke_async("reminders.send", self.request.payload, delay=hours * 3600)


class Send(Service):
    name = "reminders.send"
    retry = Retry(attempts=3, backoff=60)

    def handle(self):
        self.invoke("mail.send", {"to": self.request.payload["mail"], "text": "Your order is waiting."})
