-- End the leases of a server's earlier runs, and of the process that a new one replaces, and give back their locks.
--
-- ARGV[2], msgpack: server, run, worker; the holder in `i:` is `server/run/worker`. Returns how many.

local server, run, worker = unpack(cmsgpack.unpack(ARGV[2]))
local count = 0
ready = true

local function is_dead(holder)
  local whose, its_run, its_worker = string.match(holder or '', '^(.*)/([^/]*)/([^/]*)$')
  return whose == server and (its_run ~= run or tonumber(its_worker) == worker)
end

for _, id in ipairs(redis.call('ZRANGE', P .. 'lease', 0, -1)) do
  if is_dead(redis.call('HGET', key('i', id), 'h')) then
    take_away(id)
    count = count + 1
  end
end
for _, name in ipairs(redis.call('SMEMBERS', key('locks', server))) do
  local holder = redis.call('HGET', key('lock', name), 'h')
  if not holder or is_dead(holder) then
    redis.call('DEL', key('lock', name))
    redis.call('SREM', key('locks', server), name)
  end
end
return answer(count)
