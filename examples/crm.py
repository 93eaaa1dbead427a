"""Importing customers from a CSV file: thousands of rows, each checked by a call of its own in the background.

    crm.import-customers   reads the file and makes one background call for each row
    crm.check-customer     checks one row: returns the customer, or says what is wrong
    crm.add-customer       is called back with each customer that is right, stores it and sums up
    crm.note-failure       is told of each row that is wrong
    crm.import-report      returns the sums: counts, and credit by country
    crm.import-failures    lists the rows that are wrong, and why

The server promises that every call it has accepted runs AT LEAST ONCE. If its process dies in the middle
of a call, the call runs again from its first line, and nobody knows how far it had come. So each service
here can run twice without harm:

  * The import asks for each row under an idempotency key made of the import and the line. Running again, it
    makes the same requests; those that were accepted before are recognised and run nothing.
  * Whoever stores something writes a fact under a key ("line 17 of this import is this customer"), and
    changes the sums in the same transaction, if the fact was new. Running again, it finds the fact and
    changes nothing. A sum that is added to without such a key is wrong after the first crash, and for ever.
  * All is committed before `handle` returns, because that is when the server records the call as done.

Try it: kill the server with `kill -9` while it imports, start it again, and compare the report.
"""

import csv
import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from zato.server.service import BadRequest, NotFound, Service

# `__file__` is this file in the folder services/ of the environment; the data is in crm/ beside it.
FOLDER = Path(__file__).resolve().parents[1] / "crm"

COLUMNS = ["id", "name", "email", "country", "since", "credit"]
COUNTRIES = {"DE", "FR", "IT", "PL", "SE", "TR", "US"}

# The application's own database. The file of the server's broker is nobody's business but the server's.
SCHEMA = """
CREATE TABLE IF NOT EXISTS import (
    id TEXT PRIMARY KEY, file TEXT, rows INTEGER,
    added INTEGER DEFAULT 0, failed INTEGER DEFAULT 0, cents INTEGER DEFAULT 0
);
CREATE TABLE IF NOT EXISTS customer (
    import TEXT, line INTEGER, id TEXT, name TEXT, email TEXT, country TEXT, since TEXT, cents INTEGER,
    PRIMARY KEY (import, line)
);
CREATE TABLE IF NOT EXISTS failure (import TEXT, line INTEGER, cid TEXT, reason TEXT, PRIMARY KEY (import, line));
"""


class ImportCustomers(Service):
    """Payload: {"file": name of a CSV file in the folder crm/}. Returns the import's id and its number of rows."""

    name = "crm.import-customers"

    def handle(self) -> dict[str, Any]:
        file = self._file()
        content = file.read_bytes()
        # The same content is the same import, however often and by whomever it is asked for.
        import_id = hashlib.sha256(content).hexdigest()[:12]
        rows = list(read_rows(content))

        with database() as db:
            db.execute(
                "INSERT OR IGNORE INTO import (id, file, rows) VALUES (?, ?, ?)", (import_id, file.name, len(rows))
            )

        for line, row in rows:
            self.invoke_async(
                "crm.check-customer",
                {"import": import_id, "line": line, "row": row},
                callback="crm.add-customer",
                on_failure="crm.note-failure",
                idempotency_key=f"{import_id}:{line}",
            )
        return {"import": import_id, "rows": len(rows)}

    def _file(self) -> Path:
        payload = self.request.payload or {"file": "customers.csv"}
        name = payload.get("file") if isinstance(payload, dict) else None
        # A caller may name a file in our folder, and none elsewhere.
        if not isinstance(name, str) or not name or Path(name).name != name:
            raise BadRequest(f'The payload is {{"file": "customers.csv"}}, without folders; not {payload!r:.80}.')
        if not (FOLDER / name).is_file():
            raise NotFound(f"There is no file {name!r} in {FOLDER}.")
        return FOLDER / name


class CheckCustomer(Service):
    """Changes nothing, so running it twice is no matter. What it raises is what the failure's record says."""

    name = "crm.check-customer"

    def handle(self) -> dict[str, Any]:
        call = self.request.payload
        row = call["row"]
        if not row["name"].strip():
            raise BadRequest("The name is empty.")
        if row["email"].count("@") != 1 or " " in row["email"]:
            raise BadRequest(f"{row['email']!r} is no e-mail address.")
        if row["country"] not in COUNTRIES:
            raise BadRequest(f"{row['country']!r} is no country we sell to: {', '.join(sorted(COUNTRIES))}.")
        return {
            "import": call["import"],
            "line": call["line"],
            "customer": {**row, "since": day_of(row["since"]), "cents": cents_of(row["credit"])},
        }


class AddCustomer(Service):
    """Called back with the response of `crm.check-customer`, which arrives as a string."""

    name = "crm.add-customer"

    def handle(self) -> None:
        checked = json.loads(self.request.payload)
        facts = {**checked["customer"], "import": checked["import"], "line": checked["line"]}
        with database() as db:
            stored = db.execute(
                "INSERT OR IGNORE INTO customer VALUES (:import, :line, :id, :name, :email, :country, :since, :cents)",
                facts,
            )
            if stored.rowcount == 1:
                # A row that was wrong, and was corrected and replayed, is wrong no more.
                mended = db.execute("DELETE FROM failure WHERE import = :import AND line = :line", facts)
                sum_up(self, db, facts["import"], added=1, failed=-mended.rowcount, cents=facts["cents"])


class NoteFailure(Service):
    """Told of each call that failed. What the call was about stands in its record, under its CID."""

    name = "crm.note-failure"

    def handle(self) -> None:
        failure = self.request.payload
        call = self.invoke("zato.invocation.get", {"cid": failure["cid"]})["payload"]
        facts = (call["import"], call["line"], failure["cid"], failure["error"]["message"])
        with database() as db:
            # Not if the row was corrected meanwhile: then it is a customer.
            stored = db.execute(
                "INSERT OR IGNORE INTO failure SELECT ?1, ?2, ?3, ?4 "
                "WHERE NOT EXISTS (SELECT 1 FROM customer WHERE import = ?1 AND line = ?2)",
                facts,
            )
            if stored.rowcount == 1:
                sum_up(self, db, call["import"], failed=1)


class ImportReport(Service):
    """Payload: {"import": id}, or nothing for the newest import."""

    name = "crm.import-report"

    def handle(self) -> dict[str, Any]:
        with database() as db:
            import_id, file, rows, added, failed, cents = find_import(db, self.request.payload)
            countries = db.execute(
                "SELECT country, sum(cents) FROM customer WHERE import = ? GROUP BY country ORDER BY country",
                (import_id,),
            ).fetchall()
        return {
            "import": import_id,
            "file": file,
            "rows": rows,
            "added": added,
            "failed": failed,
            "waiting": rows - added - failed,
            "credit": money(cents),
            "credit_by_country": {country: money(total) for country, total in countries},
        }


class ImportFailures(Service):
    """Payload: {"import": id}, or nothing for the newest import."""

    name = "crm.import-failures"

    def handle(self) -> list[dict[str, Any]]:
        with database() as db:
            import_id, *_ = find_import(db, self.request.payload)
            failures = db.execute(
                "SELECT line, reason, cid FROM failure WHERE import = ? ORDER BY line", (import_id,)
            ).fetchall()
        return [{"line": line, "reason": reason, "cid": cid} for line, reason, cid in failures]


def read_rows(content: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the line number and the columns of each row; a broken file is refused as a whole."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRequest(f"The file is not UTF-8: byte {error.start} is {content[error.start]:#04x}.") from error
    reader = csv.DictReader(text.splitlines(), strict=True)
    if reader.fieldnames != COLUMNS:
        raise BadRequest(f"The first line is {','.join(COLUMNS)}; this file's is {reader.fieldnames}.")
    for row in reader:
        if None in row or None in row.values():
            raise BadRequest(f"Line {reader.line_num} does not have {len(COLUMNS)} columns.")
        yield reader.line_num, row


def day_of(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise BadRequest(f"{text!r} is no date: {error}.") from error


def cents_of(text: str) -> int:
    """Money is counted in whole cents: sums of floats are wrong by now and then a cent."""
    try:
        cents = Decimal(text) * 100
    except InvalidOperation as error:
        raise BadRequest(f"{text!r} is no amount of money.") from error
    if not cents.is_finite() or cents < 0 or cents != cents.to_integral_value():
        raise BadRequest(f"A credit of {text!r} is not possible: 0 or more, with two decimals at most.")
    return int(cents)


def money(cents: int) -> str:
    """Text, because most readers of JSON make floats of numbers."""
    return f"{Decimal(cents).scaleb(-2):.2f}"


def sum_up(
    service: Service, db: sqlite3.Connection, import_id: str, *, added: int = 0, failed: int = 0, cents: int = 0
) -> None:
    """Add to the sums of an import, in the transaction that stores what is added."""
    [(rows, total)] = db.execute(
        "UPDATE import SET added = added + ?, failed = failed + ?, cents = cents + ? WHERE id = ? "
        "RETURNING rows - added - failed, cents",
        (added, failed, cents, import_id),
    ).fetchall()
    if rows == 0:
        service.logger.info("Import %s is complete, credit %s", import_id, money(total))


def find_import(db: sqlite3.Connection, payload: Any) -> tuple[Any, ...]:
    wanted = payload.get("import", "") if isinstance(payload, dict) else ""
    row: tuple[Any, ...] | None = db.execute(
        "SELECT id, file, rows, added, failed, cents FROM import WHERE ? IN (id, '') ORDER BY rowid DESC LIMIT 1",
        (wanted,),
    ).fetchone()
    if row is None:
        raise NotFound("There is no such import. Invoke 'crm.import-customers' first; it returns the id.")
    return row


@contextmanager
def database() -> Iterator[sqlite3.Connection]:
    """Open the database for one transaction: committed at the end, undone by an exception.

    Many services run at once on threads of their own, so a connection is not shared, and one that finds
    the file locked waits for its turn.
    """
    with closing(sqlite3.connect(FOLDER / "crm.db", timeout=60, isolation_level="IMMEDIATE")) as db:
        db.executescript(SCHEMA)
        with db:
            yield db
