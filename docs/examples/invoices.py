from zato.server.service import AsyncService, Service


def print_on_paper(text, copies):
    return f"{copies} x {text}"


class Write(Service):
    name = "invoices.write"

    def handle(self):
        self.log_input()
        shop = self.user_config["shop"]
        due = self.time.reformat(self.request.payload["due"], "DD.MM.YYYY", "YYYY-MM-DD")
        self.logger.info("Due %s, to be paid to %s", due, shop.bank.name)
        return {
            "written": self.time.now(shop.timezone, "YYYY-MM-DD"),
            "due": due,
            "account": self.crypto.encrypt(shop.bank.account),
            "server": self.server.name,
        }


class Print(AsyncService):
    name = "invoices.print"

    async def handle(self):
        invoice = await self.invoke_by_id("invoices.write", self.request.payload)
        await self.sleep(0.1)
        account = self.crypto.decrypt(invoice["account"])
        return await self.run_in_thread(print_on_paper, f"Pay to {account} by {invoice['due']}", copies=2)
