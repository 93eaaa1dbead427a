"""The file that a server writes for another one to join its cluster."""

import pytest

from zato.core.errors import EnvironmentFault
from zato.core.invitation import SHARED_SETTINGS, Invitation
from zato.core.settings import Settings

INVITATION = Invitation(
    {"broker": "redis://h:6379/0", "cluster": "Łódź \U0001f600", "replicas": 1, "redis_fsync": True, "lease": 2.5},
    {"admin_invoke": 'quote" and \\', "pubapi": "hunter2 hunter2", "broker_password": "p\x7f", "encryption_key": "k="},
)
WHOLE = INVITATION.to_toml()
BROKEN = [
    pytest.param("", "there is no line 'invitation = 1'", id="empty"),
    pytest.param("invitation = ", "it is no TOML", id="no-toml"),
    pytest.param(WHOLE.replace("invitation = 1", "invitation = 2"), "it is of another version", id="version"),
    pytest.param(WHOLE.partition("[passwords]")[0], "it has no table [passwords]", id="no-passwords"),
    pytest.param("invitation = 1\nsettings = 3", "it has no table [settings]", id="settings-are-a-number"),
    pytest.param(WHOLE.replace("lease", "colour"), "[settings] has 'colour'", id="unknown-setting"),
    pytest.param(WHOLE.replace("broker_p", "p"), "[passwords] has 'password'", id="unknown-password"),
    pytest.param(WHOLE.replace("redis://h:6379/0", "sqlite"), "it does not say where the broker is", id="embedded"),
    pytest.param(WHOLE.replace('broker = "', 'cluster2 = "'), "[settings] has 'cluster2'", id="no-broker"),
    pytest.param(WHOLE.replace("admin_invoke", "#"), "it has no password 'admin_invoke'", id="password-missing"),
    pytest.param(WHOLE.replace('"hunter2 hunter2"', "7"), "the password 'pubapi' is no text", id="password-a-number"),
]


def test_what_is_written_is_read() -> None:
    """Whatever is in settings and passwords."""
    assert Invitation.from_toml(WHOLE, "FILE") == INVITATION


def test_passwords_are_not_in_what_is_shown_of_it() -> None:
    """Not even in a traceback with values."""
    assert "hunter2" not in repr(INVITATION)


def test_what_is_shared_are_settings() -> None:
    """A setting that is renamed is renamed here, too."""
    assert all(hasattr(Settings(), name) for name in SHARED_SETTINGS)


@pytest.mark.parametrize(("text", "words"), BROKEN)
def test_what_is_none_is_refused(text: str, words: str) -> None:
    """The message names the file, says what is wrong and what to do, and shows no password."""
    with pytest.raises(EnvironmentFault) as caught:
        Invitation.from_toml(text, "FILE")
    message = str(caught.value)
    assert message.startswith("FILE is no invitation: ")
    assert words in message
    assert message.endswith("Write one with 'zato cluster invite PATH'.")
    assert "hunter2" not in message
