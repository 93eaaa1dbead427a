-- Find out what stands under our name, and say what it is if nothing does. ARGV[2], msgpack: format. Returns the format, or
-- the type of what somebody else keeps there; and how many calls are set aside that only a newer version reads.

local format = unpack(cmsgpack.unpack(ARGV[2]))
local kind = redis.call('TYPE', P .. 'meta').ok
if kind ~= 'none' and kind ~= 'hash' then
  return answer({kind, 0})
end
if kind == 'none' then
  redis.call('HSET', P .. 'meta', 'program', 'zato', 'format', format)
end
local found = redis.call('HMGET', P .. 'meta', 'program', 'format')
if found[1] ~= 'zato' or not found[2] then
  return answer({'hash', 0})
end
return answer({found[2], redis.call('ZCOUNT', P .. 'parked', '(' .. KNOWN_VERSION, '+inf')})
