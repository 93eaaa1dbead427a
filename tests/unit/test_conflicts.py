"""Distributions of the original system beside ours."""

from pathlib import Path

import pytest

from zato.conflicts import conflicting, warn_of_conflicts


def _install(folder: Path, name: str) -> None:
    info = folder / f"{name.replace('-', '_')}-3.2.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 3.2.1\n")


def test_no_conflict() -> None:
    """Alone in its environment the package says nothing; warnings are errors here."""
    warn_of_conflicts()

    assert conflicting() == ()


@pytest.mark.parametrize("names", [("zato-client",), ("zato-common",), ("zato-client", "zato-common")])
def test_conflict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]) -> None:
    """One line says what to uninstall."""
    for name in names:
        _install(tmp_path, name)
    monkeypatch.syspath_prepend(str(tmp_path))

    with pytest.warns(UserWarning, match=f"Run 'pip uninstall {' '.join(names)}', then ") as caught:
        warn_of_conflicts()

    assert "\n" not in str(caught[0].message)
