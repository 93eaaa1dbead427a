-- Record the outcome `cancelled` of a call that has none. The first write is one that a full Redis allows.
--
-- ARGV[2], msgpack: id, when, the server that was asked, version. Returns 1 if it was recorded.

local id, when, server, version = unpack(cmsgpack.unpack(ARGV[2]))

local function outcome_is(which, status, ended_at)
  local data = redis.call('GET', key('o', which))
  if not data then
    return false
  end
  local _, token, length = struct.unpack('>I4I4I4', data)
  local head = cmsgpack.unpack(string.sub(data, 13 + token, 12 + token + length))
  return head[1] == status and head[2] == ended_at
end

if not redis.call('ZSCORE', P .. 'h:open', id) then
  -- Asked before, and the answer did not come.
  local recorded = AGAIN and outcome_is(id, 'cancelled', when)
  if recorded then
    ended[#ended + 1] = id
  end
  return answer(recorded and 1 or 0)
end
local call = call_of(id)
local state = redis.call('HMGET', key('i', id), 't', 'a', 'k', 'h', 'b', 'w', 'm')
local attempts, takeovers = tonumber(state[2] or 0), tonumber(state[3] or 0)
if state[1] then
  redis.call('ZREM', P .. 'lease', id)
  attempts = attempts + 1
  if state[7] then
    free_place(call[SERVICE], id)
  end
else
  withdraw(call, state[6])
end
local ran_on = state[4] and string.match(state[4], '^(.*)/[^/]*/[^/]*$')
local head = cmsgpack.pack({'cancelled', when, tonumber(state[5] or 0), attempts, ran_on or server, version, '', false})
record(id, 'cancelled', when + skew, takeovers, '', head, '')
return answer(1)
