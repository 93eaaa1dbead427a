"""Broker files with a past: outcomes of long ago, and the format of an earlier version."""

from contextlib import closing
from pathlib import Path

from zato.broker.clock import SystemClock
from zato.broker.connection import Connection
from zato.broker.open import Location, open_backend
from zato.environment import Environment

__all__ = ["age_file", "has_old_outcomes", "stock_with_old_outcomes"]

FORMAT_1 = Path(__file__).with_name("format_1.sql")
PATIENCE = 5.0

OLD_OUTCOMES = """
BEGIN;
CREATE TEMP TABLE numbers AS
  WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < {count}) SELECT n FROM counted;
INSERT INTO invocation (id, cid, service, created, queue, priority, options, payload)
SELECT printf('%026d', n), printf('old-%d', n), 'chaos.work', n, 'default', 5, x'7b7d', x'2222' FROM numbers;
INSERT INTO outcome (seq, status, ended, attempts, takeovers)
SELECT seq, 'done', created, 1, 0 FROM invocation WHERE cid LIKE 'old-%';
DROP TABLE numbers;
COMMIT;
"""


def stock_with_old_outcomes(environment: Environment, count: int) -> None:
    """Make the broker's file, with so many outcomes whose retention ended long ago."""
    open_backend(Location("sqlite", environment.data), SystemClock()).close()
    with closing(Connection(environment.data / "broker.db", patience=PATIENCE, to="use")) as connection:
        connection.execute(OLD_OUTCOMES.format(count=count)).fetchall()


def has_old_outcomes(environment: Environment) -> bool:
    """Tell whether some of these are still there; asked often, so answered by an index."""
    with closing(Connection(environment.data / "broker.db", patience=PATIENCE, to="use")) as connection:
        rows = connection.execute("SELECT 1 FROM invocation WHERE cid >= 'old-' AND cid < 'old.' LIMIT 1").fetchall()
    return bool(rows)


def age_file(file: Path) -> None:
    """Put a file of format 1 with the same calls in the place of a newer one."""
    old = file.with_name("old.db")
    with closing(Connection(old, patience=PATIENCE)) as connection:
        connection.execute("ATTACH ? AS new", (str(file),))
        connection.execute(FORMAT_1.read_text("utf-8")).fetchall()
        connection.execute("DETACH new")
    for name in (file.name, f"{file.name}-wal", f"{file.name}-shm"):
        file.with_name(name).unlink(missing_ok=True)
    old.rename(file)
