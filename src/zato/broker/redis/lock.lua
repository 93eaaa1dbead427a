-- Take a lock, or give it back. ARGV[2], msgpack: name, token, ms, of which 0 gives it back, holder or ''.
-- Returns 1 if it is, or was, held.
-- Times are on the clock that no operator sets, so the end stands in the value; the key goes by itself a while later.

local function server_of(text)
  return string.match(text or '', '^(.*)/[^/]*/[^/]*$') or ''
end

local name, token, lasts, holder = unpack(cmsgpack.unpack(ARGV[2]))
local lock = key('lock', name)
local held = redis.call('HMGET', lock, 't', 'u', 'h')
local is_held = held[1] and tonumber(held[2]) > boot
local is_mine = is_held and held[1] == token
if lasts == 0 then
  if is_mine then
    redis.call('DEL', lock)
    redis.call('SREM', key('locks', server_of(held[3])), name)
  end
  return answer(is_mine and 1 or 0)
end
if is_held and not (is_mine and AGAIN) then
  return answer(0)
end
redis.call('HSET', lock, 't', token, 'u', boot + lasts, 'h', holder)
redis.call('PEXPIRE', lock, math.ceil(lasts) + 60000)
if holder ~= '' then
  redis.call('SADD', key('locks', server_of(holder)), name)
end
return answer(1)
