-- Look at calls: one by id or CID, or a page of a list, newest first.
--
-- ARGV[2], msgpack: 'id' or 'cid', and which; or 'list', and: status, service, parent, cid (false is any), since,
-- until (0 is any), most calls, numbers below this one, most calls to look at.
-- Returns records, each: number, `d:`, t, h, b, a, k, w, `o:`, failures, how many have its CID, 1 if it is stranded; then
-- for a list the number to go on below, or 0 at its end. Lists have no payloads and responses.

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

local function record_of(id, number, data, call, whole)
  local state = redis.call('HMGET', key('i', id), 't', 'h', 'b', 'a', 'k', 'w')
  local outcome = whole and (redis.call('GET', key('o', id)) or '') or without_tail(key('o', id), length_of_outcome)
  return {
    number, data, state[1] or '', state[2] or '', tonumber(state[3] or 0), tonumber(state[4] or 0),
    tonumber(state[5] or 0), tonumber(state[6] or 0), outcome, redis.call('LRANGE', key('f', id), 0, -1),
    redis.call('ZCARD', key('c', call[CID])), is_deployed(call[SERVICE]) and 0 or 1,
  }
end

local function look(id)
  if not id then
    return answer({{}, 0})
  end
  local data, call = stored(id, true)
  return answer({{data and record_of(id, number_of(id) or 0, data, call, true)}, 0})
end

local function status_of(record)
  if record[9] ~= '' then
    local _, token, head = struct.unpack('>I4I4I4', record[9])
    return cmsgpack.unpack(string.sub(record[9], 13 + token, 12 + token + head))[1]
  elseif record[3] ~= '' then
    return 'running'
  elseif record[8] ~= 0 then
    return 'delayed'
  end
  return record[12] == 1 and 'stranded' or 'waiting'
end

local OPEN = {waiting = true, delayed = true, stranded = true}
local NOT_DONE = {failed = true, expired = true, cancelled = true}

-- The narrowest index of those that have everything that is asked for.
local function index_for(status, service, parent, cid)
  if cid then
    return key('c', cid)
  elseif parent then
    return key('h:p', parent)
  elseif NOT_DONE[status] then
    return P .. 'h:' .. status
  elseif OPEN[status] then
    return P .. 'h:open'
  elseif service then
    return key('h:s', service)
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

local function list(status, service, parent, cid, since, before, limit, below, most)
  local found
  if status == 'running' and not cid and not parent then
    found = running(below, most)
  else
    local upto = '(' .. string.format('%.0f', below)
    local index = index_for(status, service, parent, cid)
    found = redis.call('ZREVRANGEBYSCORE', index, upto, '-inf', 'WITHSCORES', 'LIMIT', 0, most)
  end
  local records, number = {}, 0
  for at = 1, #found, 2 do
    number = tonumber(found[at + 1])
    local data, call = stored(found[at], false)
    local fits = data
      and (not service or call[SERVICE] == service)
      and (not parent or call[PARENT] == parent)
      and (since == 0 or call[CREATED] >= since)
      and (before == 0 or call[CREATED] < before)
    local record = fits and record_of(found[at], number, data, call, false)
    if record and (not status or status_of(record) == status) then
      records[#records + 1] = record
      if #records == limit then
        return answer({records, number})
      end
    end
  end
  return answer({records, #found < 2 * most and 0 or number})
end

if asked[1] == 'id' then
  return look(redis.call('EXISTS', key('d', asked[2])) == 1 and asked[2])
elseif asked[1] == 'cid' then
  return look(redis.call('ZREVRANGE', key('c', asked[2]), 0, 0)[1])
end
return list(unpack(asked, 2))
