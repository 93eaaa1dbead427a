-- The embedded broker's file. Zato's own data, written by `zato.broker` alone.
--
--   invocation   what was accepted; a row never changes. `seq` is the order of acceptance and the key of all.
--   pending      the same calls until they have an outcome; small rows, because they change.
--                  line                         where it waits until it is leased, also for its time:
--                    NULL              stranded: nothing deployed can run it
--                    thread            first of all who have this lane free; or `task`
--                    thread/crm.sync   the same, for a service of which only so many calls may run at once
--                    paused            nowhere: its queue is paused, and its service deployed
--                  token NULL, not_before NULL  ready
--                  token NULL, not_before set   delayed until then (Unix ms)
--                  token set                    leased until `lease_ends` (boot clock, ms)
--                  holder, started: of the current lease, or of the last one in which the call ran; the holder is
--                  `server/run/worker`.
--                  expires is emptied when a lease ends in which the call ran: what has started once does not expire.
--   outcome      how it ended; a row never changes. One a call at most: `seq` is the key.
--   failure      the last 10 attempts of a call that failed and were tried again.
--   idempotency  key -> the call that used it first, until the retention of its outcome ends.
--   deployed     which services can run here, in which lane, the line of their calls, and their terms as JSON.
--   paused       the queues of which nothing is leased.
--   lock         what services hold until they give it back, or until `ends` (boot clock, ms).
--   member       the processes of servers, each as it told of itself as JSON, and when (boot clock, ms).
--   drained      servers that take no new work, until a process of another run attends.
--   document     what is kept for others under a kind and a key. One that is kept again gets a new number: the order in
--                  which they were kept. It is there until `ends` (Unix ms).
--   audit        who did what; a row never changes.
--   meta         boot_id: the start of the machine that the boot clock's times refer to.
--
-- A line for each limited service, and one for all that is paused: a lease never looks through a million calls that it
-- may not have. Whatever changes the line of a service or of a queue moves the calls of these, also those that run.
--
-- What may be large stands last in its row, so that the rest is read without it. `invocation_listed` is the part of
-- `invocation` that lists look at: entries arrive at its end, which costs acceptance almost nothing, and a million of
-- them are looked through in a fraction of a second. Indexes by service and parent cost it a tenth. A channel stands in
-- the options, if it is not `invoke-async`, and from there in the index. `outcome_error` has what is searched of errors.
--
-- Every statement is named; `:name` parameters are bound by name. A change of the schema needs a new version of the
-- format (`zato.broker.format`) and a statement `upgrade_N` from the version before, which makes the same schema.

-- name: schema
CREATE TABLE invocation (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, cid TEXT NOT NULL, service TEXT NOT NULL,
  parent TEXT, created INTEGER NOT NULL, not_before INTEGER, expires INTEGER, queue TEXT NOT NULL,
  priority INTEGER NOT NULL, options BLOB NOT NULL, payload BLOB NOT NULL
) STRICT;
CREATE INDEX invocation_by_cid ON invocation (cid, seq);
CREATE INDEX invocation_listed ON invocation (seq, created, service, parent, CAST(options AS TEXT) ->> 'channel');
CREATE TABLE pending (
  seq INTEGER PRIMARY KEY, service TEXT NOT NULL, queue TEXT NOT NULL, line TEXT, priority INTEGER NOT NULL,
  not_before INTEGER, expires INTEGER, token BLOB, lease_ends INTEGER, holder TEXT, started INTEGER,
  attempts INTEGER NOT NULL DEFAULT 0, takeovers INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX pending_ready ON pending (line, priority, seq) WHERE token IS NULL AND not_before IS NULL;
CREATE INDEX pending_due ON pending (not_before) WHERE not_before IS NOT NULL;
CREATE INDEX pending_expires ON pending (expires) WHERE expires IS NOT NULL AND token IS NULL;
CREATE INDEX pending_leased ON pending (lease_ends, service) WHERE token IS NOT NULL;
CREATE TABLE outcome (
  seq INTEGER PRIMARY KEY, status TEXT NOT NULL, ended INTEGER NOT NULL, started INTEGER,
  attempts INTEGER NOT NULL, takeovers INTEGER NOT NULL, server TEXT, version TEXT, error BLOB, response BLOB
) STRICT;
CREATE INDEX outcome_by_end ON outcome (ended);
CREATE INDEX outcome_not_done ON outcome (status) WHERE status <> 'done';
CREATE INDEX outcome_error ON outcome (
  seq, lower(CAST(error AS TEXT) ->> 'type' || ': ' || (CAST(error AS TEXT) ->> 'message'))
) WHERE status = 'failed';
CREATE TABLE failure (
  seq INTEGER NOT NULL, attempt INTEGER NOT NULL, started INTEGER NOT NULL, ended INTEGER NOT NULL,
  server TEXT NOT NULL, error BLOB NOT NULL, PRIMARY KEY (seq, attempt)
) STRICT, WITHOUT ROWID;
CREATE TABLE idempotency (key TEXT PRIMARY KEY, seq INTEGER NOT NULL UNIQUE) STRICT;
CREATE TABLE deployed (
  service TEXT PRIMARY KEY, lane TEXT NOT NULL, line TEXT NOT NULL, terms TEXT NOT NULL
) STRICT;
CREATE TABLE paused (queue TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE lock (
  name TEXT PRIMARY KEY, token BLOB NOT NULL, ends INTEGER NOT NULL, holder TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX lock_ends ON lock (ends);
CREATE TABLE member (
  server TEXT NOT NULL, worker INTEGER NOT NULL, run TEXT NOT NULL, identity TEXT NOT NULL, told INTEGER NOT NULL,
  alive_for INTEGER NOT NULL, member TEXT NOT NULL, PRIMARY KEY (server, worker)
) STRICT, WITHOUT ROWID;
CREATE TABLE drained (server TEXT PRIMARY KEY, run TEXT NOT NULL, since INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE document (
  number INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, owner TEXT NOT NULL, kept INTEGER NOT NULL,
  ends INTEGER, value BLOB NOT NULL, UNIQUE (kind, key)
) STRICT;
CREATE INDEX document_by_owner ON document (kind, owner, number);
CREATE INDEX document_ends ON document (ends) WHERE ends IS NOT NULL;
CREATE TABLE audit (
  number INTEGER PRIMARY KEY, time INTEGER NOT NULL, user TEXT NOT NULL, client TEXT NOT NULL, action TEXT NOT NULL,
  object TEXT NOT NULL, cid TEXT NOT NULL, status TEXT NOT NULL
) STRICT;
CREATE INDEX audit_by_time ON audit (time);
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

-- name: upgrade_1
ALTER TABLE invocation RENAME TO invocation_1;
ALTER TABLE outcome RENAME TO outcome_1;
DROP INDEX invocation_by_cid;
DROP INDEX outcome_by_end;
CREATE TABLE invocation (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, cid TEXT NOT NULL, service TEXT NOT NULL,
  parent TEXT, created INTEGER NOT NULL, not_before INTEGER, expires INTEGER, queue TEXT NOT NULL,
  priority INTEGER NOT NULL, options BLOB NOT NULL, payload BLOB NOT NULL
) STRICT;
INSERT INTO invocation (seq, id, cid, service, parent, created, not_before, expires, queue, priority, options, payload)
SELECT seq, id, cid, service, parent, created, not_before, expires, queue, priority, options, payload
FROM invocation_1 ORDER BY seq;
INSERT INTO sqlite_sequence (name, seq) SELECT 'invocation', 0
WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'invocation');
UPDATE sqlite_sequence SET seq = coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'invocation_1'), 0)
WHERE name = 'invocation';
DROP TABLE invocation_1;
CREATE INDEX invocation_by_cid ON invocation (cid, seq);
CREATE INDEX invocation_listed ON invocation (seq, created, service, parent);
CREATE TABLE outcome (
  seq INTEGER PRIMARY KEY, status TEXT NOT NULL, ended INTEGER NOT NULL, started INTEGER,
  attempts INTEGER NOT NULL, takeovers INTEGER NOT NULL, server TEXT, version TEXT, error BLOB, response BLOB
) STRICT;
INSERT INTO outcome (seq, status, ended, started, attempts, takeovers, server, version, error, response)
SELECT seq, status, ended, started, attempts, takeovers, server, version, error, response FROM outcome_1 ORDER BY seq;
DROP TABLE outcome_1;
CREATE INDEX outcome_by_end ON outcome (ended);
CREATE INDEX outcome_not_done ON outcome (status) WHERE status <> 'done';
CREATE TABLE failure (
  seq INTEGER NOT NULL, attempt INTEGER NOT NULL, started INTEGER NOT NULL, ended INTEGER NOT NULL,
  server TEXT NOT NULL, error BLOB NOT NULL, PRIMARY KEY (seq, attempt)
) STRICT, WITHOUT ROWID;
UPDATE pending SET holder = holder || '//1' WHERE holder IS NOT NULL;

-- name: upgrade_2
ALTER TABLE pending RENAME TO pending_2;
DROP INDEX pending_ready;
DROP INDEX pending_due;
DROP INDEX pending_expires;
DROP INDEX pending_leased;
CREATE TABLE pending (
  seq INTEGER PRIMARY KEY, service TEXT NOT NULL, queue TEXT NOT NULL, line TEXT, priority INTEGER NOT NULL,
  not_before INTEGER, expires INTEGER, token BLOB, lease_ends INTEGER, holder TEXT, started INTEGER,
  attempts INTEGER NOT NULL DEFAULT 0, takeovers INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO pending (seq, service, queue, line, priority, not_before, expires, token, lease_ends, holder, started,
                     attempts, takeovers)
SELECT p.seq, p.service, i.queue, p.lane, p.priority, p.not_before, p.expires, p.token, p.lease_ends, p.holder,
       p.started, p.attempts, p.takeovers
FROM pending_2 p JOIN invocation i USING (seq) ORDER BY p.seq;
DROP TABLE pending_2;
CREATE INDEX pending_ready ON pending (line, priority, seq) WHERE token IS NULL AND not_before IS NULL;
CREATE INDEX pending_due ON pending (not_before) WHERE not_before IS NOT NULL;
CREATE INDEX pending_expires ON pending (expires) WHERE expires IS NOT NULL AND token IS NULL;
CREATE INDEX pending_leased ON pending (lease_ends, service) WHERE token IS NOT NULL;
ALTER TABLE deployed RENAME TO deployed_2;
CREATE TABLE deployed (
  service TEXT PRIMARY KEY, lane TEXT NOT NULL, line TEXT NOT NULL, terms TEXT NOT NULL
) STRICT;
INSERT INTO deployed (service, lane, line, terms) SELECT service, lane, lane, '{}' FROM deployed_2;
DROP TABLE deployed_2;
CREATE TABLE paused (queue TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE lock (
  name TEXT PRIMARY KEY, token BLOB NOT NULL, ends INTEGER NOT NULL, holder TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX lock_ends ON lock (ends);
CREATE TABLE member (
  server TEXT NOT NULL, worker INTEGER NOT NULL, run TEXT NOT NULL, identity TEXT NOT NULL, told INTEGER NOT NULL,
  alive_for INTEGER NOT NULL, member TEXT NOT NULL, PRIMARY KEY (server, worker)
) STRICT, WITHOUT ROWID;
CREATE TABLE drained (server TEXT PRIMARY KEY, run TEXT NOT NULL, since INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- name: upgrade_3
DROP INDEX invocation_listed;
CREATE INDEX invocation_listed ON invocation (seq, created, service, parent, CAST(options AS TEXT) ->> 'channel');
CREATE INDEX outcome_error ON outcome (
  seq, lower(CAST(error AS TEXT) ->> 'type' || ': ' || (CAST(error AS TEXT) ->> 'message'))
) WHERE status = 'failed';
CREATE TABLE document (
  number INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, owner TEXT NOT NULL, kept INTEGER NOT NULL,
  ends INTEGER, value BLOB NOT NULL, UNIQUE (kind, key)
) STRICT;
CREATE INDEX document_by_owner ON document (kind, owner, number);
CREATE INDEX document_ends ON document (ends) WHERE ends IS NOT NULL;
CREATE TABLE audit (
  number INTEGER PRIMARY KEY, time INTEGER NOT NULL, user TEXT NOT NULL, client TEXT NOT NULL, action TEXT NOT NULL,
  object TEXT NOT NULL, cid TEXT NOT NULL, status TEXT NOT NULL
) STRICT;
CREATE INDEX audit_by_time ON audit (time);

-- name: accept_invocation
INSERT INTO invocation (id, cid, service, parent, created, not_before, expires, queue, priority, payload, options)
VALUES (:id, :cid, :service, :parent, :created, :not_before, :expires, :queue, :priority, :payload, :options)

-- name: accept_pending
INSERT INTO pending (seq, service, queue, line, priority, not_before, expires)
VALUES (last_insert_rowid(), :service, :queue,
        (SELECT CASE WHEN EXISTS (SELECT 1 FROM paused WHERE queue = :queue) THEN 'paused' ELSE line END
         FROM deployed WHERE service = :service),
        :priority, :not_before, :expires)

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
UPDATE pending SET token = NULL, lease_ends = NULL, expires = NULL, takeovers = takeovers + 1
WHERE seq IN (SELECT seq FROM pending WHERE token IS NOT NULL AND lease_ends <= :boot ORDER BY lease_ends LIMIT 100)

-- name: reclaim_all
UPDATE pending SET token = NULL, lease_ends = NULL, expires = NULL, takeovers = takeovers + 1
WHERE token IS NOT NULL

-- name: holders
SELECT DISTINCT holder FROM pending WHERE token IS NOT NULL

-- name: reclaim
UPDATE pending SET token = NULL, lease_ends = NULL, expires = NULL, takeovers = takeovers + 1
WHERE token IS NOT NULL AND holder = :holder

-- name: ready
SELECT p.priority, p.seq, p.attempts, p.takeovers, i.id, i.cid, i.service, i.parent, i.created, i.not_before,
       i.expires, i.queue, i.priority, i.payload, i.options
FROM pending p JOIN invocation i USING (seq)
WHERE p.line = :line AND p.token IS NULL AND p.not_before IS NULL AND (p.expires IS NULL OR p.expires > :now)
ORDER BY p.priority, p.seq LIMIT :limit

-- name: lease
UPDATE pending SET token = :token, lease_ends = :lease_ends, holder = :holder, started = :now
WHERE seq IN (
  SELECT p.seq FROM pending p
  WHERE p.line = :line AND p.token IS NULL AND p.not_before IS NULL AND (p.expires IS NULL OR p.expires > :now)
  ORDER BY p.priority, p.seq LIMIT :limit)

-- name: lease_these
UPDATE pending SET token = :token, lease_ends = :lease_ends, holder = :holder, started = :now
WHERE seq IN (SELECT value FROM json_each(:seqs))

-- name: limited_lines
WITH RECURSIVE found (line) AS (
  SELECT (SELECT p.line FROM pending p INDEXED BY pending_ready
          WHERE p.line > :lane || '/' AND p.line < :lane || '0' AND p.token IS NULL AND p.not_before IS NULL
          ORDER BY p.line LIMIT 1)
  UNION ALL
  SELECT (SELECT p.line FROM pending p INDEXED BY pending_ready
          WHERE p.line > found.line AND p.line < :lane || '0' AND p.token IS NULL AND p.not_before IS NULL
          ORDER BY p.line LIMIT 1)
  FROM found WHERE found.line IS NOT NULL)
SELECT d.service, d.line, d.terms ->> 'max_concurrency'
FROM found JOIN deployed d ON d.service = substr(found.line, length(:lane) + 2)

-- name: running
SELECT service, count(*) FROM pending INDEXED BY pending_leased WHERE token IS NOT NULL GROUP BY service

-- name: next_times
SELECT (SELECT min(not_before) FROM pending WHERE not_before IS NOT NULL),
       (SELECT min(expires) FROM pending WHERE expires IS NOT NULL AND token IS NULL),
       (SELECT min(lease_ends) FROM pending WHERE token IS NOT NULL)

-- name: beat
UPDATE pending SET lease_ends = :lease_ends WHERE seq = (SELECT seq FROM invocation WHERE id = :id) AND token = :token

-- name: acknowledge
DELETE FROM pending WHERE seq = (SELECT seq FROM invocation WHERE id = :id) AND token = :token
RETURNING seq, takeovers, line

-- name: record
INSERT INTO outcome (seq, status, ended, started, response, error, attempts, takeovers, server, version)
VALUES (:seq, :status, :ended, :started, :response, :error, :attempts, :takeovers, :server, :version)

-- name: postpone
UPDATE pending SET token = NULL, lease_ends = NULL, expires = NULL, not_before = :not_before, attempts = :attempts
WHERE seq = (SELECT seq FROM invocation WHERE id = :id) AND token = :token
RETURNING seq, expires

-- name: put_off
UPDATE pending SET token = NULL, lease_ends = NULL, not_before = :not_before,
       started = CASE WHEN attempts + takeovers > 0 THEN started END,
       holder = CASE WHEN attempts + takeovers > 0 THEN holder END
WHERE seq = (SELECT seq FROM invocation WHERE id = :id) AND token = :token
RETURNING seq, expires

-- name: add_failure
INSERT OR REPLACE INTO failure (seq, attempt, started, ended, server, error)
VALUES (:seq, :attempt, :started, :ended, :server, :error)

-- name: trim_failures
DELETE FROM failure
WHERE seq = :seq
  AND attempt <= (SELECT attempt FROM failure WHERE seq = :seq ORDER BY attempt DESC LIMIT 1 OFFSET 10)

-- name: release
UPDATE pending SET token = NULL, lease_ends = NULL, expires = NULL
WHERE seq = (SELECT seq FROM invocation WHERE id = :id) AND token = :token

-- name: cancel
DELETE FROM pending WHERE seq = (SELECT seq FROM invocation WHERE id = :id)
RETURNING seq, takeovers, attempts + (token IS NOT NULL), started, holder, line

-- name: deployed
SELECT service, lane, terms FROM deployed

-- name: undeploy_all
DELETE FROM deployed

-- name: deploy
INSERT INTO deployed (service, lane, line, terms)
VALUES (:service, :lane, CASE WHEN :limited THEN :lane || '/' || :service ELSE :lane END, :terms)

-- name: move_services
UPDATE pending SET line = (
  SELECT CASE WHEN EXISTS (SELECT 1 FROM paused WHERE queue = pending.queue) THEN 'paused' ELSE d.line END
  FROM deployed d WHERE d.service = pending.service)
WHERE service IN (SELECT value FROM json_each(:services))

-- name: known
SELECT service, terms FROM deployed WHERE service IN (SELECT value FROM json_each(:services))

-- name: pause
INSERT OR IGNORE INTO paused (queue) VALUES (:queue)

-- name: resume
DELETE FROM paused WHERE queue = :queue

-- name: move_queue
UPDATE pending SET line = CASE WHEN :paused THEN 'paused' ELSE d.line END
FROM deployed d WHERE d.service = pending.service AND pending.queue = :queue

-- name: queues
WITH counted (queue, waiting, delayed, running, stranded, first) AS (
  SELECT queue,
         count(*) FILTER (WHERE token IS NULL AND not_before IS NULL AND line IS NOT NULL),
         count(*) FILTER (WHERE token IS NULL AND not_before IS NOT NULL),
         count(*) FILTER (WHERE token IS NOT NULL),
         count(*) FILTER (WHERE token IS NULL AND not_before IS NULL AND line IS NULL),
         min(seq) FILTER (WHERE token IS NULL AND not_before IS NULL AND line IS NOT NULL)
  FROM pending GROUP BY queue)
SELECT queue, p.queue IS NOT NULL, coalesce(c.waiting, 0), coalesce(c.delayed, 0), coalesce(c.running, 0),
       coalesce(c.stranded, 0), (SELECT i.created FROM invocation i WHERE i.seq = c.first)
FROM counted c FULL JOIN paused p USING (queue) ORDER BY queue

-- name: forget_locks
DELETE FROM lock WHERE ends <= :boot

-- name: take_lock
INSERT OR IGNORE INTO lock (name, token, ends, holder) VALUES (:name, :token, :ends, :holder)

-- name: lock_holders
SELECT DISTINCT holder FROM lock WHERE holder IS NOT NULL

-- name: free_locks
DELETE FROM lock WHERE holder = :holder

-- name: give_lock_back
DELETE FROM lock WHERE name = :name AND token = :token AND ends > :boot

-- name: members_of
SELECT worker, identity, told, alive_for, member FROM member WHERE server = :server

-- name: attend
INSERT OR REPLACE INTO member (server, worker, run, identity, told, alive_for, member)
VALUES (:server, :worker, :run, :identity, :told, :alive_for, :member)

-- name: replace_members
DELETE FROM member WHERE server = :server AND (run <> :run OR identity <> :identity)

-- name: forget_members
DELETE FROM member WHERE told < :before

-- name: leave
DELETE FROM member WHERE server = :server AND worker = :worker AND run = :run

-- name: members
SELECT m.told, m.alive_for, m.member, EXISTS (SELECT 1 FROM drained d WHERE d.server = m.server)
FROM member m WHERE m.told >= :before ORDER BY m.server, m.worker

-- name: drained
SELECT 1 FROM drained WHERE server = :server

-- name: drain
INSERT OR REPLACE INTO drained (server, run, since)
SELECT server, run, :boot FROM member WHERE server = :server LIMIT 1

-- name: undrain
DELETE FROM drained WHERE server = :server

-- name: forget_drained
DELETE FROM drained
WHERE server = :server AND run <> :run OR since < :before AND server NOT IN (SELECT server FROM member)

-- name: forget_boot
DELETE FROM lock;
DELETE FROM member;
DELETE FROM drained;

-- name: look_by_id
SELECT seq FROM invocation WHERE id = :id

-- name: look_by_cid
SELECT seq FROM invocation WHERE cid = :cid ORDER BY seq DESC LIMIT 1

-- name: look
SELECT i.id, i.cid, i.service, i.parent, i.created, i.not_before, i.expires, i.queue, i.priority,
       CASE WHEN :whole THEN i.payload ELSE x'' END, i.options,
       p.seq IS NOT NULL, p.line, p.not_before, p.token IS NOT NULL, p.holder, p.started, p.attempts, p.takeovers,
       o.status, o.ended, o.started, CASE WHEN :whole THEN o.response END, o.error, o.attempts, o.takeovers, o.server,
       o.version
FROM invocation i LEFT JOIN pending p USING (seq) LEFT JOIN outcome o USING (seq)

-- name: look_one
WHERE i.seq = :seq

-- name: look_some
WHERE i.seq IN (SELECT value FROM json_each(:seqs)) ORDER BY i.seq DESC

-- name: cid_count
SELECT count(*) FROM invocation WHERE cid = :cid

-- name: cid_counts
SELECT c.cid, count(*) FROM invocation c
WHERE c.cid IN (SELECT i.cid FROM invocation i WHERE i.seq IN (SELECT value FROM json_each(:seqs)))
GROUP BY c.cid

-- name: failures_of_some
SELECT i.id, f.attempt, f.started, f.ended, f.server, f.error FROM failure f JOIN invocation i USING (seq)
WHERE f.seq IN (SELECT value FROM json_each(:seqs)) ORDER BY f.seq, f.attempt

-- name: failures
SELECT attempt, started, ended, server, error FROM failure WHERE seq = :seq ORDER BY attempt

-- name: find_by_cid
SELECT seq FROM invocation i WHERE i.cid = :cid

-- name: find_listed
SELECT seq FROM invocation i INDEXED BY invocation_listed WHERE true

-- name: find_running
SELECT seq FROM pending d INDEXED BY pending_leased CROSS JOIN invocation i INDEXED BY invocation_listed USING (seq)
WHERE d.token IS NOT NULL

-- name: find_pending
SELECT seq FROM pending d NOT INDEXED CROSS JOIN invocation i INDEXED BY invocation_listed USING (seq)
WHERE d.token IS NULL AND (:service IS NULL OR d.service = :service)
  AND :status = CASE WHEN d.not_before IS NOT NULL THEN 'delayed' WHEN d.line IS NULL THEN 'stranded' ELSE 'waiting' END

-- name: find_done
SELECT seq FROM outcome d NOT INDEXED CROSS JOIN invocation i INDEXED BY invocation_listed USING (seq)
WHERE d.status = 'done'

-- name: find_not_done
SELECT seq FROM outcome d INDEXED BY outcome_not_done CROSS JOIN invocation i INDEXED BY invocation_listed USING (seq)
WHERE d.status <> 'done' AND d.status = :status

-- name: find_error
SELECT seq FROM outcome d INDEXED BY outcome_error CROSS JOIN invocation i INDEXED BY invocation_listed USING (seq)
WHERE d.status = 'failed'
  AND instr(lower(CAST(d.error AS TEXT) ->> 'type' || ': ' || (CAST(d.error AS TEXT) ->> 'message')), lower(:error))

-- name: find_rest
  AND seq < :before AND (:service IS NULL OR i.service = :service) AND (:parent IS NULL OR i.parent = :parent)
  AND (:since IS NULL OR i.created >= :since) AND (:until IS NULL OR i.created < :until)
  AND (:channel IS NULL OR coalesce(CAST(i.options AS TEXT) ->> 'channel', 'invoke-async') = :channel)

-- name: find_status
  AND :status = coalesce(
    (SELECT o.status FROM outcome o WHERE o.seq = i.seq),
    (SELECT CASE WHEN p.token IS NOT NULL THEN 'running' WHEN p.not_before IS NOT NULL THEN 'delayed'
                 WHEN p.line IS NULL THEN 'stranded' ELSE 'waiting' END FROM pending p WHERE p.seq = i.seq))

-- name: find_server
  AND (EXISTS (SELECT 1 FROM outcome o WHERE o.seq = i.seq AND o.server = :server)
       OR EXISTS (SELECT 1 FROM pending p WHERE p.seq = i.seq AND p.token IS NOT NULL
                  AND substr(p.holder, 1, length(:server) + 1) = :server || '/'
                  AND substr(p.holder, length(:server) + 2) NOT LIKE '%/%/%'))

-- name: find_that_error
  AND EXISTS (
    SELECT 1 FROM outcome o WHERE o.seq = i.seq AND o.status = 'failed'
    AND instr(lower(CAST(o.error AS TEXT) ->> 'type' || ': ' || (CAST(o.error AS TEXT) ->> 'message')), lower(:error)))

-- name: find_page
ORDER BY seq DESC LIMIT :limit

-- name: count
SELECT count(*) FROM (

-- name: counted
)

-- name: tree_by_id
SELECT seq, cid, parent FROM invocation WHERE id = :id

-- name: tree_by_cid
SELECT seq, cid, parent FROM invocation WHERE cid = :cid ORDER BY seq DESC LIMIT 1

-- name: tree_first
SELECT min(seq) FROM invocation WHERE cid = :cid

-- name: tree_next
SELECT i.seq, (SELECT c.cid FROM invocation c WHERE c.seq = i.seq) FROM invocation i INDEXED BY invocation_listed
WHERE i.seq > :after AND i.seq <= coalesce(:upto, 9223372036854775807)
  AND i.parent IN (SELECT value FROM json_each(:cids))
ORDER BY i.seq LIMIT 1

-- name: old_sizes
SELECT length(i.payload) + length(i.options) + coalesce(length(o.response), 0) + coalesce(length(o.error), 0)
       + coalesce((SELECT sum(length(f.error)) FROM failure f WHERE f.seq = o.seq), 0)
FROM outcome o JOIN invocation i USING (seq) WHERE o.ended < :before ORDER BY o.ended LIMIT :limit

-- name: purge_invocations
DELETE FROM invocation WHERE seq IN (SELECT seq FROM outcome WHERE ended < :before ORDER BY ended LIMIT :limit)

-- name: purge_failures
DELETE FROM failure WHERE seq IN (SELECT seq FROM outcome WHERE ended < :before ORDER BY ended LIMIT :limit)

-- name: purge_keys
DELETE FROM idempotency WHERE seq IN (SELECT seq FROM outcome WHERE ended < :before ORDER BY ended LIMIT :limit)

-- name: purge_outcomes
DELETE FROM outcome WHERE seq IN (SELECT seq FROM outcome WHERE ended < :before ORDER BY ended LIMIT :limit)

-- name: kept
SELECT number FROM document WHERE kind = :kind AND key = :key AND (ends IS NULL OR ends > :now)

-- name: keep
INSERT OR REPLACE INTO document (kind, key, owner, kept, ends, value)
VALUES (:kind, :key, :owner, :now, :ends, :value)

-- name: trim_documents
DELETE FROM document WHERE number IN (
  SELECT number FROM document WHERE kind = :kind AND owner = :owner AND (ends IS NULL OR ends > :now)
  ORDER BY number DESC LIMIT -1 OFFSET :at_most)

-- name: fetch
SELECT kind, key, owner, value, kept FROM document
WHERE kind = :kind AND key = :key AND (ends IS NULL OR ends > :now)

-- name: browse
SELECT kind, key, owner, value, kept FROM document INDEXED BY document_by_owner
WHERE kind = :kind AND (ends IS NULL OR ends > :now) ORDER BY number DESC LIMIT :limit

-- name: browse_owner
SELECT kind, key, owner, value, kept FROM document INDEXED BY document_by_owner
WHERE kind = :kind AND owner = :owner AND (ends IS NULL OR ends > :now) ORDER BY number DESC LIMIT :limit

-- name: forget
DELETE FROM document WHERE kind = :kind AND key = :key RETURNING ends IS NULL OR ends > :now

-- name: forget_all
DELETE FROM document WHERE kind = :kind AND owner = :owner RETURNING ends IS NULL OR ends > :now

-- name: ended_documents
SELECT number FROM document WHERE ends <= :now ORDER BY ends LIMIT :limit

-- name: purge_documents
DELETE FROM document WHERE number IN (SELECT number FROM document WHERE ends <= :now ORDER BY ends LIMIT :limit)

-- name: note
INSERT INTO audit (time, user, client, action, object, cid, status)
VALUES (:time, :user, :client, :action, :object, :cid, :status)

-- name: notes
SELECT number, time, user, client, action, object, cid, status FROM audit
WHERE number < :before AND (:since IS NULL OR time >= :since) AND (:until IS NULL OR time < :until)
  AND (:user IS NULL OR user = :user) AND (:action IS NULL OR action = :action)
  AND (:object IS NULL OR object = :object) AND (:cid IS NULL OR cid = :cid)
ORDER BY number DESC LIMIT :limit

-- name: old_notes
SELECT number FROM audit WHERE time < :before ORDER BY time LIMIT :limit

-- name: purge_notes
DELETE FROM audit WHERE number IN (SELECT number FROM audit WHERE time < :before ORDER BY time LIMIT :limit)

-- name: boot_id
SELECT value FROM meta WHERE name = 'boot_id'

-- name: set_boot_id
INSERT INTO meta (name, value) VALUES ('boot_id', :boot_id) ON CONFLICT (name) DO UPDATE SET value = excluded.value

-- name: attach_backup
ATTACH :file AS backup

-- name: restore
DELETE FROM failure;
DELETE FROM idempotency;
DELETE FROM outcome;
DELETE FROM pending;
DELETE FROM invocation;
INSERT INTO invocation SELECT * FROM backup.invocation;
INSERT INTO outcome SELECT * FROM backup.outcome;
INSERT INTO failure SELECT * FROM backup.failure;
INSERT INTO idempotency SELECT * FROM backup.idempotency;
INSERT INTO pending (seq, service, queue, line, priority, not_before, expires, holder, started, attempts, takeovers)
SELECT p.seq, p.service, p.queue,
       (SELECT CASE WHEN EXISTS (SELECT 1 FROM main.paused WHERE queue = p.queue) THEN 'paused' ELSE d.line END
        FROM main.deployed d WHERE d.service = p.service),
       p.priority, p.not_before, CASE WHEN p.token IS NULL THEN p.expires END, p.holder, p.started, p.attempts,
       p.takeovers
FROM backup.pending p ORDER BY p.seq;
DELETE FROM main.document WHERE EXISTS (SELECT 1 FROM backup.document);
INSERT INTO main.document SELECT * FROM backup.document;
INSERT INTO backup.audit (time, user, client, action, object, cid, status)
SELECT time, user, client, action, object, cid, status FROM main.audit
EXCEPT SELECT time, user, client, action, object, cid, status FROM backup.audit;
DELETE FROM main.audit;
INSERT INTO main.audit (time, user, client, action, object, cid, status)
SELECT time, user, client, action, object, cid, status FROM backup.audit ORDER BY time, number;

-- name: contents
SELECT (SELECT count(*) FROM pending), (SELECT count(*) FROM outcome)

-- name: survey
SELECT
  count(*) FILTER (WHERE token IS NULL AND not_before IS NULL AND line IS NOT NULL),
  count(*) FILTER (WHERE token IS NULL AND not_before IS NOT NULL AND line IS NOT NULL),
  count(*) FILTER (WHERE token IS NOT NULL),
  count(*) FILTER (WHERE token IS NULL AND line IS NULL),
  (SELECT created FROM invocation ORDER BY seq DESC LIMIT 1),
  (SELECT max(ended) FROM outcome)
FROM pending
