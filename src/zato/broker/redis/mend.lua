-- Undo what was asked for when the answer did not come. ARGV[2], msgpack: tokens of leases, which nobody knows to hold;
-- ids of calls whose callers were told that they were refused. Returns how many of each.

local tokens, ids = unpack(cmsgpack.unpack(ARGV[2]))
local wanted, leases, calls = {}, 0, 0
for _, token in ipairs(tokens) do
  wanted[token] = true
end
for _, id in ipairs(#tokens > 0 and redis.call('ZRANGE', P .. 'lease', 0, -1) or {}) do
  local name = key('i', id)
  local state = redis.call('HMGET', name, 't', 'a', 'k', 'e', 'm')
  local call = wanted[state[1]] and known_call(id)
  if call then
    redis.call('ZREM', P .. 'lease', id)
    if state[5] then
      free_place(call[SERVICE], id)
    end
    redis.call('HDEL', name, 't', 'm')
    if tonumber(state[2] or 0) + tonumber(state[3] or 0) == 0 then
      redis.call('HDEL', name, 'h', 'b')
    end
    if state[4] then
      redis.call('ZADD', P .. 'exp', state[4], id)
    end
    make_ready(call, number_of(id))
    leases = leases + 1
  end
end
for _, id in ipairs(ids) do
  local state = redis.call('HMGET', key('i', id), 't', 'h', 'w')
  if redis.call('ZSCORE', P .. 'h:open', id) and not state[1] and not state[2] then
    local call = call_of(id)
    withdraw(call, state[3])
    for _, index in ipairs({'h:all', 'h:open'}) do
      redis.call('ZREM', P .. index, id)
    end
    redis.call('ZREM', key('h:s', call[SERVICE]), id)
    redis.call('ZREM', key('c', call[CID]), id)
    if call[PARENT] then
      redis.call('ZREM', key('h:p', call[PARENT]), id)
    end
    redis.call('DEL', key('d', id), key('i', id), key('f', id))
    calls = calls + 1
  end
end
return answer({leases, calls})
