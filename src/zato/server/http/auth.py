"""HTTP Basic authentication of machine users (RFC 7617)."""

import base64
import binascii
import hmac

from zato.core.errors import Unauthorized

__all__ = ["BasicAuth"]


class BasicAuth:
    """One user with one password.

    Attributes:
        user: the name.
    """

    def __init__(self, user: str, password: str, realm: str) -> None:
        """Take the credentials, and the realm that a refused client is told."""
        self._realm = realm
        self.user = user
        self._credentials = f"{user}:{password}".encode()
        self._header = b"Basic " + base64.b64encode(self._credentials)

    def check(self, header: str | None) -> None:
        """Return if the value of the `Authorization` header is right.

        Raises:
            Unauthorized: it is missing, malformed or wrong.
        """
        if header is None:
            raise self._refusal(f"Send HTTP Basic credentials of the user {self.user!r}.")
        # The common spelling first; comparison takes the same time wherever the first difference is.
        if hmac.compare_digest(header.encode(), self._header):
            return
        scheme, _, encoded = header.strip().partition(" ")
        if scheme.lower() != "basic":
            raise self._refusal(f"Send HTTP Basic credentials, not {scheme[:20]!r}.")
        if not hmac.compare_digest(self._decoded(encoded), self._credentials):
            raise self._refusal(f"User or password is wrong; this address takes the user {self.user!r}.")

    def _decoded(self, encoded: str) -> bytes:
        try:
            return base64.b64decode(encoded.strip(), validate=True)
        except (binascii.Error, ValueError) as error:
            raise self._refusal("The HTTP Basic credentials are not base64.") from error

    def _refusal(self, message: str) -> Unauthorized:
        return Unauthorized.in_realm(self._realm, message)
