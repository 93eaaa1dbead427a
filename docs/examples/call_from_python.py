import tomllib
from pathlib import Path

from zato.client import AnyServiceInvoker

password = tomllib.loads(Path("try/secrets.toml").read_text())["admin_invoke"]

with AnyServiceInvoker("http://localhost:11223", "/zato/admin/invoke", ("admin.invoke", password)) as client:
    response = client.invoke("hello.greet", {"name": "Ada"})
    print(response.data if response.ok else response.details)

    cid = client.invoke_async("hello.letter", {"name": "Ada"}).data
    result = client.result(cid, wait=60)
    print(result.status, result.data)
