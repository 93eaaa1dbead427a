import asyncio
import tomllib
from pathlib import Path

from zato.client import AsyncServiceInvoker

password = tomllib.loads(Path("try/secrets.toml").read_text())["admin_invoke"]
auth = ("admin.invoke", password)


async def main():
    async with AsyncServiceInvoker("http://localhost:11223", "/zato/admin/invoke", auth) as client:
        calls = (client.invoke("hello.greet", {"name": name}) for name in ("Ada", "Grace", "Edith"))
        for response in await asyncio.gather(*calls):
            print(response.data if response.ok else response.details)

        cid = (await client.invoke_async("hello.greet", {"name": "Joan"})).data
        result = await client.result(cid, wait=60)
        print(result.status, result.data)


asyncio.run(main())
