-- A file of format 1, with what another file holds that is attached as `new`.
PRAGMA main.journal_mode = WAL;
BEGIN;
CREATE TABLE main.invocation (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, cid TEXT NOT NULL, service TEXT NOT NULL,
  parent TEXT, created INTEGER NOT NULL, not_before INTEGER, expires INTEGER, queue TEXT NOT NULL,
  priority INTEGER NOT NULL, payload BLOB NOT NULL, options BLOB NOT NULL
) STRICT;
CREATE INDEX main.invocation_by_cid ON invocation (cid, seq);
CREATE TABLE main.pending (
  seq INTEGER PRIMARY KEY, service TEXT NOT NULL, lane TEXT, priority INTEGER NOT NULL, not_before INTEGER,
  expires INTEGER, token BLOB, lease_ends INTEGER, holder TEXT, started INTEGER,
  attempts INTEGER NOT NULL DEFAULT 0, takeovers INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX main.pending_ready ON pending (lane, priority, seq) WHERE token IS NULL AND not_before IS NULL;
CREATE INDEX main.pending_due ON pending (not_before) WHERE not_before IS NOT NULL;
CREATE INDEX main.pending_expires ON pending (expires) WHERE expires IS NOT NULL AND token IS NULL;
CREATE INDEX main.pending_leased ON pending (lease_ends) WHERE token IS NOT NULL;
CREATE TABLE main.outcome (
  seq INTEGER PRIMARY KEY, status TEXT NOT NULL, ended INTEGER NOT NULL, started INTEGER, response BLOB,
  error BLOB, attempts INTEGER NOT NULL, takeovers INTEGER NOT NULL, server TEXT, version TEXT
) STRICT;
CREATE INDEX main.outcome_by_end ON outcome (ended);
CREATE TABLE main.idempotency (key TEXT PRIMARY KEY, seq INTEGER NOT NULL UNIQUE) STRICT;
CREATE TABLE main.deployed (service TEXT PRIMARY KEY, lane TEXT NOT NULL) STRICT;
CREATE TABLE main.meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
INSERT INTO main.invocation
SELECT seq, id, cid, service, parent, created, not_before, expires, queue, priority, payload, options
FROM new.invocation ORDER BY seq;
INSERT INTO main.pending
SELECT seq, service, line, priority, not_before, expires, token, lease_ends, substr(holder, 1, instr(holder, '/') - 1),
       started, attempts, takeovers
FROM new.pending;
INSERT INTO main.outcome
SELECT seq, status, ended, started, response, error, attempts, takeovers, server, version FROM new.outcome;
INSERT INTO main.idempotency SELECT key, seq FROM new.idempotency;
INSERT INTO main.deployed SELECT service, lane FROM new.deployed;
INSERT INTO main.meta SELECT name, value FROM new.meta;
PRAGMA main.user_version = 1;
COMMIT;
