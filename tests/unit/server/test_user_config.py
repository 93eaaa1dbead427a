"""Reading the folder `user-config`, and reading it again."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from zato.core.errors import MissingConfig
from zato.server.user_config import LARGEST, LOOK_EVERY, UserConfigFolder


class Config:
    """A folder, and what services see of it a second after it was changed."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "user-config"
        self.path.mkdir()
        self.now = 0.0
        self.folder = UserConfigFolder(self.path, lambda: self.now)

    def write(self, name: str, text: str | bytes) -> None:
        (self.path / name).write_bytes(text.encode() if isinstance(text, str) else text)
        self.now += LOOK_EVERY

    def value(self) -> object:
        return self.folder.current()["shop"].backend.timeout


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A folder with one file."""
    made = Config(tmp_path)
    made.write("shop.toml", "[backend]\ntimeout = 1\n")
    return made


def test_changed_file_is_read_again(config: Config, caplog: pytest.LogCaptureFixture) -> None:
    """The log says so, and has nothing of what is in it."""
    caplog.set_level("INFO")
    assert config.value() == 1
    config.write("shop.toml", "[backend]\ntimeout = 2\n")
    assert config.value() == 2
    assert caplog.messages == ["user-config/shop.toml was read again, because it was changed"]


def test_folder_is_looked_at_once_a_second(config: Config) -> None:
    """In between, what was read is what there is: asking costs nothing."""
    before = config.folder.current()
    config.write("shop.toml", "[backend]\ntimeout = 2\n")
    config.now -= 0.01
    assert config.folder.current() is before
    config.now += 0.01
    assert config.value() == 2
    config.now += LOOK_EVERY
    assert config.folder.current() is config.folder.current()


def test_broken_file_leaves_what_was(config: Config, caplog: pytest.LogCaptureFixture) -> None:
    """The log says why, once, with the line and without the line's text; the file is read when it is whole again."""
    config.value()
    config.write("shop.toml", "[backend]\ntimeout = hunter2\n")
    config.value()
    config.now += LOOK_EVERY
    assert config.value() == 1
    (line,) = caplog.messages
    assert line.startswith("user-config/shop.toml: it is no TOML: ")
    assert "line 2" in line
    assert line.endswith(". What it said before stays in force")
    assert "hunter2" not in caplog.text
    config.write("shop.toml", "[backend]\ntimeout = 3\n")
    assert config.value() == 3


def test_file_that_never_was_whole(config: Config) -> None:
    """Who asks for it learns why it says nothing; others are not concerned."""
    config.write("crm.ini", "[a]\nx = 1\n\nbroken\n")
    assert config.value() == 1
    with pytest.raises(MissingConfig, match=r"^user-config/crm\.ini: line 4: it is neither .* read again by itself"):
        config.folder.current()["crm"]
    config.write("crm.ini", "[a]\nx = 1\n")
    assert config.folder.current().crm.a.x == "1"


def test_file_that_goes(config: Config) -> None:
    """What it said goes with it."""
    config.value()
    (config.path / "shop.toml").unlink()
    config.now += LOOK_EVERY
    assert "shop" not in config.folder.current()


def test_what_is_no_configuration_is_left_alone(config: Config) -> None:
    """Hidden files, those of editors, folders, and what would never end."""
    for name in (".hidden.toml", "shop.toml~", "README.md"):
        config.write(name, "broken")
    (config.path / "folder.toml").mkdir()
    os.mkfifo(config.path / "pipe.toml")
    assert list(config.folder.current()) == ["shop.toml", "shop"]


def test_folder_may_be_missing_at_first(tmp_path: Path) -> None:
    """An environment of an older version gets it when somebody makes it."""
    now = [0.0]
    folder = UserConfigFolder(tmp_path / "user-config", lambda: now[0])
    assert folder.current() == {}
    (tmp_path / "user-config").mkdir()
    (tmp_path / "user-config" / "a.ini").write_text("b = c")
    now[0] += LOOK_EVERY
    assert folder.current().a.b == "c"


def test_file_of_enormous_size(config: Config) -> None:
    """Nobody wrote that by hand."""
    config.write("large.toml", b"#" * (LARGEST + 1))
    with pytest.raises(MissingConfig, match=r"^user-config/large\.toml: it has more than 1000000 bytes\."):
        config.folder.current()["large"]


def test_file_that_cannot_be_read(config: Config) -> None:
    """It says why, and is read once it can be."""
    (config.path / "crm.toml").symlink_to("/proc/self/mem")
    with pytest.raises(MissingConfig, match=r"^user-config/crm\.toml: Input/output error\."):
        config.folder.current()["crm"]
    (config.path / "crm.toml").unlink()
    config.write("crm.toml", "a = 1")
    assert config.folder.current().crm.a == 1


def test_link_that_leads_in_a_circle(config: Config) -> None:
    """It is no file, and says nothing of the others."""
    (config.path / "crm.toml").symlink_to("crm.toml")
    assert config.value() == 1


def test_file_that_goes_while_the_folder_is_looked_at(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others stay in force."""
    config.value()
    config.write("draft.toml", "")
    scan = os.scandir

    @contextmanager
    def slow(folder: Path) -> Iterator[list["os.DirEntry[str]"]]:
        with scan(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        (folder / "draft.toml").unlink(missing_ok=True)
        yield found

    monkeypatch.setattr(os, "scandir", slow)
    assert config.value() == 1


def test_file_that_is_nested_too_deep(config: Config, caplog: pytest.LogCaptureFixture) -> None:
    """It is a broken file as any other, and costs the others nothing."""
    assert config.value() == 1
    config.write("deep.toml", ".".join("a" * 3000) + " = 1")
    assert config.value() == 1
    assert caplog.messages == [
        "user-config/deep.toml: it is nested more than 50 levels deep. It says nothing so far",
    ]


def test_file_that_claims_to_be_old(config: Config) -> None:
    """Programs that copy a file with its time change it all the same."""
    config.value()
    before = (config.path / "shop.toml").stat()
    config.write("shop.toml", "[backend]\ntimeout = 2\n")
    os.utime(config.path / "shop.toml", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert config.value() == 2


def test_folder_that_is_none(tmp_path: Path, config: Config, caplog: pytest.LogCaptureFixture) -> None:
    """One that never could be read is an error for who asks; one that could leaves what was."""
    (tmp_path / "file").write_text("")
    with pytest.raises(MissingConfig, match=r"^file cannot be read: Not a directory\.$"):
        UserConfigFolder(tmp_path / "file").current()
    config.value()
    config.path.rename(tmp_path / "moved")
    config.path.write_text("")
    config.now += LOOK_EVERY
    assert config.value() == 1
    config.now += LOOK_EVERY
    assert config.value() == 1
    assert caplog.text.count("What its files said before stays in force") == 1


def test_many_threads_read_one_file_once(config: Config) -> None:
    """Whoever comes meanwhile gets what the first one read."""
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(config.folder.current())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {id(table) for table in found} == {id(found[0])}
