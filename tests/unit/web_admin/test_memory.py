"""What becomes of memory that is needed no more."""

import subprocess
import sys

# Large blocks, with a small one on top of them that stays: what was below it would stay with it.
PROGRAM = """
import psutil
from zato.web_admin.memory import give_back_large_blocks

give_back_large_blocks()
first = b"x" * 8_000_000
del first
before = psutil.Process().memory_info().rss
large = [bytes([number]) * 8_000_000 for number in range(6)]
small = [bytes([number]) * 2000 for number in range(100)]
del large
print(psutil.Process().memory_info().rss - before)
"""


def test_large_blocks_go_back_to_the_system() -> None:
    """Of 48 MB that are freed below something that stays, next to nothing stays."""
    kept = int(subprocess.check_output([sys.executable, "-c", PROGRAM], text=True, timeout=60))
    assert kept < 8_000_000
