import requests

from zato.server.service import BadRequest, Retry, Service


class Rates(Service):
    name = "orders.rates"
    retry = Retry(attempts=5, backoff=2, on=(requests.ConnectionError, requests.Timeout), not_on=BadRequest)
    time_limit = 30

    def handle(self):
        return requests.get("https://rates.example.com/today", timeout=10).json()
