-- Documents, and the audit. ARGV[2]: what; ARGV[3], msgpack, or for `note` the entry itself:
--   keep        kind, key, owner, ms or -1 for ever, 1 if only a new one, how many of its owner stay or -1 for all; ARGV[4]
--               is the value. Returns 1 if it is kept
--   fetch       kind, key. Returns a list of one: key, owner, value, ms when it was kept; or of none
--   browse      kind, owner or false, most, numbers below this one, most to look at. Returns such documents, newest first,
--               and the number to go on below, or 0 at the end
--   forget      kind, key. Returns how many there were
--   forget_all  kind, owner. Returns how many there were
--   note        the entry: time, user, client, action, object, CID, status
--   notes       user, action, object, CID, of which false is any; since, until, of which 0 is any; most, numbers below this
--               one, most to look at. Returns numbers and entries, newest first, and the number to go on below, or 0
--   purge       ms of retention of the audit, most of each. Returns how many, and 1 if there are more

local AUDIT, ENDS = P .. 'audit', P .. 'doc:ends'
local OWNER, KEPT, LAST = 1, 2, 3
-- Among how many entries one that may have been appended before is looked for.
local LATEST = 100

-- Two texts as one name that no other two have.
local function both(one, other)
  return #one .. ':' .. one .. other
end

local function heads_of(kind)
  return key('doc:h', kind)
end

local function values_of(kind)
  return key('doc:v', kind)
end

local function all_of(kind)
  return key('doc:n', kind)
end

local function owned_by(kind, owner)
  return key('doc:o', both(kind, owner))
end

-- What is said of a document, whether or not its time is over; nothing if there is none.
local function head_of_document(kind, name)
  local data = redis.call('HGET', heads_of(kind), name)
  return data and cmsgpack.unpack(data)
end

local function is_there(head)
  return head and (head[LAST] < 0 or head[LAST] > now)
end

local function delete(kind, name, owner)
  redis.call('HDEL', heads_of(kind), name)
  redis.call('HDEL', values_of(kind), name)
  redis.call('ZREM', all_of(kind), name)
  redis.call('ZREM', ENDS, both(kind, name))
  if owner then
    redis.call('ZREM', owned_by(kind, owner), name)
  end
end

local function trim(kind, owner, most)
  for _, name in ipairs(redis.call('ZREVRANGE', owned_by(kind, owner), 0, -1)) do
    if is_there(head_of_document(kind, name)) and most > 0 then
      most = most - 1
    else
      delete(kind, name, owner)
    end
  end
end

local function keep(kind, name, owner, lasts, only_new, at_most)
  local before, value = head_of_document(kind, name), ARGV[4]
  if only_new == 1 and is_there(before) then
    local is_this = before[OWNER] == owner and redis.call('HGET', values_of(kind), name) == value
    return answer(AGAIN and is_this and 1 or 0)
  end
  local number, last = redis.call('INCR', P .. 'doc:seq'), lasts < 0 and -1 or now + lasts
  delete(kind, name, before and before[OWNER])
  redis.call('HSET', heads_of(kind), name, cmsgpack.pack({owner, now, last}))
  redis.call('HSET', values_of(kind), name, value)
  redis.call('ZADD', all_of(kind), number, name)
  redis.call('ZADD', owned_by(kind, owner), number, name)
  if last >= 0 then
    redis.call('ZADD', ENDS, last, both(kind, name))
  end
  if at_most >= 0 then
    trim(kind, owner, at_most)
  end
  return answer(1)
end

local function row_of(kind, name, head)
  return {name, head[OWNER], redis.call('HGET', values_of(kind), name), string.format('%.0f', head[KEPT])}
end

local function fetch(kind, name)
  local head = head_of_document(kind, name)
  return answer(is_there(head) and {row_of(kind, name, head)} or {})
end

local function browse(kind, owner, limit, below, most)
  local index = owner and owned_by(kind, owner) or all_of(kind)
  local upto = '(' .. string.format('%.0f', below)
  local found = redis.call('ZREVRANGEBYSCORE', index, upto, '-inf', 'WITHSCORES', 'LIMIT', 0, most)
  local rows, number = {}, 0
  for at = 1, #found, 2 do
    local head = head_of_document(kind, found[at])
    number = tonumber(found[at + 1])
    if is_there(head) then
      rows[#rows + 1] = row_of(kind, found[at], head)
      if #rows == limit then
        break
      end
    end
  end
  return answer({rows, #found < 2 * most and 0 or number})
end

local function forget(kind, name)
  local head = head_of_document(kind, name)
  delete(kind, name, head and head[OWNER])
  return answer(is_there(head) and 1 or 0)
end

local function forget_all(kind, owner)
  local count = 0
  for _, name in ipairs(redis.call('ZRANGE', owned_by(kind, owner), 0, -1)) do
    count = count + (is_there(head_of_document(kind, name)) and 1 or 0)
    delete(kind, name, owner)
  end
  return answer(count)
end

local function number_in(id)
  return tonumber(string.match(id, '^%d+'))
end

local function is_noted(entry)
  for _, found in ipairs(redis.call('XREVRANGE', AUDIT, '+', '-', 'COUNT', LATEST)) do
    if found[2][2] == entry then
      return true
    end
  end
  return false
end

local function note(entry)
  if not (AGAIN and is_noted(entry)) then
    local number = redis.call('INCR', P .. 'audit:seq')
    redis.call('XADD', AUDIT, string.format('%.0f-0', number), 'e', entry)
  end
  return answer(0)
end

local function notes(user, action, object, cid, since, before, limit, below, most)
  if below < 1 then
    return answer({{}, 0})
  end
  local found = redis.call('XREVRANGE', AUDIT, string.format('%.0f-0', below - 1), '-', 'COUNT', most)
  local told, number = {}, 0
  for _, each in ipairs(found) do
    local packed = each[2][2]
    local entry = cmsgpack.unpack(packed)
    number = number_in(each[1])
    local fits = (not user or entry[2] == user)
      and (not action or entry[4] == action)
      and (not object or entry[5] == object)
      and (not cid or entry[6] == cid)
      and (since == 0 or entry[1] >= since)
      and (before == 0 or entry[1] < before)
    if fits then
      told[#told + 1] = {string.format('%.0f', number), packed}
      if #told == limit then
        return answer({told, number})
      end
    end
  end
  return answer({told, #found < most and 0 or number})
end

local function purge_documents(most)
  local over = redis.call('ZRANGEBYSCORE', ENDS, '-inf', string.format('%.0f', now), 'LIMIT', 0, most + 1)
  for at = 1, math.min(most, #over) do
    local length, rest = string.match(over[at], '^(%d+):(.*)$')
    local kind, name = string.sub(rest, 1, length), string.sub(rest, length + 1)
    local head = head_of_document(kind, name)
    delete(kind, name, head and head[OWNER])
  end
  return math.min(most, #over), #over > most
end

local function purge_audit(retention, most)
  local first = redis.call('XRANGE', AUDIT, '-', '+', 'COUNT', most + 1)
  local count, is_last_old = 0, false
  for at, each in ipairs(first) do
    local is_old = cmsgpack.unpack(each[2][2])[1] < now - retention
    if at > most then
      is_last_old = is_old
    elseif is_old then
      redis.call('XDEL', AUDIT, each[1])
      count = count + 1
    end
  end
  if #first > 0 and redis.call('XLEN', AUDIT) == 0 then
    redis.call('DEL', AUDIT)
  end
  return count, is_last_old and count > 0
end

local function purge(retention, most)
  local documents, more_documents = purge_documents(most)
  local entries, more_entries = purge_audit(retention, most)
  return answer({documents + entries, (more_documents or more_entries) and 1 or 0})
end

if ARGV[2] == 'note' then
  return note(ARGV[3])
end
local ACTIONS = {
  keep = keep, fetch = fetch, browse = browse, forget = forget, forget_all = forget_all, notes = notes, purge = purge,
}
return ACTIONS[ARGV[2]](unpack(cmsgpack.unpack(ARGV[3])))
