-- Say what a server can run. ARGV[2], msgpack: server, how, map of service to lane, map of service to terms as JSON, map of
-- service to max_concurrency. How: 0 in place of what was said before, 1 beside it, 2 where it was forgotten.
-- Returns the services that stay announced though they are not among these.

local server, how, services, terms, limits = unpack(cmsgpack.unpack(ARGV[2]))
local REPLACING, REPEATING = 0, 2
local MINUTE = 60000
local name = key('caps', server)
local before, stays, changed, newly_limited = {}, {}, false, {}

even_if_full()
local pairs_before = redis.call('HGETALL', name)
for i = 1, #pairs_before, 2 do
  before[pairs_before[i]] = pairs_before[i + 1]
end
for service in pairs(before) do
  if not services[service] then
    if how == REPLACING then
      redis.call('HDEL', name, service)
      changed = true
    else
      stays[#stays + 1] = service
    end
  end
end

local function know(service)
  if how == REPEATING then
    return redis.call('HSETNX', P .. 'known', service, terms[service] or '') == 1
  end
  redis.call('HSET', P .. 'known', service, terms[service] or '')
  return true
end

local function limit(service)
  if tostring(limits[service] or '') ~= (redis.call('HGET', P .. 'limits', service) or '') then
    changed = true
  end
  if limits[service] then
    if redis.call('HSET', P .. 'limits', service, limits[service]) == 1 then
      newly_limited[service] = true
    end
  else
    redis.call('HDEL', P .. 'limits', service)
  end
end

for service, lane in pairs(services) do
  if before[service] ~= lane and not (how == REPEATING and before[service]) then
    redis.call('HSET', name, service, lane)
    changed = true
  end
  if know(service) then
    limit(service)
  end
end
if next(newly_limited) then
  -- What runs already counts from now on.
  for _, id in ipairs(redis.call('ZRANGE', P .. 'lease', 0, -1)) do
    local call = known_call(id)
    if call and newly_limited[call[SERVICE]] then
      redis.call('HSET', key('i', id), 'm', 1)
      redis.call('SADD', key('run', call[SERVICE]), id)
    end
  end
end
if not redis.call('ZSCORE', P .. 'alive', server) then
  -- Until it tells how long it lives; see members.lua.
  redis.call('ZADD', P .. 'alive', how == REPEATING and boot + MINUTE or '+inf', server)
end
ready = ready or changed
table.sort(stays)
return answer(stays)
