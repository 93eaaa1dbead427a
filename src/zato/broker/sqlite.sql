-- The embedded broker's file. Zato's own data, written by `zato.broker.sqlite` alone.
--
--   invocation   what was accepted; a row never changes. `seq` is the order of acceptance and the key of all.
--   pending      the same calls until they have an outcome; small rows, because they change.
--                  lane NULL                    stranded: nothing deployed can run it
--                  token NULL, not_before NULL  ready
--                  token NULL, not_before set   delayed until then (Unix ms)
--                  token set                    leased to `holder` until `lease_ends` (boot clock, ms)
--                  expires is emptied when a lease ends in which the call ran: what has started once does not expire.
--   outcome      how it ended; a row never changes. One a call at most: `seq` is the key.
--   idempotency  key -> the call that used it first, until the retention of its outcome ends.
--   deployed     which services can run here, and in which lane.
--   meta         boot_id: the start of the machine that `lease_ends` refers to.
--
-- Every statement is named; `:name` parameters are bound by name.

-- name: schema
CREATE TABLE invocation (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, cid TEXT NOT NULL, service TEXT NOT NULL,
  parent TEXT, created INTEGER NOT NULL, not_before INTEGER, expires INTEGER, queue TEXT NOT NULL,
  priority INTEGER NOT NULL, payload BLOB NOT NULL, options BLOB NOT NULL
) STRICT;
CREATE INDEX invocation_by_cid ON invocation (cid, seq);
CREATE TABLE pending (
  seq INTEGER PRIMARY KEY, service TEXT NOT NULL, lane TEXT, priority INTEGER NOT NULL, not_before INTEGER,
  expires INTEGER, token BLOB, lease_ends INTEGER, holder TEXT, started INTEGER,
  attempts INTEGER NOT NULL DEFAULT 0, takeovers INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX pending_ready ON pending (lane, priority, seq) WHERE token IS NULL AND not_before IS NULL;
CREATE INDEX pending_due ON pending (not_before) WHERE not_before IS NOT NULL;
CREATE INDEX pending_expires ON pending (expires) WHERE expires IS NOT NULL AND token IS NULL;
CREATE INDEX pending_leased ON pending (lease_ends) WHERE token IS NOT NULL;
CREATE TABLE outcome (
  seq INTEGER PRIMARY KEY, status TEXT NOT NULL, ended INTEGER NOT NULL, started INTEGER, response BLOB,
  error BLOB, attempts INTEGER NOT NULL, takeovers INTEGER NOT NULL, server TEXT, version TEXT
) STRICT;
CREATE INDEX outcome_by_end ON outcome (ended);
CREATE TABLE idempotency (key TEXT PRIMARY KEY, seq INTEGER NOT NULL UNIQUE) STRICT;
CREATE TABLE deployed (service TEXT PRIMARY KEY, lane TEXT NOT NULL) STRICT;
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

-- name: accept_invocation
INSERT INTO invocation (id, cid, service, parent, created, not_before, expires, queue, priority, payload, options)
VALUES (:id, :cid, :service, :parent, :created, :not_before, :expires, :queue, :priority, :payload, :options)

-- name: accept_pending
INSERT INTO pending (seq, service, lane, priority, not_before, expires)
VALUES (last_insert_rowid(), :service, (SELECT lane FROM deployed WHERE service = :service), :priority,
        :not_before, :expires)

-- name: accept_key
INSERT INTO idempotency (key, seq) VALUES (:key, last_insert_rowid())

-- name: first_with_key
SELECT i.id, i.cid, i.payload = :payload AND i.service = :service
FROM idempotency k JOIN invocation i USING (seq) WHERE k.key = :key

-- name: expired
SELECT p.seq, i.id FROM pending p JOIN invocation i USING (seq)
WHERE p.expires <= :now AND p.token IS NULL ORDER BY p.expires LIMIT 100

-- name: drop_pending
DELETE FROM pending WHERE seq = :seq AND token IS NULL RETURNING attempts, takeovers

-- name: due
UPDATE pending SET not_before = NULL
WHERE seq IN (SELECT seq FROM pending WHERE not_before <= :now ORDER BY not_before LIMIT 100)

-- name: ended_lease
SELECT 1 FROM pending WHERE token IS NOT NULL AND lease_ends <= :boot LIMIT 1

-- name: ended_leases
UPDATE pending SET token = NULL, lease_ends = NULL, holder = NULL, expires = NULL, takeovers = takeovers + 1
WHERE seq IN (SELECT seq FROM pending WHERE token IS NOT NULL AND lease_ends <= :boot ORDER BY lease_ends LIMIT 100)

-- name: reclaim
UPDATE pending SET token = NULL, lease_ends = NULL, holder = NULL, expires = NULL, takeovers = takeovers + 1
WHERE token IS NOT NULL

-- name: ready
SELECT p.attempts, p.takeovers, i.id, i.cid, i.service, i.parent, i.created, i.not_before, i.expires,
       i.queue, i.priority, i.payload, i.options
FROM pending p JOIN invocation i USING (seq)
WHERE p.lane = :lane AND p.token IS NULL AND p.not_before IS NULL AND (p.expires IS NULL OR p.expires > :now)
ORDER BY p.priority, p.seq LIMIT :limit

-- name: lease
UPDATE pending SET token = :token, lease_ends = :lease_ends, holder = :holder, started = :now
WHERE seq IN (
  SELECT p.seq FROM pending p
  WHERE p.lane = :lane AND p.token IS NULL AND p.not_before IS NULL AND (p.expires IS NULL OR p.expires > :now)
  ORDER BY p.priority, p.seq LIMIT :limit)

-- name: next_times
SELECT (SELECT min(not_before) FROM pending WHERE not_before IS NOT NULL),
       (SELECT min(expires) FROM pending WHERE expires IS NOT NULL AND token IS NULL),
       (SELECT min(lease_ends) FROM pending WHERE token IS NOT NULL)

-- name: beat
UPDATE pending SET lease_ends = :lease_ends WHERE seq = (SELECT seq FROM invocation WHERE id = :id) AND token = :token

-- name: acknowledge
DELETE FROM pending WHERE seq = (SELECT seq FROM invocation WHERE id = :id) AND token = :token
RETURNING seq, takeovers

-- name: record
INSERT INTO outcome (seq, status, ended, started, response, error, attempts, takeovers, server, version)
VALUES (:seq, :status, :ended, :started, :response, :error, :attempts, :takeovers, :server, :version)

-- name: postpone
UPDATE pending SET token = NULL, lease_ends = NULL, holder = NULL, expires = NULL, not_before = :not_before,
       attempts = :attempts
WHERE seq = (SELECT seq FROM invocation WHERE id = :id) AND token = :token

-- name: put_off
UPDATE pending SET token = NULL, lease_ends = NULL, holder = NULL, not_before = :not_before,
       started = CASE WHEN attempts + takeovers > 0 THEN started END
WHERE seq = (SELECT seq FROM invocation WHERE id = :id) AND token = :token

-- name: release
UPDATE pending SET token = NULL, lease_ends = NULL, holder = NULL, expires = NULL
WHERE seq = (SELECT seq FROM invocation WHERE id = :id) AND token = :token

-- name: cancel
DELETE FROM pending WHERE seq = (SELECT seq FROM invocation WHERE id = :id) AND token IS NULL
RETURNING seq, takeovers, attempts, started

-- name: deployed
SELECT service, lane FROM deployed

-- name: undeploy_all
DELETE FROM deployed

-- name: deploy
INSERT INTO deployed (service, lane) VALUES (:service, :lane)

-- name: move_lane
UPDATE pending SET lane = :lane WHERE service = :service

-- name: look_by_id
SELECT seq FROM invocation WHERE id = :id

-- name: look_by_cid
SELECT seq FROM invocation WHERE cid = :cid ORDER BY seq DESC LIMIT 1

-- name: look
SELECT i.id, i.cid, i.service, i.parent, i.created, i.not_before, i.expires, i.queue, i.priority, i.payload, i.options,
       (SELECT count(*) FROM invocation c WHERE c.cid = i.cid),
       p.seq IS NOT NULL, p.lane, p.not_before, p.token IS NOT NULL, p.holder, p.started, p.attempts, p.takeovers,
       o.status, o.ended, o.started, o.response, o.error, o.attempts, o.takeovers, o.server, o.version
FROM invocation i LEFT JOIN pending p USING (seq) LEFT JOIN outcome o USING (seq) WHERE i.seq = :seq

-- name: old
SELECT seq FROM outcome WHERE ended < :before ORDER BY ended LIMIT :limit

-- name: purge_outcome
DELETE FROM outcome WHERE seq = :seq

-- name: purge_invocation
DELETE FROM invocation WHERE seq = :seq

-- name: purge_key
DELETE FROM idempotency WHERE seq = :seq

-- name: boot_id
SELECT value FROM meta WHERE name = 'boot_id'

-- name: set_boot_id
INSERT INTO meta (name, value) VALUES ('boot_id', :boot_id) ON CONFLICT (name) DO UPDATE SET value = excluded.value
