"""Where a form may send somebody afterwards."""

import pytest

from zato.web_admin.security import inside


@pytest.mark.parametrize("path", ["/", "/invocations?status=failed&within=1h", "/people/ada", "/%5Cx", "/a//b"])
def test_path_of_ours_is_kept(path: str) -> None:
    """With its query, as it is."""
    assert inside(path) == path


@pytest.mark.parametrize(
    "path",
    [
        *("", "x", " /x", "https://evil.example/", "javascript:alert(1)"),
        *("//evil.example", "/\\evil.example", "\\\\evil.example"),
        *("/\t/evil.example", "/\n/evil.example", "/\r\nSet-Cookie: x=1", "/\u2028"),
    ],
)
def test_anything_else_is_the_first_page(path: str) -> None:
    """Browsers read backslashes as slashes, and leave out tabs and line ends."""
    assert inside(path) == "/"
