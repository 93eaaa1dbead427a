from zato.server.service import Service


class Find(Service):
    name = "customers.find"

    def handle(self):
        http = self.request.http
        if http.headers.get("x-tenant") != "acme":
            self.response.status_code = 404
            return {"error": "no such tenant"}
        return {"found": http.params["name"]}


def test_customer_is_found(zato):
    answer = zato.invoke(Find, method="GET", params={"name": "Ada"}, headers={"X-Tenant": "acme"})

    assert answer.data == {"found": "Ada"}


def test_tenant_is_checked(zato):
    assert zato.invoke(Find, method="GET").status_code == 404
