-- Delete outcomes that are older than a time. ARGV[2], msgpack: ms of retention, most calls, most bytes.
-- Returns how many, and 1 if there are more.

local retention, most, most_bytes = unpack(cmsgpack.unpack(ARGV[2]))
local before = '(' .. string.format('%.0f', now - retention)
local old = redis.call('ZRANGEBYSCORE', P .. 'end', '-inf', before, 'LIMIT', 0, most + 1)

local function size_of(id)
  local size = redis.call('STRLEN', key('d', id)) + redis.call('STRLEN', key('o', id))
  for _, failure in ipairs(redis.call('LRANGE', key('f', id), 0, -1)) do
    size = size + #failure
  end
  return size
end

local function purge(id)
  local call = known_call(id)
  if not call then
    return
  end
  for _, index in ipairs({'h:all', 'h:failed', 'h:expired', 'h:cancelled', 'end'}) do
    put_together(removals, P .. index, id)
  end
  put_together(removals, key('h:s', call[SERVICE]), id)
  redis.call('ZREM', key('c', call[CID]), id)
  if call[PARENT] then
    redis.call('ZREM', key('h:p', call[PARENT]), id)
  end
  if call[KEY] ~= '' and redis.call('GET', key('k', call[KEY])) == id then
    redis.call('DEL', key('k', call[KEY]))
  end
  redis.call('UNLINK', key('d', id), key('o', id), key('f', id))
end

local count = 0
for at = 1, math.min(most, #old) do
  most_bytes = most_bytes - size_of(old[at])
  if most_bytes < 0 and count > 0 then
    break
  end
  purge(old[at])
  count = count + 1
end
return answer({count, count < #old and 1 or 0})
