"""What a server has for its services beside calling each other: time, configuration, Redis, cryptography, threads."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from zato.core.server_info import ServerInfo
from zato.core.times import Time
from zato.core.user_config import ConfigTable

__all__ = ["KVDB", "Crypto", "Facilities"]

Result = TypeVar("Result")


class KVDB(Protocol):
    """What `self.kvdb` is."""

    @property
    def conn(self) -> Any:
        """The client of redis-py for the Redis of the cluster; texts come back as texts.

        Raises:
            InvalidSetting: the server's broker is no Redis.
        """


class Crypto(Protocol):
    """What `self.crypto` is."""

    def generate_password(self, bits: int = 192) -> str:
        """Return a new random password of letters, digits, `-` and `_`, with so many random bits in it."""

    def generate_secret(self, bits: int = 256) -> str:
        """Return a new random secret, as `generate_password` does."""

    def hash_secret(self, text: str) -> str:
        """Return a hash of a password to be stored in its place: Argon2id, with a salt of its own.

        It takes some 30 ms of a processor on purpose: in an `AsyncService`, `await self.run_in_thread` it.
        """

    def verify_hash(self, text: str, hash: str) -> bool:
        """Tell whether a password is the one that a hash was made of. It takes as long as `hash_secret`.

        Raises:
            ValueError: the hash is none that `hash_secret` made.
        """

    def encrypt(self, text: str) -> str:
        """Return a text encrypted with the cluster's key, as a token of letters, digits, `-`, `_` and `=`.

        Raises:
            EnvironmentFault: `secrets.toml` had no `encryption_key` when the server was started.
        """

    def decrypt(self, token: str) -> str:
        """Return the text that a token of `encrypt` is of.

        Raises:
            DecryptionFailed: it was changed, or another key encrypted it.
            EnvironmentFault: as above.
        """


class Facilities(Protocol):
    """What a server has for its services. Used from any thread."""

    @property
    def time(self) -> Time:
        """Dates and times."""

    @property
    def server(self) -> ServerInfo:
        """The server that this process is of."""

    @property
    def kvdb(self) -> KVDB:
        """The Redis of the cluster."""

    @property
    def crypto(self) -> Crypto:
        """Passwords, hashes and encryption."""

    @property
    def user_config(self) -> ConfigTable:
        """The files of the folder `user-config` as they are now."""

    def name_by_id(self, service_id: object) -> str:
        """Return the name of a service by its id, which is its name, or that of its implementation.

        Raises:
            UnknownService: nothing is deployed under it.
        """

    def name_by_impl_name(self, impl_name: str) -> str:
        """Return the name of a service by that of its implementation: module and class.

        Raises:
            UnknownService: nothing is deployed under it.
        """

    async def run_in_thread(self, work: Callable[[], Result]) -> Result:
        """Run something that blocks on a thread, and return what it returns."""
