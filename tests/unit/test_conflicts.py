"""Distributions of the original system beside ours."""

from pathlib import Path

import pytest

from zato.conflicts import conflicting, warn_of_conflicts


def _install(folder: Path, name: str) -> None:
    (folder / f"{name}-3.2.1.dist-info").mkdir()
    (folder / "zato_others-1.0.dist-info").mkdir(exist_ok=True)


def test_no_conflict() -> None:
    """Alone in its environment the package says nothing; warnings are errors here."""
    warn_of_conflicts()

    assert conflicting() == ()


@pytest.mark.parametrize("spelling", ["{}_{}", "{}-{}"])
@pytest.mark.parametrize("names", [("zato-client",), ("zato-common",), ("zato-client", "zato-common")])
def test_conflict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...], spelling: str) -> None:
    """One line says what to uninstall."""
    for name in names:
        _install(tmp_path, spelling.format(*name.split("-")))
    monkeypatch.syspath_prepend(str(tmp_path))

    with pytest.warns(UserWarning, match=f"Run 'pip uninstall {' '.join(names)}', then ") as caught:
        warn_of_conflicts()

    assert "\n" not in str(caught[0].message)
