-- Find out which services were ever announced. ARGV[2], msgpack: services. Returns the terms of each, or 0.

local told = {}
for at, service in ipairs(cmsgpack.unpack(ARGV[2])) do
  told[at] = redis.call('HGET', P .. 'known', service) or 0
end
return answer(told)
