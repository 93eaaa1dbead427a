-- Prolong leases. ARGV[2], msgpack: ms, and pairs of id and token. Returns the ids that are held no more.

local asked = cmsgpack.unpack(ARGV[2])
even_if_full()
return answer(prolong(asked[2], boot + asked[1]))
