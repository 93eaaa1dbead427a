"""The root of the error tree, and what is wrong before any service is asked: settings, folders, servers.

Import them from `zato.core.errors`, where the rest of the tree is.
"""

from typing import ClassVar

__all__ = [
    "DecryptionFailed",
    "EnvironmentFault",
    "InvalidSetting",
    "MissingConfig",
    "ServerNotRunning",
    "StartFailed",
    "ZatoError",
]


class ZatoError(Exception):
    """Root of the tree: catch this to catch everything the package raises.

    Read its message.
    """

    # Stored retry policies know it by this name.
    __module__ = "zato.core.errors"

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1


class InvalidSetting(ZatoError):
    """A setting is unknown, or its value is not legal.

    Correct the setting where the message says it stands; `zato config explain` tells what is legal.
    """

    code = "invalid_setting"
    exit_code = 2


class EnvironmentFault(ZatoError):
    """A folder is no usable environment: missing, not empty, locked, of wrong rights.

    Do what the message says; `zato doctor` checks the whole folder.
    """

    code = "environment"
    exit_code = 2


class ServerNotRunning(ZatoError):
    """Nothing serves this environment now.

    Start it with `zato start`.
    """

    code = "server_not_running"
    exit_code = 3


class StartFailed(ZatoError):
    """A server that was to go on by itself did not start.

    Read what the command printed before, and the log in the environment's folder.
    """

    code = "start_failed"


class MissingConfig(ZatoError, KeyError):
    """A service asked for a file, section or key of `user-config` that is not there, or cannot be read.

    Correct the name in the service, or the file; it is read again within a second or two.
    """

    code = "missing_config"

    def __str__(self) -> str:
        # A KeyError would show the message in quotes.
        return str(self.args[0]) if self.args else ""


class DecryptionFailed(ZatoError):
    """A text cannot be decrypted: it was changed, or another key encrypted it.

    Put the key of the server that encrypted it into `encryption_key` in `secrets.toml`, after the one that is there.
    """

    code = "decryption_failed"
