-- Tell of every queue. Returns for each: name, 1 if it is paused, waiting, delayed, running, stranded, when the oldest of
-- those that wait was accepted, or 0.

local MOST_URGENT, LEAST_URGENT = 1, 9
local queues, names = {}, {}

local function queue_of(name)
  if not queues[name] then
    queues[name] = {name, 0, 0, 0, 0, 0, 0}
    names[#names + 1] = name
  end
  return queues[name]
end

local function parts_of(line)
  local at = string.find(line, ':', 1, true)
  return string.sub(line, 1, at - 1), string.sub(line, at + 1)
end

-- When the oldest call of a line was accepted: the first one of some priority.
local function oldest_of(line)
  local oldest
  for priority = MOST_URGENT, LEAST_URGENT do
    local from, upto = priority * 2 ^ 49, '(' .. string.format('%.0f', (priority + 1) * 2 ^ 49)
    local first = redis.call('ZRANGEBYSCORE', key('r', line), from, upto, 'LIMIT', 0, 1)[1]
    local call = first and call_of(first)
    local created = call and call[CREATED]
    oldest = created and math.min(oldest or created, created) or oldest
  end
  return oldest
end

for _, line in ipairs(redis.call('ZRANGE', P .. 'ne', 0, -1)) do
  local name, service = parts_of(line)
  local queue, count = queue_of(name), redis.call('ZCARD', key('r', line))
  if is_deployed(service) then
    queue[3] = queue[3] + count
    local oldest = oldest_of(line)
    queue[7] = queue[7] == 0 and oldest or math.min(queue[7], oldest or queue[7])
  else
    queue[6] = queue[6] + count
  end
end
local delayed = redis.call('HGETALL', P .. 'delayed')
for at = 1, #delayed, 2 do
  local queue = queue_of(parts_of(delayed[at]))
  queue[4] = queue[4] + tonumber(delayed[at + 1])
end
for _, id in ipairs(redis.call('ZRANGE', P .. 'lease', 0, -1)) do
  local call = call_of(id)
  if call then
    local queue = queue_of(call[QUEUE])
    queue[5] = queue[5] + 1
  end
end
for _, name in ipairs(redis.call('SMEMBERS', P .. 'paused')) do
  queue_of(name)[2] = 1
end
table.sort(names)
local told = {}
for at, name in ipairs(names) do
  told[at] = queues[name]
end
return answer(told)
