-- The data model of a cluster in Redis, and what all scripts have in common: this file stands in front of each.
--
-- Every key of a cluster begins with the same hash tag, so that one script may touch any two of them:
-- KEYS[1] is `{zato:<cluster>}:`, and is left out below.
--
--   d:<id>      string  what was accepted; never changes. Four bytes: the length of the head. The head, msgpack:
--                       version, id, cid, service, queue, priority, parent, created, not_before, expires, key, options.
--                       The payload.
--   i:<id>      hash    what changes while a call has no outcome; there only if there is something to say:
--                         t token of the lease; h holder, b beginning: of the lease, or of the last one in which it ran
--                         a attempts, k take-overs; w not before; e expires; m counts for max_concurrency
--                         l token of the last lease that its holder gave back
--   o:<id>      string  how it ended; never changes. Three times four bytes: take-overs, length of the token, length of
--                       the head. The token that recorded it. The head, msgpack: status, ended, started, attempts,
--                       server, version, error, whether there is a response. The response.
--   f:<id>      list    the last 10 attempts that failed and were tried again
--   c:<cid>     zset    calls that carry this CID, by number
--   k:<key>     string  idempotency key -> the call that used it first, until that is purged
--   seq         string  the number of the last call: the order of acceptance
--   r:<line>    zset    what is ready of one line, which is `<queue>:<service>`; score = priority * 2^49 + number
--   ne          zset    lines that are not empty, score = that of their head: a lease looks here, never at empty keys
--   due lease exp end   zsets of calls by ms: not before; end of the lease; expiry; when the outcome was recorded
--   delayed     hash    line -> how many of it are in `due`
--   run:<svc>   set     what runs of a service that has a max_concurrency
--   h:all h:open h:failed h:expired h:cancelled h:s:<service> h:p:<parent>
--               zsets   calls by number: what lists look at
--   caps:<srv>  hash    service -> lane: what a server can run; `alive` zset of servers, by the ms until which they live
--   known       hash    every service ever announced -> its terms, JSON; `limits` hash: service -> max_concurrency
--   paused      set     queues; `parked` zset: calls that were met in a form that only a newer version of zato reads, by
--                       the version of the form; one that reads it takes them back. Later forms add to heads at the end
--   members     hash    <server>/<worker> -> a process: run, identity, ms it lives, ms when seen, itself as JSON
--   draining    hash    server -> the run of it that takes no new work
--   lock:<name> hash    t token, u ms until which it is held, h the process that holds it; with an expiry
--   locks:<srv> set     names of locks that processes of a server have taken, and perhaps not given back
--   doc:h:<kind> doc:v:<kind>
--               hashes  key -> what is said of a document, msgpack: owner, ms when it was kept, ms until which it is there
--                       or -1; and the document itself. `doc:seq` is the number of the last one that was kept
--   doc:n:<kind> doc:o:<length of the kind>:<kind><owner>
--               zsets   keys of documents, of a kind and of one owner of it, by number; `doc:ends` zset of
--                       <length of the kind>:<kind><key> by the ms until which they are there
--   audit       stream  who did what; `audit:seq` is the number of the last entry, and ids are <number>-0
--   meta        hash    program, format
--   bell        channel `<tag>|r|<ids>`: who says it; `r` or `-`: whether something became ready; what has ended
--
-- Time is that of Redis, so that servers need not agree: TIME, read once a script. What servers tell in times of their
-- own clock is moved by how far that is off. Tests give both clocks instead.
--
-- ARGV[1], msgpack: the server's time; test clocks, wall and boot, or 0; tag; whether this is asked once more because
-- the answer did not come. Every script returns what was asked for, whether something became ready, and what has ended.

local P = KEYS[1]
local HEADER = cmsgpack.unpack(ARGV[1])
local TAG, AGAIN = HEADER[4], HEADER[5]

local VERSION, ID, CID, SERVICE, QUEUE, PRIORITY, PARENT, CREATED, NOT_BEFORE, EXPIRES, KEY, OPTIONS = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
local KNOWN_VERSION = 1
local FIRST_READ = 2048
local SLICE = 100
local KEPT_FAILURES = 10
-- Lua passes on a few thousand; an even number keeps pairs together.
local MOST_ARGUMENTS = 4000

local now, boot, skew
if HEADER[2] ~= 0 then
  now, boot, skew = HEADER[2], HEADER[3], 0
else
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
  boot, skew = now, now - HEADER[1]
end

local ready, ended = false, {}

local function key(kind, name)
  return P .. kind .. ':' .. name
end

-- A full Redis refuses a script whose first write adds something. This is for those that it is to carry out.
local function even_if_full()
  redis.call('ZREM', P .. 'parked', '')
end

local function head_of(data)
  local length = struct.unpack('>I4', data)
  return cmsgpack.unpack(string.sub(data, 5, 4 + length)), 4 + length
end

local function read_head(name)
  local data = redis.call('GETRANGE', name, 0, FIRST_READ - 1)
  if #data < 4 then
    return nil
  end
  local length = struct.unpack('>I4', data)
  if 4 + length > #data then
    data = redis.call('GETRANGE', name, 0, 3 + length)
  end
  return cmsgpack.unpack(string.sub(data, 5, 4 + length))
end

local function call_of(id)
  return read_head(key('d', id))
end

local function number_of(id)
  return tonumber(redis.call('ZSCORE', P .. 'h:all', id))
end

local function line_of(call)
  return call[QUEUE] .. ':' .. call[SERVICE]
end

local function correct_head(line)
  local head = redis.call('ZRANGE', key('r', line), 0, 0, 'WITHSCORES')
  if head[1] then
    redis.call('ZADD', P .. 'ne', head[2], line)
  else
    redis.call('ZREM', P .. 'ne', line)
  end
  return tonumber(head[2])
end

local function score_of(call, number)
  return call[PRIORITY] * 2 ^ 49 + number
end

local function make_ready(call, number)
  local line, score = line_of(call), score_of(call, number)
  redis.call('ZADD', key('r', line), score, call[ID])
  redis.call('ZADD', P .. 'ne', 'LT', score, line)
  ready = true
end

local function delay(call, until_when)
  redis.call('ZADD', P .. 'due', until_when, call[ID])
  redis.call('HSET', key('i', call[ID]), 'w', until_when)
  redis.call('HINCRBY', P .. 'delayed', line_of(call), 1)
  ready = true
end

local function delay_no_more(call)
  redis.call('ZREM', P .. 'due', call[ID])
  redis.call('HDEL', key('i', call[ID]), 'w')
  if redis.call('HINCRBY', P .. 'delayed', line_of(call), -1) <= 0 then
    redis.call('HDEL', P .. 'delayed', line_of(call))
  end
end

-- What is added to one zset or taken from it is written at once for many calls; nobody may look at it before.
local additions, removals, heads, last_number = {}, {}, {}, nil
local is_outcome = false

local function put_together(lists, name, one, other)
  local list = lists[name]
  if not list then
    list = {}
    lists[name] = list
  end
  list[#list + 1] = one
  list[#list + 1] = other
end

local function write(command, lists)
  -- What has its outcome leaves all other indexes, even if a key of another program is in the place of one.
  local call = is_outcome and redis.pcall or redis.call
  for name, list in pairs(lists) do
    for at = 1, #list, MOST_ARGUMENTS do
      call(command, name, unpack(list, at, math.min(at + MOST_ARGUMENTS - 1, #list)))
    end
  end
end

local function write_all()
  if last_number then
    redis.call('SET', P .. 'seq', string.format('%.0f', last_number))
  end
  write('ZADD', additions)
  write('ZREM', removals)
  for line, score in pairs(heads) do
    redis.call('ZADD', P .. 'ne', 'LT', score, line)
  end
  additions, removals, heads, last_number = {}, {}, {}, nil
end

local function next_number()
  last_number = (last_number or tonumber(redis.call('GET', P .. 'seq') or 0)) + 1
  return last_number
end

local function store(call, data)
  local id = call[ID]
  redis.call('SET', key('d', id), data)
  local number = next_number()
  redis.call('ZADD', key('c', call[CID]), number, id)
  put_together(additions, P .. 'h:all', number, id)
  put_together(additions, P .. 'h:open', number, id)
  put_together(additions, key('h:s', call[SERVICE]), number, id)
  if call[PARENT] then
    redis.call('ZADD', key('h:p', call[PARENT]), number, id)
  end
  if call[KEY] ~= '' then
    redis.call('SET', key('k', call[KEY]), id)
  end
  if call[EXPIRES] ~= 0 then
    redis.call('ZADD', P .. 'exp', call[EXPIRES] + skew, id)
    redis.call('HSET', key('i', id), 'e', call[EXPIRES] + skew)
  end
  if call[NOT_BEFORE] ~= 0 then
    delay(call, call[NOT_BEFORE] + skew)
  else
    local line, score = line_of(call), score_of(call, number)
    put_together(additions, key('r', line), score, id)
    heads[line] = math.min(heads[line] or score, score)
    ready = true
  end
end

-- Take a call out of wherever it waits for a holder.
local function withdraw(call, is_delayed)
  redis.call('ZREM', P .. 'exp', call[ID])
  if is_delayed then
    delay_no_more(call)
  else
    redis.call('ZREM', key('r', line_of(call)), call[ID])
    redis.call('ZREM', P .. 'parked', call[ID])
    correct_head(line_of(call))
  end
end

-- A service with a max_concurrency runs once less.
local function free_place(service, id)
  redis.call('SREM', key('run', service), id)
  ready = true
end

local function record(id, status, when, takeovers, token, head, response)
  local lengths = struct.pack('>I4I4I4', takeovers, #token, #head)
  redis.call('SET', key('o', id), lengths .. token .. head .. response)
  redis.call('DEL', key('i', id))
  put_together(additions, P .. 'end', when, id)
  put_together(removals, P .. 'h:open', id)
  if status ~= 'done' then
    redis.call('ZADD', P .. 'h:' .. status, number_of(id), id)
  end
  ended[#ended + 1] = id
end

local function expire(call, is_delayed, attempts, takeovers)
  withdraw(call, is_delayed)
  local head = cmsgpack.pack({'expired', now, 0, attempts, '', '', '', false})
  record(call[ID], 'expired', now, takeovers, '', head, '')
end

-- A call, or nil if somebody has deleted it: then nothing of it is left behind, or it would hold up all others.
local function known_call(id)
  local call = call_of(id)
  if not call then
    for _, index in ipairs({'lease', 'due', 'exp', 'end', 'parked', 'h:all', 'h:open', 'h:failed', 'h:expired', 'h:cancelled'}) do
      redis.call('ZREM', P .. index, id)
    end
    redis.call('DEL', key('i', id), key('o', id), key('f', id))
  end
  return call
end

-- Whether a call that seems to be open has its outcome; then it is nowhere else any more.
local function has_ended(id)
  if redis.call('EXISTS', key('o', id)) == 0 then
    return false
  end
  redis.call('ZREM', P .. 'lease', id)
  redis.call('ZREM', P .. 'h:open', id)
  redis.call('ZADD', P .. 'end', 'NX', now, id)
  return true
end

-- End the lease of a holder that vanished.
local function take_away(id)
  redis.call('ZREM', P .. 'lease', id)
  local call, name = known_call(id), key('i', id)
  if not call or has_ended(id) then
    return
  end
  if redis.call('HGET', name, 'm') then
    free_place(call[SERVICE], id)
  end
  redis.call('HDEL', name, 't', 'e', 'm')
  redis.call('HINCRBY', name, 'k', 1)
  make_ready(call, number_of(id))
end

-- Prolong leases; return the ids whose token is another one.
local function prolong(holdings, ends)
  local lost = {}
  for _, holding in ipairs(holdings) do
    local id, token = holding[1], holding[2]
    if redis.call('HGET', key('i', id), 't') == token then
      redis.call('ZADD', P .. 'lease', 'XX', ends, id)
    else
      lost[#lost + 1] = id
    end
  end
  return lost
end

local servers_alive
local can_run = {}

-- Whether any server that lives can run a service.
local function is_deployed(service)
  if can_run[service] == nil then
    servers_alive = servers_alive or redis.call('ZRANGEBYSCORE', P .. 'alive', '(' .. string.format('%.0f', boot), '+inf')
    can_run[service] = false
    for _, server in ipairs(servers_alive) do
      if redis.call('HEXISTS', key('caps', server), service) == 1 then
        can_run[service] = true
        break
      end
    end
  end
  return can_run[service]
end

local function answer(result)
  write_all()
  -- A process that is alone has nobody to tell: it knows already, and would only wake itself.
  if (ready or #ended > 0) and redis.call('HLEN', P .. 'members') ~= 1 then
    redis.call('PUBLISH', P .. 'bell', TAG .. '|' .. (ready and 'r' or '-') .. '|' .. table.concat(ended))
  end
  return {result, ready and 1 or 0, ended}
end
