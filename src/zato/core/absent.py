"""Names that older programs import and that are not here: what each was for, and what to use instead.

The modules that old programs import from say it when such a name is asked for; `zato migrate check` says it before.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["ABSENT", "PAGE", "Absent", "say_what_is_absent"]

PAGE = "docs/howto/move-from-zato.md"


@dataclass(frozen=True, slots=True)
class Absent:
    """A name that is not here.

    Attributes:
        purpose: what it was for, as the end of "It was for ...".
        instead: what to do, in sentences.
    """

    purpose: str
    instead: str

    def __str__(self) -> str:
        return f"It was for {self.purpose}. {self.instead}"


_DECLARED = "Declare `input` and `output`, or SimpleIO, with the types of `zato.server.service`."
_PARSED = "Payloads are JSON; parse XML with a library, such as `lxml`, from `self.request.payload`, which is the text."
_LIBRARY = "Use a library of Python for the connection, and keep its address in `self.user_config`."

_HTTP_ERROR = Absent(
    "errors with a status of one's own",
    "Raise the class of the status, such as `BadRequest`; catch all of them as `ServiceError`.",
)
_SCHEDULER = Absent("jobs of the scheduler", "Call `zato service invoke` from cron, or `invoke_async` with `delay=`.")
_PUBSUB = Absent("pub/sub", "Call the receivers with `invoke_async`; a queue of their own is `queue=`.")
_WEB_SOCKETS = Absent("WebSockets", "Use a library, such as `websockets`, in a program of its own that calls services.")
_SIO = Absent("the details of SimpleIO", _DECLARED)
_XML = Absent("XML and SOAP", _PARSED)
_CONNECTIONS = Absent("connections and channels", _LIBRARY)
_SECURITY = Absent("security definitions", "There are two users, `admin.invoke` and `pubapi`; check more in `accept`.")
_CACHE = Absent("the cache", "Use `functools.lru_cache`, or Redis by `self.kvdb.conn`.")
_SIDE = Absent("work at the side", "Call `self.run_in_thread`, or `self.invoke_async` if it must not be lost.")

# What `zato.common` and `zato.common.api` have had alike.
_CONSTANTS: Mapping[str, Absent] = {
    "AMQP": _CONNECTIONS,
    "CACHE": _CACHE,
    "CONNECTION": _CONNECTIONS,
    "HTTP_SOAP": _CONNECTIONS,
    "KVDB": Absent("keys of the key-value store", "Name the keys yourself, with `self.kvdb.conn`."),
    "PUBSUB": _PUBSUB,
    "SCHEDULER": _SCHEDULER,
    "SEC_DEF_TYPE": _SECURITY,
    "SIMPLE_IO": _SIO,
    "SMTPMessage": Absent("outgoing e-mail", "Use `email.message` and `smtplib` of Python."),
    "URL_TYPE": _CONNECTIONS,
    "WEB_SOCKET": _WEB_SOCKETS,
    "soap_body_path": _XML,
    "zato_namespace": _XML,
    "zato_path": _XML,
}

ABSENT: Mapping[str, Mapping[str, Absent]] = {
    "zato.common": {**_CONSTANTS, "HTTPException": _HTTP_ERROR},
    "zato.common.api": _CONSTANTS,
    "zato.common.exception": {"HTTPException": _HTTP_ERROR, "Reportable": _HTTP_ERROR},
    "zato.common.marshal_.api": {
        "MarshalAPI": Absent("turning dicts into models", "Declare `input = MyModel`, and read `self.request.input`."),
    },
    "zato.common.util": {"spawn_greenlet": _SIDE, "payload_from_request": _XML},
    "zato.common.util.api": {"spawn_greenlet": _SIDE, "payload_from_request": _XML},
    "zato.server.service": {
        "ForceType": _SIO,
        "Outgoing": _CONNECTIONS,
        "PubSubHook": _PUBSUB,
        "RESTAdapter": Absent("a REST connection as a service", "Use `requests` in `handle`."),
        "SIOElem": _SIO,
        "WSXAdapter": _WEB_SOCKETS,
    },
    "zato.server.service.internal": {
        "AdminSIO": Absent("the input of the server's own services", "Use a nested class `SimpleIO` of your own."),
    },
}


def say_what_is_absent(module: str) -> None:
    """Have a module say what a name was for when an old program imports it from there.

    A type checker does not see it, so that it goes on to report names that are not there.
    """
    absent = ABSENT[module]

    def answer(name: str) -> object:
        if name in absent:
            raise ImportError(f"{name!r} of {module} is not here. {absent[name]} See {PAGE}.", name=module)
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    vars(sys.modules[module])["__getattr__"] = answer
