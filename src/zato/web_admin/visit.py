"""One request of a browser, as pages see it: who asks, what they ask, and how to answer."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from zato.web_admin.door import Door, Person
from zato.web_admin.errors import BadAddress
from zato.web_admin.jobs import Jobs
from zato.web_admin.lately import Lately
from zato.web_admin.outcomes import Outcomes
from zato.web_admin.rendering import Templates
from zato.web_admin.security import form_token

__all__ = ["ROLES", "Options", "Shared", "Visit"]

ROLES = ("viewer", "operator", "admin")
THEMES = ("light", "dark")
# How many seconds a notice has to reach the next page.
NOTICE_LASTS = 30
# What names of files had better not have.
UNFIT = re.compile(r"[^A-Za-z0-9._-]+")
LEGAL_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,100}")
MOST_FIELDS = 500
# How old the costly part of a page that goes on by itself may be, in seconds.
COSTLY_EVERY = 10.0


@dataclass(frozen=True, slots=True)
class Options:
    """How the web admin is served.

    Attributes:
        port: part of the cookies' names, because browsers give cookies to every port of a host.
        is_tls: whether it speaks HTTPS itself.
        trusts_proxy: whether `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    """

    port: int = 8183
    is_tls: bool = False
    trusts_proxy: bool = False


@dataclass(frozen=True, slots=True)
class Shared:
    """What all visits have in common."""

    door: Door
    templates: Templates
    options: Options
    jobs: Jobs = field(default_factory=Jobs)
    outcomes: Outcomes = field(default_factory=Outcomes)


class Visit:
    """One request of a browser.

    Attributes:
        request: as Starlette has it.
        body: of the request, once it was read.
        form: the fields of a form that was sent, the last of each name.
        user: who is logged in, or an empty text.
        role: `viewer`, `operator` or `admin`; empty before log-in.
        lately: of a page that goes on by itself, what is not asked for at each look.
    """

    def __init__(self, request: Request, shared: Shared) -> None:
        """Take the request; its body comes later."""
        self.request = request
        self.body = b""
        self.user = ""
        self.role = ""
        self.lately = Lately(COSTLY_EVERY)
        self._shared = shared

    @property
    def door(self) -> Door:
        """The way to the server."""
        return self._shared.door

    @property
    def jobs(self) -> Jobs:
        """What is done to many invocations by now."""
        return self._shared.jobs

    @property
    def options(self) -> Options:
        """How the web admin is served."""
        return self._shared.options

    @property
    def outcomes(self) -> Outcomes:
        """What calls of the invoker came to."""
        return self._shared.outcomes

    @property
    def path(self) -> str:
        """Path and query of the page, as a link."""
        # As it was sent: what is decoded and encoded again may be another path, such as that of the CID `a%41`.
        path, query = self.request.scope["raw_path"].decode("ascii", "replace"), self.request.url.query
        return f"{path}?{query}" if query else path

    @property
    def client(self) -> str:
        """The address that the browser has."""
        forwarded = self.request.headers.get("x-forwarded-for", "") if self.options.trusts_proxy else ""
        # The last one is what our own proxy saw; those before it are hearsay.
        last = forwarded.rpartition(",")[2].strip()
        return last or (self.request.client.host if self.request.client else "")

    @property
    def is_secure(self) -> bool:
        """Whether the browser came by HTTPS."""
        by_proxy = self.options.trusts_proxy and self.request.headers.get("x-forwarded-proto") == "https"
        return self.options.is_tls or by_proxy

    @property
    def token(self) -> str:
        """The session's token, or an empty text if there is none that could be one."""
        token = self.cookie("session")
        return token if LEGAL_TOKEN.fullmatch(token) else ""

    @property
    def person(self) -> Person:
        """Whom the server answers."""
        return Person(self.token, self.client)

    @cached_property
    def form(self) -> dict[str, str]:
        """The fields of the form.

        Raises:
            BadAddress: it is no form.
        """
        try:
            text = self.body.decode("utf-8")
            return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"))
        except ValueError as error:
            raise BadAddress("This is no form that a page of the web admin sends.") from error

    @property
    def query(self) -> dict[str, str]:
        """The query of the page's address, the last value of each name; empty ones are left out."""
        return {name: value for name, value in self.request.query_params.items() if value != ""}

    def may(self, role: str) -> bool:
        """Tell whether the person's role is this one or a higher one. It decides what is shown, not what is allowed."""
        return self.role in ROLES and ROLES.index(self.role) >= ROLES.index(role)

    def ask(self, service: str, payload: Mapping[str, Any] | None = None, **options: Any) -> Any:
        """Invoke a built-in service for the person; see `Door.ask`."""
        given = {name: value for name, value in (payload or {}).items() if value is not None}
        return self.door.ask(self.person, service, given, **options)

    def cookie(self, name: str) -> str:
        """Return the value of one of our cookies, or an empty text."""
        return self.request.cookies.get(self._cookie_name(name), "")

    def set_cookie(self, response: Response, name: str, value: str, *, seconds: int | None = None) -> None:
        """Set one of our cookies, or with an empty value remove it."""
        response.set_cookie(
            self._cookie_name(name),
            value,
            max_age=seconds if value else 0,
            path="/",
            secure=self.is_secure,
            httponly=True,
            samesite="lax",
        )

    def render(self, template: str, /, *, status: int = 200, **values: Any) -> Response:
        """Return a page."""
        notice = self._notice()
        text = self.fragment(template, notice=notice, **values)
        response = HTMLResponse(text, status)
        if notice is not None:
            self.set_cookie(response, "notice", "")
        return response

    def fragment(self, template: str, /, **values: Any) -> str:
        """Return a page, or a part of one, as HTML."""
        return self._shared.templates.render(template, {**self._always(), **values})

    def json(self, value: object, *, status: int = 200) -> Response:
        """Return JSON, for our own script."""
        return JSONResponse(value, status)

    def attachment(self, name: str) -> dict[str, str]:
        """Return the headers by which a browser saves a reply under a name, whatever characters the name has."""
        return {"Content-Disposition": f"attachment; filename={UNFIT.sub('-', name)}"}

    def redirect(self, path: str, *, notice: str = "", is_error: bool = False) -> Response:
        """Send the browser to another page, which shows a notice once."""
        response = RedirectResponse(path, 303)
        if notice:
            said = quote(json.dumps([notice, is_error]), safe="")
            self.set_cookie(response, "notice", said, seconds=NOTICE_LASTS)
        return response

    def link(self, *without: str, **changed: object) -> str:
        """Return the page's address with some parameters changed, or left out; None leaves one out, too."""
        kept = {name: value for name, value in self.query.items() if name not in without}
        query = {name: value for name, value in {**kept, **changed}.items() if value not in (None, "")}
        return f"{self.request.url.path}?{urlencode(query)}" if query else self.request.url.path

    def _always(self) -> dict[str, Any]:
        theme = self.cookie("theme")
        return {
            "visit": self,
            "user": self.user,
            "role": self.role,
            "form_token": form_token(self.token) if self.token else "",
            "theme": theme if theme in THEMES else "",
        }

    def _notice(self) -> Sequence[Any] | None:
        """Return the text that the page before left, and whether it tells of an error."""
        try:
            text, is_error = json.loads(unquote(self.cookie("notice")))
        except (ValueError, TypeError, RecursionError):
            return None
        return str(text), bool(is_error)

    def _cookie_name(self, name: str) -> str:
        return f"zato_admin_{self.options.port}_{name}"
