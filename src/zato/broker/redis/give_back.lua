-- Give deliveries back, to be run again at once or at a time.
--
-- ARGV[2] and on, msgpack: id, token, 'postpone', 'put off' or 'release', not before, attempts, failure or ''.
-- Returns for each whether the token was the current one.

local results = {}

local function let_go(id, call, counts)
  redis.call('ZREM', P .. 'lease', id)
  if counts then
    free_place(call[SERVICE], id)
  end
end

local function note(id, failure)
  if failure ~= '' then
    redis.call('RPUSH', key('f', id), failure)
    redis.call('LTRIM', key('f', id), -KEPT_FAILURES, -1)
  end
end

local function give_back(id, token, how, not_before, attempts, failure)
  local name = key('i', id)
  local state = redis.call('HMGET', name, 't', 'a', 'k', 'e', 'm', 'l')
  if state[1] ~= token then
    return AGAIN and state[6] == token
  end
  local call = call_of(id)
  let_go(id, call, state[5])
  redis.call('HDEL', name, 't', 'm')
  redis.call('HSET', name, 'l', token)
  if how == 'put off' then
    if tonumber(state[2] or 0) + tonumber(state[3] or 0) == 0 then
      redis.call('HDEL', name, 'h', 'b')
    end
    if state[4] then
      redis.call('ZADD', P .. 'exp', state[4], id)
    end
  else
    redis.call('HDEL', name, 'e')
  end
  if how == 'postpone' then
    redis.call('HSET', name, 'a', attempts)
  end
  note(id, failure)
  if how == 'release' then
    make_ready(call, number_of(id))
  else
    delay(call, not_before + skew)
  end
  return true
end

for at = 2, #ARGV do
  results[at - 1] = give_back(unpack(cmsgpack.unpack(ARGV[at]))) and 1 or 0
end
return answer(results)
