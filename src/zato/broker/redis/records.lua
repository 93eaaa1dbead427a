-- Look at calls: one by id or CID, a page of a list, newest first, or the tree that one is in.
--
-- ARGV[2], msgpack: 'id' or 'cid', and which; or 'tree', the id of a call or false, else a CID, and most calls; or 'list'
-- or 'count', and: filters, most calls, numbers below this one, most calls to look at. The filters are: status, service, parent, cid, channel, server, a text in the error (false is any);
-- since, until (0 is any).
-- Returns records, each: number, `d:`, t, h, b, a, k, w, `o:`, failures, how many have its CID, 1 if it is stranded; or how
-- many there are; then for both the number to go on below, or 0 at the end. Of a tree: the CID where it began, records,
-- oldest first, and 1 if there are more. Lists and trees have no payloads and responses.

local asked = cmsgpack.unpack(ARGV[2])

local function without_tail(name, lengths)
  local data = redis.call('GETRANGE', name, 0, FIRST_READ - 1)
  if #data == 0 then
    return ''
  end
  local length = lengths(data)
  return #data >= length and string.sub(data, 1, length) or redis.call('GETRANGE', name, 0, length - 1)
end

local function length_of_call(data)
  return 4 + struct.unpack('>I4', data)
end

local function length_of_outcome(data)
  local _, token, head = struct.unpack('>I4I4I4', data)
  return 12 + token + head
end

-- A call as it is stored, and its head; nothing if it is gone.
local function stored(id, whole)
  local name = key('d', id)
  local data = whole and (redis.call('GET', name) or '') or without_tail(name, length_of_call)
  if data ~= '' then
    return data, (head_of(data))
  end
end

-- What changes of a call, and how it ended: t, h, b, a, k, w, `o:`. What has ended does not change any more.
local function state_of(id, whole)
  local outcome = whole and (redis.call('GET', key('o', id)) or '') or without_tail(key('o', id), length_of_outcome)
  local state = outcome ~= '' and {} or redis.call('HMGET', key('i', id), 't', 'h', 'b', 'a', 'k', 'w')
  state[7] = outcome
  return state
end

local function record_of(id, number, data, call, state)
  return {
    number, data, state[1] or '', state[2] or '', tonumber(state[3] or 0), tonumber(state[4] or 0),
    tonumber(state[5] or 0), tonumber(state[6] or 0), state[7], redis.call('LRANGE', key('f', id), 0, -1),
    redis.call('ZCARD', key('c', call[CID])), is_deployed(call[SERVICE]) and 0 or 1,
  }
end

-- The id of the newest call that carries a CID.
local function newest(cid)
  return redis.call('ZREVRANGE', key('c', cid), 0, 0)[1]
end

local function look(id)
  if not id then
    return answer({{}, 0})
  end
  local data, call = stored(id, true)
  return answer({{data and record_of(id, number_of(id) or 0, data, call, state_of(id, true))}, 0})
end

local STATUS, SERVER, ERROR = 1, 5, 7

-- The head of an outcome, or nothing if there is none.
local function outcome_in(state)
  if state[7] ~= '' then
    local _, token, head = struct.unpack('>I4I4I4', state[7])
    return cmsgpack.unpack(string.sub(state[7], 13 + token, 12 + token + head))
  end
end

local function status_of(call, state, outcome)
  if outcome then
    return outcome[STATUS]
  elseif state[1] then
    return 'running'
  elseif state[6] then
    return 'delayed'
  end
  return is_deployed(call[SERVICE]) and 'waiting' or 'stranded'
end

local function server_in(state, outcome)
  if outcome then
    return outcome[SERVER]
  end
  return state[1] and string.match(state[2], '^(.*)/[^/]*/[^/]*$')
end

local function channel_of(call)
  return call[OPTIONS] ~= '{}' and cjson.decode(call[OPTIONS]).channel or 'invoke-async'
end

-- Whether an outcome is a failure with this text in the type or message of its error.
local function failed_with(outcome, text)
  if not outcome or outcome[STATUS] ~= 'failed' or outcome[ERROR] == '' then
    return false
  end
  local error = cjson.decode(outcome[ERROR])
  return string.find(string.lower(error.type .. ': ' .. error.message), text, 1, true) ~= nil
end

local OPEN = {waiting = true, delayed = true, stranded = true}
local NOT_DONE = {failed = true, expired = true, cancelled = true}

-- The narrowest index of those that have everything that is asked for.
local function index_for(wanted)
  if wanted.cid then
    return key('c', wanted.cid)
  elseif wanted.parent then
    return key('h:p', wanted.parent)
  elseif wanted.error then
    return P .. 'h:failed'
  elseif NOT_DONE[wanted.status] then
    return P .. 'h:' .. wanted.status
  elseif OPEN[wanted.status] then
    return P .. 'h:open'
  elseif wanted.service then
    return key('h:s', wanted.service)
  end
  return P .. 'h:all'
end

-- What runs, as pairs of id and number, newest first.
local function running(below, count)
  local found = {}
  for _, id in ipairs(redis.call('ZRANGE', P .. 'lease', 0, -1)) do
    local number = number_of(id)
    if number < below then
      found[#found + 1] = {id, number}
    end
  end
  table.sort(found, function(one, other) return one[2] > other[2] end)
  local flat = {}
  for at = 1, math.min(count, #found) do
    flat[2 * at - 1], flat[2 * at] = found[at][1], found[at][2]
  end
  return flat
end

local function accepted_as(call, wanted)
  return (not wanted.service or call[SERVICE] == wanted.service)
    and (not wanted.parent or call[PARENT] == wanted.parent)
    and (wanted.since == 0 or call[CREATED] >= wanted.since)
    and (wanted.before == 0 or call[CREATED] < wanted.before)
    and (not wanted.channel or channel_of(call) == wanted.channel)
end

local function stands_as(call, state, wanted)
  local outcome = outcome_in(state)
  return (not wanted.status or status_of(call, state, outcome) == wanted.status)
    and (not wanted.server or server_in(state, outcome) == wanted.server)
    and (not wanted.error or failed_with(outcome, wanted.error))
end

local function numbered(wanted, below, most)
  if wanted.status == 'running' and not wanted.cid and not wanted.parent then
    return running(below, most)
  end
  local upto = '(' .. string.format('%.0f', below)
  return redis.call('ZREVRANGEBYSCORE', index_for(wanted), upto, '-inf', 'WITHSCORES', 'LIMIT', 0, most)
end

-- Call `take` with every call that has what is wanted, until it says that it has enough; return where it did, or 0.
local function search(wanted, below, most, take)
  local asks_state = wanted.status or wanted.server or wanted.error
  local found, number = numbered(wanted, below, most), 0
  for at = 1, #found, 2 do
    number = tonumber(found[at + 1])
    local data, call = stored(found[at], false)
    if data and accepted_as(call, wanted) then
      local state = asks_state and state_of(found[at], false)
      if (not asks_state or stands_as(call, state, wanted)) and take(found[at], number, data, call, state) then
        return number
      end
    end
  end
  return #found < 2 * most and 0 or number
end

local function list(wanted, limit, below, most)
  local records = {}
  local last = search(wanted, below, most, function(id, number, data, call, state)
    records[#records + 1] = record_of(id, number, data, call, state or state_of(id, false))
    return #records == limit
  end)
  return answer({records, last})
end

-- How many calls are in an index of which all are wanted; nothing if each has to be looked at.
local function size_of_all(wanted)
  local asked_for = (wanted.since ~= 0 or wanted.before ~= 0) and 2 or 0
  for _, name in ipairs({'status', 'service', 'parent', 'cid', 'channel', 'server', 'error'}) do
    asked_for = asked_for + (wanted[name] and 1 or 0)
  end
  local has_index = wanted.service or wanted.parent or wanted.cid or NOT_DONE[wanted.status]
  if asked_for == 0 or (asked_for == 1 and has_index) then
    return redis.call('ZCARD', index_for(wanted))
  end
end

local function count(wanted, _, below, most)
  local size = size_of_all(wanted)
  if size then
    return answer({size, 0})
  end
  local counted = 0
  local last = search(wanted, below, most, function()
    counted = counted + 1
  end)
  return answer({counted, last})
end

local function wanted_of(filters)
  local status, service, parent, cid, channel, server, error, since, before = unpack(filters)
  return {
    status = status, service = service, parent = parent, cid = cid, channel = channel, server = server,
    error = error and string.lower(error), since = since, before = before,
  }
end

-- A tree while it grows: its calls as {number, id, data, head}, which ids it has, and for each CID on the way up the number
-- behind which stands what was made under it.
local function take(tree, id, number)
  local data, call = stored(id, false)
  if data then
    tree.ids[id] = true
    tree.calls[#tree.calls + 1] = {number, id, data, call}
    return call
  end
end

-- Take a call on the way up, if the request has a record; return the CID above.
local function pass(tree, id)
  local call = id and take(tree, id, number_of(id) or 0)
  tree.root = call and call[CID] or tree.root
  local first = redis.call('ZRANGE', key('c', tree.root), 0, 0, 'WITHSCORES')
  tree.behind[tree.root] = tonumber(first[2] or 0)
  return call and call[PARENT]
end

local function climb(tree, id, limit)
  local above = pass(tree, id)
  while above and not tree.behind[above] do
    local id = newest(above)
    tree.is_cut = id and #tree.calls == limit
    if tree.is_cut then
      return
    end
    tree.root = above
    above = pass(tree, id)
  end
end

-- The next call that was made under a CID, or nothing.
local function made_next(cid, behind)
  local from = '(' .. string.format('%.0f', behind)
  local found = redis.call('ZRANGEBYSCORE', key('h:p', cid), from, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  return found[1] and {id = found[1], number = tonumber(found[2]), maker = cid}
end

local function first_of(waiting)
  local first
  for _, made in pairs(waiting) do
    first = (not first or made.number < first.number) and made or first
  end
  return first
end

-- Take what is below, in the order of acceptance. What waits is the next of each CID.
local function descend(tree, limit)
  local waiting = {}
  for cid, behind in pairs(tree.behind) do
    waiting[cid] = made_next(cid, behind) or nil
  end
  local made = first_of(waiting)
  while made do
    if not tree.ids[made.id] then
      if #tree.calls == limit then
        tree.is_cut = true
        return
      end
      local call = take(tree, made.id, made.number)
      if call then
        waiting[call[CID]] = made_next(call[CID], made.number) or nil
      end
    end
    waiting[made.maker] = made_next(made.maker, made.number) or nil
    made = first_of(waiting)
  end
end

local function tree_of(id, cid, limit)
  local tree = {root = cid, calls = {}, ids = {}, behind = {}}
  if id and not stored(id, false) then
    return answer({'', {}, 0})
  end
  climb(tree, id or newest(cid), limit)
  if not tree.is_cut then
    descend(tree, limit)
  end
  table.sort(tree.calls, function(one, other) return one[1] < other[1] end)
  local records = {}
  for at, each in ipairs(tree.calls) do
    records[at] = record_of(each[2], each[1], each[3], each[4], state_of(each[2], false))
  end
  return answer({tree.root, records, tree.is_cut and 1 or 0})
end

if asked[1] == 'id' then
  return look(redis.call('EXISTS', key('d', asked[2])) == 1 and asked[2])
elseif asked[1] == 'cid' then
  return look(newest(asked[2]))
end
if asked[1] == 'tree' then
  return tree_of(asked[2], asked[3], asked[4])
end
local ACTIONS = {list = list, count = count}
return ACTIONS[asked[1]](wanted_of(asked[2]), unpack(asked, 3))
