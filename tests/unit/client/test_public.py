"""What `zato.client` offers, and what the seed does with it."""

import pytest

import zato.client
from tests.support.httpd import CID, Reply, Request, ScriptedServer

# The client's code block of seeds/000, but for address and password.
SEED = """
from zato.client import AnyServiceInvoker

address = '{address}'
path = '/zato/admin/invoke'
auth = ('admin.invoke', 's3cret')

client = AnyServiceInvoker(address, path, auth)
response = client.{method}('zato.ping')

if response.ok:
    print(response.data)
else:
    print(response.details)
"""


NAMES = {
    "APIClient",
    "APIResponse",
    "AnyServiceInvoker",
    "AsyncInvokeResponse",
    "AsyncServiceInvoker",
    "AttrDict",
    "ConnectTimedOut",
    "ConnectionFailed",
    "ConnectionLost",
    "HTTPReply",
    "InvalidAddress",
    "InvalidType",
    "InvocationResult",
    "JSONClient",
    "JSONResponse",
    "JSONSIOClient",
    "JSONSIOResponse",
    "ManyInvokeResponse",
    "MissingExtra",
    "NetworkError",
    "ProxyFailed",
    "RawDataClient",
    "RawDataResponse",
    "ReadTimedOut",
    "Response",
    "ResponseMismatch",
    "Retry",
    "ServiceInvokeResponse",
    "TLSFailed",
    "WrongEventLoop",
}


def test_names() -> None:
    """These names are public, and nothing else."""
    assert set(zato.client.__all__) == NAMES


@pytest.mark.parametrize(
    ("method", "printed"), [("invoke", "{'pong': 'zato'}\n"), ("invoke_async", f"{CID}\n"), ("error", "Nope\n")]
)
def test_seed(server: ScriptedServer, capsys: pytest.CaptureFixture[str], method: str, printed: str) -> None:
    """The seed prints what it says it prints."""

    def ping(request: Request) -> Reply:
        return Reply.flat(CID if request.json["is_async"] else '{"zato_ping_response": {"pong": "zato"}}')

    server.script(Reply.error("Nope") if method == "error" else ping)
    exec(SEED.format(address=server.address, method="invoke" if method == "error" else method), {})

    assert capsys.readouterr().out == printed
