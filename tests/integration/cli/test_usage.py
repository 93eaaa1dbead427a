"""Help, and what is typed wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import Zato
from tests.support.environments import run_zato
from tests.support.subprocesses import run_python
from zato import __version__

COMMANDS = {
    "": ("create", "start", "stop", "wait", "service", "invocation", "quickstart"),
    "create": ("--port", "--host", "--name", "--admin-invoke-password", "--pubapi-password"),
    "start": ("--port", "--fg"),
    "stop": ("PATH",),
    "wait": ("--timeout",),
    "service": ("invoke", "list"),
    "service invoke": ("--payload", "--headers", "--async, --is-async", "--expiration", "--verbose", "--json"),
    "service list": ("--json",),
    "invocation": ("show",),
    "invocation show": ("--wait", "--json"),
    "quickstart": ("create",),
    "quickstart create": ("--port",),
}
MISSPELT = [
    pytest.param("creat", "There is no command 'creat'. Did you mean 'create'?", id="command"),
    pytest.param("service invok", "There is no command 'invok'. Did you mean 'invoke'?", id="subcommand"),
    pytest.param("xyzzy", "Commands: demo, create, start, ", id="unlike-any"),
    pytest.param("--colour", "No such option '--colour'", id="option-of-the-root"),
    pytest.param("start", "Missing argument 'PATH'", id="no-path"),
    pytest.param("service invoke .", "Name the service, or give many calls with --many", id="no-service"),
    pytest.param("stop . .", "unexpected extra argument", id="one-too-many"),
    pytest.param("start . --port many", "'many' is not a valid integer", id="port-is-a-word"),
    pytest.param("wait . --timeout soon", "'soon' is not a valid number of seconds", id="timeout-is-a-word"),
    pytest.param("wait . --timeout nan", "'nan' is not a valid number of seconds", id="timeout-is-no-number"),
    pytest.param("wait . --timeout inf", "'inf' is not a valid number of seconds", id="timeout-is-endless"),
    pytest.param("wait . --timeout -1", "-1.0 is not in the range x>=0", id="timeout-in-the-past"),
    pytest.param("invocation show . abc --wait -1", "-1.0 is not in the range x>=0", id="wait-in-the-past"),
    pytest.param("service invoke . crm --expiration -1", "-1.0 is not in the range", id="expiration-in-the-past"),
    pytest.param("service invoke . crm --max-cid-repr -1", "-1 is not in the range", id="negative-length-of-cid"),
    pytest.param("service invoke . crm --max-response-repr x", "is not a valid integer", id="length-is-a-word"),
    pytest.param("service invoke . crm --url-path zato", "'zato' does not start with a slash", id="path-without-slash"),
    pytest.param("service invoke . crm --url-path @host/", "does not start with a slash", id="path-is-another-host"),
    pytest.param("service invoke . crm --headers x", "'x' is no header. Write them as 'k=v;k2=v2'", id="no-header"),
    pytest.param("service invoke . crm --headers a=1;=2", "'=2' is no header", id="header-without-name"),
    pytest.param("service invoke . crm --headers a:b=1", "'a:b=1' is no header", id="header-with-colon"),
    pytest.param("service invoke . crm --headers a=ż", "'a=ż' is no header", id="header-not-latin-1"),
    pytest.param(
        "service invoke . crm --payload @nowhere.json", "'nowhere.json' cannot be read: No such file", id="file"
    ),
    pytest.param("service invoke . crm --payload @/", "'/' cannot be read: Is a directory", id="folder-as-payload"),
    pytest.param("service invoke . crm --payload \udcff", "it is not UTF-8", id="payload-not-utf-8"),
    pytest.param("invocation list . --status faild", "Did you mean 'failed'?", id="status"),
    pytest.param("invocation cancel . --all --status runing", "Did you mean 'running'?", id="status-to-cancel"),
    pytest.param("invocation replay . --all --status canceled", "Did you mean 'cancelled'?", id="status-to-replay"),
    pytest.param("logs . --level wraning", "Did you mean 'warning'?", id="level-of-lines"),
    pytest.param("log-level . Wraning", "Did you mean 'warning'?", id="level"),
    pytest.param("log-level . defalt", "Did you mean 'default'?", id="level-by-default"),
    pytest.param("completion bsh", "Did you mean 'bash'?", id="shell"),
    pytest.param("password . pubap", "Did you mean 'pubapi'?", id="user"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command or "zato")
def test_help(zato: Zato, command: str) -> None:
    """Every command explains itself on stdout, with all that it takes."""
    done = zato(*command.split(), "--help")

    assert (done.code, done.err) == (0, "")
    assert [words for words in COMMANDS[command] if words not in done.out] == []


@pytest.mark.parametrize("group", ["", "service", "invocation", "quickstart"], ids=lambda group: group or "zato")
def test_group_alone_shows_its_commands(zato: Zato, group: str) -> None:
    """A command that is not complete is an error that lists what could follow."""
    done = zato(*group.split())
    assert (done.code, done.out, COMMANDS[group][0] in done.err) == (2, "", True)


@pytest.mark.parametrize(("line", "words"), MISSPELT)
def test_wrong_usage(zato: Zato, line: str, words: str) -> None:
    """What cannot be meant ends with status 2 before anything is done, and stderr says what is wrong."""
    done = zato(*line.split())
    assert (done.code, done.out) == (2, "")
    assert words in done.err


def test_version(zato: Zato) -> None:
    """The version is that of the package."""
    assert zato("--version").out == f"zato, version {__version__}\n"


def test_installed_command_is_the_same() -> None:
    """The script that installation makes ends with the status and the streams of the function tested here."""
    done = run_zato("creat")
    assert (done.returncode, done.stdout, "Did you mean 'create'?" in done.stderr) == (2, "", True)


@pytest.mark.parametrize(
    ("line", "forbidden"),
    [
        pytest.param("--help", "zato.client", id="help-loads-no-client"),
        pytest.param("service invoke --help", "zato.server", id="invoke-loads-no-server"),
        pytest.param("service list --help", "structlog", id="list-loads-no-logs"),
        pytest.param("start --help", "structlog", id="start-loads-no-colours"),
        pytest.param("start --help", "zato.broker.base", id="start-loads-no-broker"),
        pytest.param("config explain -", "rich", id="a-pipe-loads-no-rich"),
        pytest.param("--help", "importlib.metadata", id="help-reads-no-metadata"),
    ],
)
def test_command_loads_what_it_needs(line: str, forbidden: str) -> None:
    """The command line starts fast, because each command is imported when it is given."""
    program = f"""
import atexit, sys
from zato.cli.main import main
atexit.register(lambda: print("LOADED", {forbidden!r} in sys.modules))
sys.argv = ["zato", *{line.split()!r}]
main()
"""
    assert run_python(program).splitlines()[-1] == "LOADED False"


def test_rival_installation_is_reported_once(tmp_path: Path) -> None:
    """Distributions whose files overwrite ours are named on stderr, and the command is carried out."""
    (tmp_path / "zato_client-3.2.1.dist-info").mkdir()
    (tmp_path / "zato_client-3.2.1.dist-info" / "METADATA").write_text("Name: zato-client\nVersion: 3.2.1\n")
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    done = run_zato("service", "list", "nowhere", env={**os.environ, "PYTHONPATH": path})
    assert (done.returncode, done.stdout, done.stderr.count("pip uninstall zato-client'")) == (2, "", 1)
    assert done.stderr.startswith("Warning: zato-client and openzato install the same files.")


@pytest.mark.parametrize("when", ["main.conflict_message", "main.root", "lazy.import_module"])
def test_ctrl_c_before_a_command_runs(when: str) -> None:
    """It ends the command without a traceback, however early it comes."""
    program = f"""
import sys
from zato.cli import lazy, main
def interrupted(*_, **__): raise KeyboardInterrupt
{when} = interrupted
sys.argv = ["zato", "service", "list", "nowhere"]
main.main()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "", "Aborted!")
