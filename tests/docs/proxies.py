"""nginx, Caddy and HAProxy, run with the files of the documentation in front of a real server."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.certificates import Certificates, make_certificates
from tests.support.environments import PASSWORD, free_port
from tests.support.waiting import wait_until

__all__ = ["EXAMPLES", "Proxy", "caddy", "caddy_of_web_admin", "haproxy", "nginx", "nginx_of_web_admin"]

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
# Where scripts/proxies.sh puts them, for `make test`.
FETCHED = ROOT / ".venv" / "proxies"
AUTH = ("pubapi", PASSWORD)

AROUND_NGINX = """
daemon off;
{user}
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 1;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""
BEFORE_CADDY = "{\n\tadmin off\n\tauto_https disable_redirects\n\tlog {\n\t\toutput file FOLDER/error.log\n\t}\n}\n"


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that runs.

    Attributes:
        address: where it answers, as `https://host:port`.
        authority: who signed its certificate.
    """

    address: str
    authority: Path

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send a request through it, as `pubapi` unless `auth` says otherwise, on a connection of its own."""
        with requests.Session() as session:
            session.trust_env = False
            session.verify = str(self.authority)
            return session.request(method, self.address + path, **{"auth": AUTH, "timeout": 20, **options})


@contextmanager
def nginx(folder: Path, upstream: int, *, insert: str = "") -> Iterator[Proxy]:
    """Run nginx with the file of the documentation for a server's port.

    Args:
        folder: where it keeps its files.
        upstream: the server's port.
        insert: what a page tells to add, before the first `location`.
    """
    published = {
        "/etc/ssl/crm/chain.pem": "{CHAIN}",
        "/etc/ssl/crm/key.pem": "{KEY}",
        "127.0.0.1:11223": f"127.0.0.1:{upstream}",
        "    location /zato/api/ {": f"{insert}    location /zato/api/ {{",
    }
    with _nginx(folder, "nginx.conf", published, "/zato/ping") as proxy:
        yield proxy


@contextmanager
def _nginx(folder: Path, example: str, published: dict[str, str], path: str) -> Iterator[Proxy]:
    certificates, port = make_certificates(folder, "localhost"), free_port()
    site = _with(
        (EXAMPLES / example).read_text("utf-8"), {**published, "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;"}
    )
    site = site.replace("{CHAIN}", str(certificates.chain)).replace("{KEY}", str(certificates.key))
    (folder / "site.conf").write_text(site, "utf-8")
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(AROUND_NGINX.format(folder=folder, user=user), "utf-8")
    command = [_program("nginx"), "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf"]
    with _running(command, folder, port, certificates, path) as proxy:
        yield proxy


@contextmanager
def caddy(folder: Path, upstream: int) -> Iterator[Proxy]:
    """Run Caddy with the file of the documentation for a server's port, and a certificate of the test."""
    published = {"crm.example.com {": "{SITE}", "127.0.0.1:11223": f"127.0.0.1:{upstream}"}
    with _caddy(folder, "Caddyfile", published, "/zato/ping") as proxy:
        yield proxy


@contextmanager
def caddy_of_web_admin(folder: Path, upstream: int) -> Iterator[Proxy]:
    """Run Caddy with the file of the documentation for a web admin's port."""
    published = {"admin.example.com {": "{SITE}", "127.0.0.1:8183": f"127.0.0.1:{upstream}"}
    with _caddy(folder, "web-admin.Caddyfile", published, "/login") as proxy:
        yield proxy


@contextmanager
def nginx_of_web_admin(folder: Path, upstream: int) -> Iterator[Proxy]:
    """Run nginx with the file of the documentation for a web admin's port."""
    published = {
        "/etc/ssl/admin/chain.pem": "{CHAIN}",
        "/etc/ssl/admin/key.pem": "{KEY}",
        "http://127.0.0.1:8183": f"http://127.0.0.1:{upstream}",
    }
    with _nginx(folder, "web-admin.nginx.conf", published, "/login") as proxy:
        yield proxy


@contextmanager
def _caddy(folder: Path, example: str, published: dict[str, str], path: str) -> Iterator[Proxy]:
    certificates, port = make_certificates(folder, "localhost"), free_port()
    site = f"https://localhost:{port} {{\n\ttls {certificates.chain} {certificates.key}"
    text = _with((EXAMPLES / example).read_text("utf-8"), published).replace("{SITE}", site)
    (folder / "Caddyfile").write_text(BEFORE_CADDY.replace("FOLDER", str(folder)) + text, "utf-8")
    command = [_program("caddy"), "run", "--config", f"{folder}/Caddyfile", "--adapter", "caddyfile"]
    with _running(command, folder, port, certificates, path) as proxy:
        yield proxy


@contextmanager
def haproxy(folder: Path, *upstreams: int) -> Iterator[Proxy]:
    """Run HAProxy with the file of the documentation, in front of up to three servers; of one, three times."""
    certificates, port = make_certificates(folder, "localhost"), free_port()
    (folder / "both.pem").write_bytes(certificates.chain.read_bytes() + certificates.key.read_bytes())
    published = {"bind :443": f"bind 127.0.0.1:{port}", "/etc/ssl/crm/both.pem": str(folder / "both.pem")}
    for number, address in enumerate(("10.0.0.11:11223", "10.0.0.12:11223", "10.0.0.13:11223")):
        published[address] = f"127.0.0.1:{upstreams[number % len(upstreams)]}"
    file = folder / "haproxy.cfg"
    file.write_text(_with((EXAMPLES / "haproxy.cfg").read_text("utf-8"), published), "utf-8")
    # With -dW it takes a warning for an error.
    command = [_program("haproxy"), "-dW", "-db", "-f", str(file)]
    subprocess.run([*command, "-c"], check=True, stdout=subprocess.DEVNULL)
    with _running(command, folder, port, certificates) as proxy:
        yield proxy


@contextmanager
def _running(
    command: list[str], folder: Path, port: int, certificates: Certificates, path: str = "/zato/ping"
) -> Iterator[Proxy]:
    with (folder / "output.txt").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, "HOME": str(folder)})
    try:
        proxy = Proxy(f"https://localhost:{port}", certificates.authority)
        wait_until(lambda: _answers(proxy, path), 20, what=f"an answer of {command[0]}, see {folder}")
        yield proxy
    finally:
        process.terminate()
        process.wait(60)


def _answers(proxy: Proxy, path: str) -> bool:
    try:
        return proxy.ask("GET", path).ok
    except requests.ConnectionError:
        return False


def _program(name: str) -> str:
    """Return where a proxy's program is; skip the test if it is nowhere."""
    found = shutil.which(name, path=f"{FETCHED}/bin:{os.environ['PATH']}:/usr/sbin")
    if found is None:
        reason = f"{name} is not here; on Debian: sh scripts/proxies.sh .venv/proxies"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def _with(text: str, replaced: dict[str, str]) -> str:
    """Return an example with what differs on a reader's machine."""
    for published, ours in replaced.items():
        assert text.count(published) == 1, published
        text = text.replace(published, ours)
    return text
