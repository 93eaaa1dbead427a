"""What browsers are told, and what requests are let in: headers, origin, and tokens against forged forms.

A form is taken if the browser says that it comes from a page of ours (`Sec-Fetch-Site`, or else `Origin`), and if it
has the token of the session; both, because either alone has failed others.
"""

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

__all__ = ["HEADERS", "TOKEN_FIELD", "TOKEN_HEADER", "form_token", "from_elsewhere", "inside", "is_token"]

TOKEN_FIELD = "form_token"  # noqa: S105 -- the name of a field
TOKEN_HEADER = "X-Form-Token"  # noqa: S105 -- the name of a header

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        )
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def form_token(secret: str) -> str:
    """Return the token that forms of a session carry; whoever does not know the cookie cannot make it.

    Args:
        secret: the session's token, or that of the log-in page.
    """
    return hmac.new(secret.encode(), b"form", hashlib.sha256).hexdigest()


def is_token(given: str | None, secret: str) -> bool:
    """Tell whether a form's token is that of the session."""
    return bool(secret) and hmac.compare_digest((given or "").encode(), form_token(secret).encode())


def from_elsewhere(headers: Mapping[str, str]) -> bool:
    """Tell whether a browser says that a request comes from a page that is not ours.

    `Sec-Fetch-Site` is of the Fetch Metadata specification; `Origin` is sent by browsers that do not know it. Programs
    send neither.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and _host_of(origin) != headers.get("host", "")


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def inside(path: str) -> str:
    """Return a path of ours, whatever it was: nobody is sent to another site.

    Browsers read a backslash as a slash and leave out line ends and tabs, so a path that has any of them is not ours.
    """
    is_ours = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if is_ours else "/"
