-- Pause a queue, or let it go on. ARGV[2], msgpack: queue, 1 to pause. Returns 1 if that is new.

local queue, paused = unpack(cmsgpack.unpack(ARGV[2]))
even_if_full()
local changed = redis.call(paused == 1 and 'SADD' or 'SREM', P .. 'paused', queue)
ready = paused == 0 and changed == 1
return answer(changed)
