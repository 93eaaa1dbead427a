"""What `zato doctor` thinks of what a Redis says of itself."""

from dataclasses import replace
from pathlib import Path

import pytest

from zato.broker.redis.survey import RedisReport
from zato.cli.redis_checks import check_redis, judged
from zato.core.settings import Settings
from zato.environment import Credentials, Environment

FIT = RedisReport(
    version="7.2.5",
    role="master",
    appendonly=True,
    appendfsync="always",
    policy="noeviction",
    maxmemory=0,
    used_memory=1_500_000,
    replicas=0,
    format=1,
    problems=(),
    place="127.0.0.1:6379",
)
FAULTS = [
    pytest.param({"appendfsync": "everysec"}, "warning", "Redis has appendfsync everysec", id="file-each-second"),
    pytest.param({"maxmemory": 1_600_000}, "warning", "Redis uses 1.5 MB of 1.6 MB", id="nearly-full"),
    pytest.param({"maxmemory": 1_500_000}, "problem", "Redis uses 1.5 MB of 1.5 MB", id="full"),
    pytest.param({"version": "6.0.16"}, "problem", "Redis is 6.0.16.", id="old"),
    pytest.param({"problems": ("A key is odd.",)}, "problem", "A key is odd.", id="its-own-words"),
]


def test_version_that_is_not_told() -> None:
    """Whoever may not ask for it is not told that it is too old."""
    assert {state for _, state, _, _ in judged(replace(FIT, version="unknown"), Settings())} == {"ok"}


def test_nothing_is_wrong_with_a_fit_one() -> None:
    """It keeps all it has, and has room."""
    assert {state for _, state, _, _ in judged(FIT, Settings())} == {"ok"}


@pytest.mark.parametrize(("said", "state", "words"), FAULTS)
def test_fault_is_found(said: dict[str, object], state: str, words: str) -> None:
    """One finding says what is wrong, and what to do; all others are as they were."""
    found = [finding for finding in judged(replace(FIT, **said), Settings()) if finding[1] != "ok"]  # type: ignore[arg-type]
    assert len(found) == 1
    assert (found[0][1], words in found[0][2], bool(found[0][3])) == (state, True, True)


@pytest.mark.parametrize(
    ("settings", "version", "words"),
    [
        pytest.param(
            Settings(replicas=1), "7.2.5", "Redis has 0 replicas, and 1 have to have each call", id="replicas"
        ),
        pytest.param(Settings(redis_fsync=True), "7.0.1", "which has no WAITAOF (setting redis_fsync)", id="fsync"),
    ],
)
def test_setting_that_cannot_be_met(settings: Settings, version: str, words: str) -> None:
    """What is asked of a Redis that it cannot do is said before anything is refused for it."""
    found = [message for _, state, message, _ in judged(replace(FIT, version=version), settings) if state == "problem"]
    assert len(found) == 1
    assert words in found[0]


@pytest.mark.parametrize(("mode", "found"), [(0o644, 1), (0o600, 0)])
def test_password_that_others_can_read(tmp_path: Path, mode: int, found: int) -> None:
    """One in the file of settings is nobody's secret, unless that file is the owner's alone."""
    environment = Environment(tmp_path / "env")
    settings = Settings(broker="redis://:hunter2@127.0.0.1:1/0")
    environment.create({"broker": settings.broker}, Credentials.make())
    environment.config.chmod(mode)
    messages = [message for name, *_, message, _ in check_redis(environment, settings) if name == "rights"]
    assert (len(messages), "hunter2" in str(messages)) == (found, False)
