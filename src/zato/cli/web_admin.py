"""`zato web-admin start`: the pages for a server, in a process of their own.

Only this command reads files of the environment. The pages reach the server as any client does.
"""

import logging
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import click

from zato.cli.layers import layers_at_start
from zato.cli.parameters import FOLDER
from zato.core.envelope import ADMIN_USER
from zato.core.errors import EnvironmentFault
from zato.environment import Environment
from zato.ports import reserve
from zato.running import url_of
from zato.tls import TLSFiles, tls_files

__all__ = ["start"]

FILE = click.Path(resolve_path=True)
# What the extra brings, by the names that it is imported by.
EXTRA = frozenset({"anyio", "jinja2", "markupsafe", "pygments", "starlette"})


@click.command
@click.argument("path", type=FOLDER)
@click.option("--host", "web_admin_host", help="Address to listen on, instead of web_admin_host in config.toml.")
@click.option("--port", type=click.IntRange(0, 65535), help="TCP port, instead of web_admin_port; 0 for a free one.")
@click.option("--tls-cert", type=FILE, help="Certificate chain in PEM, to serve HTTPS; needs --tls-key.")
@click.option("--tls-key", type=FILE, help="Its private key in PEM.")
@click.option("--trust-proxy", is_flag=True, help="Believe X-Forwarded-For and X-Forwarded-Proto of a proxy before it.")
@click.option("--companion", is_flag=True, hidden=True)
@click.pass_obj
def start(
    variables: Mapping[str, str],
    /,
    *,
    path: Path,
    port: int | None,
    trust_proxy: bool,
    companion: bool,
    **given: str | None,
) -> None:
    """Serve the web admin of the environment in PATH. Ctrl-C stops it.

    The server may start and stop meanwhile: the pages say so, and go on. People log in with a name and a password
    that 'zato user create' makes. With the setting web_admin it starts with the server. Without --tls-cert it speaks
    what its server does: HTTPS with the tls_cert of config.toml, or plain HTTP.
    """
    environment = Environment(path).check()
    overrides = {name: value for name, value in given.items() if value is not None}
    settings = environment.settings(*layers_at_start(variables, overrides))
    environment.credentials()
    tls = tls_files(settings, environment.path)
    host, port = settings.web_admin_host, settings.web_admin_port if port is None else port
    with reserve(host, port, setting="web_admin_host") as kept:
        listening = kept.getsockname()[:2]
        address = url_of(host, listening[1], tls=tls is not None)

        def ready() -> None:
            _say(path, address, is_companion=companion)

        trusts_proxy = trust_proxy or settings.web_admin_trust_proxy
        _serve(environment, listening, tls, ready, trusts_proxy=trusts_proxy, ends_with=0 if companion else None)


def _serve(
    environment: Environment,
    listening: tuple[str, int],
    tls: TLSFiles | None,
    ready: Callable[[], None],
    *,
    trusts_proxy: bool,
    ends_with: int | None,
) -> None:
    try:
        from zato.web_admin.app import make_app
        from zato.web_admin.door import Address, Door
        from zato.web_admin.serving import Listening, serve
        from zato.web_admin.visit import Options
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in EXTRA:
            raise
        raise EnvironmentFault(
            f"The web admin needs {error.name}, which is not installed: pip install 'openzato[admin]'"
        ) from error

    def locate() -> Address:
        server = environment.running()
        password = environment.credentials().admin_invoke
        return Address(server.address, ADMIN_USER, password, str(environment.path), server.tls_fingerprint)

    host, port = listening
    files = (None, None) if tls is None else (tls.certificate, tls.key)
    options = Options(port=port, is_tls=tls is not None, trusts_proxy=trusts_proxy)
    where = Listening(host=host, port=port, certificate=files[0], key=files[1])
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    serve(make_app(Door(locate), options), where, ready, ends_with=ends_with)


def _say(path: Path, address: str, *, is_companion: bool) -> None:
    click.echo(f"Web admin at {address}")
    if not is_companion:
        click.echo(f"  log in    as admin, or as whom 'zato user create {shlex.quote(str(path))}' has made")
        click.echo("  stop      Ctrl-C")
    sys.stdout.flush()
