"""SQL in a file of its own, read as a mapping from name to statement."""

from importlib import resources

__all__ = ["load_statements"]

MARK = "-- name: "


def load_statements(package: str, file: str) -> dict[str, str]:
    """Return the statements of a packaged file by the name in the comment line above each."""
    text = resources.files(package).joinpath(file).read_text("utf-8")
    sections = ("\n" + text).split("\n" + MARK)[1:]
    return {name.strip(): body.strip() for name, _, body in (section.partition("\n") for section in sections)}
