"""What old services use that is not here, or is otherwise here, and what to do about it.

Names that are imported are in `zato.core.absent`, because the modules they are imported from speak of them too; what
is older than this Python is in `python_rules`.
"""

from collections.abc import Iterable, Mapping

from zato.core.absent import ABSENT, PAGE
from zato.migrate.findings import Rule, Severity

__all__ = [
    "ALIASES",
    "ATTRIBUTES",
    "BUILTIN",
    "FILES",
    "METHODS",
    "MODULES",
    "NAMES",
    "UNKNOWN_MODULE",
    "UNKNOWN_NAME",
    "USES",
    "unknown_constant",
    "unknown_member",
]


def _missing(remedies: Mapping[str, str]) -> dict[str, Rule]:
    return {what: Rule(Severity.MISSING, remedy) for what, remedy in remedies.items()}


def _changed(remedies: Mapping[str, str]) -> dict[str, Rule]:
    return {what: Rule(Severity.CHANGED, remedy) for what, remedy in remedies.items()}


_CONFIG = "keep its address in `self.user_config`"
_CRON = "There is no scheduler: call `zato service invoke` from cron, or `self.invoke_async` with `delay=`."
_QUEUE = "There is no pub/sub: call the receivers with `self.invoke_async`; `queue=` gives them a queue of their own."
_CACHE = "There is no cache: use `functools.lru_cache` within one process, or Redis by `self.kvdb.conn`."

# Modules that are not here, with all that is in them.
MODULES: Mapping[str, Rule] = _missing(
    {
        "zato.admin": "The web admin here has nothing for services; what it does, built-in services do.",
        "zato.agent": f"Load is balanced by a proxy: see {PAGE}.",
        "zato.broker": "The broker is an inner part here; call services with `invoke` and `invoke_async`.",
        "zato.cache": _CACHE,
        "zato.common.broker_message": "Messages between servers are an inner part here; call services.",
        "zato.common.kvdb": "Use `self.kvdb.conn`, a client of redis-py.",
        "zato.common.odb": "There is no operational database; `config.toml` has the settings.",
        "zato.common.pubsub": _QUEUE,
        "zato.common.test": "Use `zato.testing`: it runs services in memory.",
        "zato.hl7": "Use `hl7apy` or `hl7`, and take messages in as the payload.",
        "zato.process": "Processes in steps are services that call each other with `callback=`.",
        "zato.scheduler": _CRON,
        "zato.server.base": "That was an inner part of the server; use what `self` has.",
        "zato.server.connection": f"Use a library of Python for the connection, and {_CONFIG}.",
        "zato.server.pattern": "Call `self.invoke_async` with `callback=`; or gather calls in an `AsyncService`.",
        "zato.server.pubsub": _QUEUE,
        "zato.sso": "There is no single sign-on; check users in `accept`, or in a proxy in front.",
        "zato.vault": "Keep secrets in files or variables of the process that the services read.",
        "zato.web_admin": "The web admin here has nothing for services; what it does, built-in services do.",
        "zato.zmq": f"Use `pyzmq`, and {_CONFIG}.",
    }
)
NAMES: Mapping[str, Rule] = {
    f"{module}.{name}": Rule(Severity.MISSING, str(absent))
    for module, names in ABSENT.items()
    for name, absent in names.items()
}
UNKNOWN_MODULE = Rule(Severity.MISSING, f"No module of this name is here; {PAGE} says what is.")
UNKNOWN_NAME = Rule(Severity.MISSING, f"See {PAGE}.")

# Of `self`. The longest that a chain of attributes begins with counts.
ATTRIBUTES: Mapping[str, Rule] = {
    **_missing(
        {
            "amqp": f"Use `pika` or `kombu`, and {_CONFIG}.",
            "broker_client": "Messages between servers are an inner part here; call services.",
            "cache": _CACHE,
            "cassandra_conn": f"Use `cassandra-driver`, and {_CONFIG}.",
            "cassandra_query": f"Use `cassandra-driver`, and {_CONFIG}.",
            "chan.security": "A request comes from `admin.invoke` or `pubapi`; check more in `accept`.",
            "channel.security": "A request comes from `admin.invoke` or `pubapi`; check more in `accept`.",
            "cloud": f"Use the provider's library, such as `boto3`, and {_CONFIG}.",
            "definition": f"Use a library of Python for the connection, and {_CONFIG}.",
            "email": "Use `smtplib` and `imaplib` of Python, with `email.message`.",
            "jwt": "Use `PyJWT`, and check the token in `accept`.",
            "kvdb.translate": "There are no dictionaries of translations; keep them in a file of `self.user_config`.",
            "odb": "There is no operational database; open one of your own with SQLAlchemy.",
            "out": f"There are no outgoing connections: use a library of Python, and {_CONFIG}.",
            "out.amqp": f"Use `pika` or `kombu`, and {_CONFIG}.",
            "out.es": f"Use `elasticsearch`, and {_CONFIG}.",
            "out.ftp": f"Use `ftplib` of Python, and {_CONFIG}.",
            "out.ldap": f"Use `ldap3`, and {_CONFIG}.",
            "out.mongodb": f"Use `pymongo`, and {_CONFIG}.",
            "out.odoo": f"Use `xmlrpc.client` of Python, and {_CONFIG}.",
            "out.plain_http": f"Use `requests`, and {_CONFIG}.",
            "out.redis": "Use `self.kvdb.conn`, or `redis` for another Redis.",
            "out.rest": f"Use `requests`, and {_CONFIG}.",
            "out.sftp": f"Use `paramiko`, and {_CONFIG}.",
            "out.soap": f"Use `zeep`, and {_CONFIG}.",
            "out.sql": f"Use SQLAlchemy, and {_CONFIG}.",
            "out.wsx": f"Use `websockets`, and {_CONFIG}.",
            "out.zmq": f"Use `pyzmq`, and {_CONFIG}.",
            "patterns": "Call `self.invoke_async` with `callback=` for each, or gather calls in an `AsyncService`.",
            "pubsub": _QUEUE,
            "rbac": "There are no roles: check in `accept` who calls, and raise `Forbidden`.",
            "request.amqp": "There are no AMQP channels; read messages in a program that calls services.",
            "request.payload.getchildren": "The payload of XML is its text: parse it, for instance with `lxml`.",
            "request.payload.iterchildren": "The payload of XML is its text: parse it, for instance with `lxml`.",
            "request.payload.xpath": "The payload of XML is its text: parse it, for instance with `lxml`.",
            "request.wsx": "There are no WebSocket channels; use a library in a program that calls services.",
            "schedule": _CRON,
            "search": f"Use `elasticsearch` or `pysolr`, and {_CONFIG}.",
            "soap": "There is no SOAP: for a client use `zeep`; as a server take REST.",
            "sms": f"Use the provider's library, and {_CONFIG}.",
            "sql": f"Use SQLAlchemy, and {_CONFIG}.",
            "vault": "Keep secrets in files or variables of the process that the services read.",
            "worker_store": "That was an inner part of the server; use what `self` has.",
        }
    ),
    **_changed(
        {
            "crypto.decrypt": "What another server has encrypted is refused: its key is another one.",
            "crypto.verify_hash": "Hashes that another server made are refused: have people set new passwords.",
            "kvdb": "It needs the Redis of a cluster: set `broker` to its address. Without it, `self.kvdb` says so.",
        }
    ),
}
# Other names of the same.
ALIASES: Mapping[str, str] = {"outgoing": "out"}

# Of which `self` has an object of ours: the module and class that say what it has.
OBJECTS: Mapping[str, tuple[str, str]] = {
    "crypto": ("zato.core.facilities", "Crypto"),
    "request": ("zato.core.exchange", "Request"),
    "request.http": ("zato.core.exchange", "HTTPRequest"),
    "response": ("zato.core.exchange", "Response"),
    "server": ("zato.core.server_info", "ServerInfo"),
    "time": ("zato.core.times", "Time"),
}


def unknown_member(name: str, members: Iterable[str]) -> Rule:
    """Return the rule of what an object that `self` has does not have."""
    return Rule(Severity.MISSING, f"`self.{name}` has {', '.join(f'`{member}`' for member in sorted(members))}.")


def unknown_constant(kind: str, members: Iterable[str]) -> Rule:
    """Return the rule of what a class of constants does not have."""
    here = ", ".join(f"`{member}`" for member in sorted(members))
    return Rule(Severity.MISSING, f"{USES['constant'].remedy} `{kind}` has {here}.")


METHODS: Mapping[str, Rule] = _missing(
    {
        "after_job": _CRON,
        "after_one_time_job": _CRON,
        "before_job": _CRON,
        "before_one_time_job": _CRON,
    }
)

USES: Mapping[str, Rule] = {
    **_changed(
        {
            "return of a value in handle": "What is returned is the response now, and goes before "
            "`self.response.payload`. Return nothing if nobody is to see it.",
            "pid=": "One process of the server answers a client, whichever it is.",
            "all_pids=": "One process of the server answers a client, not each of them.",
            "option of self.invoke": "There is no such option here: it becomes the payload, or a part of "
            "it, unless there is one. Leave it out.",
            "option of SimpleIO": "It has no effect here; docs/howto/input-and-output.md says what SimpleIO has.",
            "AdminService as a base": "It is a service as any other one; name it without `zato` at the beginning.",
            "data_format of XML": "Payloads are JSON or text; parse and write XML in the service.",
        }
    ),
    **_missing(
        {
            "service in a folder below": "Only the services folder itself is read: put the file there. The service's "
            "name begins with the file's then, without folders, unless the class has a `name`.",
            "name that starts with zato": "Names that start with `zato` are the server's own: choose another one.",
            "name that is not legal": "Use printable characters, without spaces and without / ? # % and backslash.",
            "name that two services have": "Only the first is deployed: give one of them another name.",
            "option of self.invoke_async": "There is no such option here, and giving it is an error. Leave it out.",
            "attribute of self": "Services have no such attribute, and nothing in these files sets it; "
            "docs/howto/write-services.md says what they have.",
            "constant": "There is no such constant, so the line fails when it is reached.",
            "relative import": "Write `import name`: files of the services folder import each other by their names.",
            "schema": "Input is not checked against a JSON schema: declare a `Model` as `input`.",
            "async def handle of a Service": "Subclass `AsyncService`, or write `def handle`.",
        }
    ),
}

BUILTIN = Rule(Severity.MISSING, "This server has no such service; `zato service list` shows those it has.")

FILES: Mapping[str, Rule] = {
    **_missing(
        {
            "no regular file": "Look what it is; it was not read.",
            "unreadable": "Give yourself the right to read it, and check again.",
            "too large": "Move the data in it to a file of its own; it was not read.",
        }
    ),
    "not UTF-8": Rule(Severity.PYTHON, "Convert it to UTF-8, or declare its encoding in the first line."),
}
