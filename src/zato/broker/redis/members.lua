-- The processes of all servers. ARGV[2], msgpack: what, and with it:
--   attend  server, worker, run, identity, ms it lives, the process as JSON. Returns 1 if its server is draining, and the
--           JSON of another environment's living process of the same name, or ''; and the server if what it announced was
--           forgotten, or ''
--   leave   server, worker, run
--   list    Returns for each process: JSON, ms since it was seen, 1 if it lives, 1 if its server is draining
--   drain   server, 1 or 0 to undo it. Returns 1 if there is such a server
--   where   services. Returns for each the servers that live and can run it

local DAY = 86400000
local MEMBERS, DRAINING = P .. 'members', P .. 'draining'
local RUN, IDENTITY, LIVES, SEEN, TEXT = 1, 2, 3, 4, 5
local asked = cmsgpack.unpack(ARGV[2])

local function all()
  local members, flat = {}, redis.call('HGETALL', MEMBERS)
  for at = 1, #flat, 2 do
    members[flat[at]] = cmsgpack.unpack(flat[at + 1])
  end
  return members
end

local function server_of(field)
  return string.match(field, '^(.*)/[^/]*$')
end

local function lives(member)
  -- A word from the future was written on another clock.
  return math.abs(boot - member[SEEN]) < member[LIVES]
end

local function forget(server, field)
  redis.call('HDEL', MEMBERS, field)
  for other in pairs(all()) do
    if server_of(other) == server then
      return
    end
  end
  redis.call('ZREM', P .. 'alive', server)
  redis.call('DEL', key('caps', server))
  redis.call('HDEL', DRAINING, server)
end

local function attend(server, worker, run, identity, lasts, text)
  even_if_full()
  for field, member in pairs(all()) do
    if server_of(field) == server then
      if member[IDENTITY] ~= identity and lives(member) then
        return answer({0, member[TEXT], ''})
      elseif member[RUN] ~= run then
        redis.call('HDEL', MEMBERS, field)
      end
    elseif boot - member[SEEN] > DAY then
      forget(server_of(field), field)
    end
  end
  for _, gone in ipairs(redis.call('ZRANGEBYSCORE', P .. 'alive', '-inf', boot - DAY)) do
    redis.call('ZREM', P .. 'alive', gone)
    redis.call('DEL', key('caps', gone))
  end
  redis.call('HSET', MEMBERS, server .. '/' .. worker, cmsgpack.pack({run, identity, lasts, boot, text}))
  redis.call('ZADD', P .. 'alive', boot + lasts, server)
  local draining = redis.call('HGET', DRAINING, server)
  if draining and draining ~= run then
    redis.call('HDEL', DRAINING, server)
    draining = false
  end
  local is_forgotten = redis.call('EXISTS', key('caps', server)) == 0
  return answer({draining and 1 or 0, '', is_forgotten and server or ''})
end

local function leave(server, worker, run)
  local field = server .. '/' .. worker
  local member = all()[field]
  if member and member[RUN] == run then
    forget(server, field)
  end
  return answer(0)
end

local function list()
  local told = {}
  for field, member in pairs(all()) do
    local ago = boot - member[SEEN]
    if ago <= DAY then
      local draining = redis.call('HGET', DRAINING, server_of(field)) == member[RUN]
      told[#told + 1] = {member[TEXT], ago, lives(member) and 1 or 0, draining and 1 or 0}
    end
  end
  return answer(told)
end

local function drain(server, draining)
  even_if_full()
  for field, member in pairs(all()) do
    if server_of(field) == server then
      if draining == 1 then
        redis.call('HSET', DRAINING, server, member[RUN])
      else
        redis.call('HDEL', DRAINING, server)
      end
      return answer(1)
    end
  end
  return answer(0)
end

local function where(services)
  local living, told = {}, {}
  for field, member in pairs(all()) do
    if lives(member) then
      living[server_of(field)] = true
    end
  end
  for at, service in ipairs(services) do
    told[at] = {}
    for server in pairs(living) do
      if redis.call('HEXISTS', key('caps', server), service) == 1 then
        table.insert(told[at], server)
      end
    end
  end
  return answer(told)
end

local ACTIONS = {attend = attend, leave = leave, list = list, drain = drain, where = where}
return ACTIONS[asked[1]](unpack(asked, 2))
