-- Move on what time has moved on, then hand out what a server can run.
--
-- ARGV[2], msgpack: server, holder, token, ms that the lease lasts, holdings as pairs of id and token, lanes as pairs of
-- name and room, most bytes for each lane.
-- Returns calls as triples of `d:`, attempts and take-overs; ms until time next changes something, or -1; and how many
-- calls of a newer version were set aside.

local asked = cmsgpack.unpack(ARGV[2])
local server, holder, token, lasts, holdings, lanes, most_bytes = unpack(asked)
local MOST = 1000
local HEADS = 100
local LAST = 2 ^ 53
local NE, LEASE = P .. 'ne', P .. 'lease'

local function move_time_on()
  if redis.call('ZCOUNT', LEASE, '-inf', boot) > 0 then
    prolong(holdings, boot + lasts)
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', LEASE, '-inf', boot, 'LIMIT', 0, SLICE)) do
      take_away(id)
    end
  end
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. 'parked', '-inf', KNOWN_VERSION, 'LIMIT', 0, SLICE)) do
    redis.call('ZREM', P .. 'parked', id)
    local call = known_call(id)
    if call then
      make_ready(call, number_of(id))
    end
  end
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. 'due', '-inf', now, 'LIMIT', 0, SLICE)) do
    local call = known_call(id)
    if call then
      delay_no_more(call)
      make_ready(call, number_of(id))
    end
  end
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. 'exp', '-inf', now, 'LIMIT', 0, SLICE)) do
    local state = redis.call('HMGET', key('i', id), 'w', 'a', 'k')
    local call = known_call(id)
    if call then
      expire(call, state[1], tonumber(state[2] or 0), tonumber(state[3] or 0))
    end
  end
end

local paused, limits = {}, {}
for _, queue in ipairs(redis.call('SMEMBERS', P .. 'paused')) do
  paused[queue] = true
end
local flat = redis.call('HGETALL', P .. 'limits')
for at = 1, #flat, 2 do
  limits[flat[at]] = tonumber(flat[at + 1])
end
local parked, in_vain = 0, 0

-- How often a service may run now, beside what runs already.
local function room_of(service)
  local most = limits[service]
  if not most then
    return math.huge, false
  end
  return most - redis.call('SCARD', key('run', service)), true
end

-- The first lines of a lane that may be leased from, at least `count` if there are so many, by their heads; and the head
-- of the first line behind them, whatever that is.
local function lines_in(lane, count)
  local lines, at = {}, 0
  while true do
    local heads = redis.call('ZRANGE', NE, at, at + HEADS - 1, 'WITHSCORES')
    if not heads[1] or #lines >= count then
      return lines, heads[2] and tonumber(heads[2])
    end
    local services = {}
    for i = 1, #heads, 2 do
      services[#services + 1] = string.sub(heads[i], string.find(heads[i], ':', 1, true) + 1)
    end
    local runs_in = redis.call('HMGET', key('caps', server), unpack(services))
    for i, service in ipairs(services) do
      local line = heads[2 * i - 1]
      local queue = string.sub(line, 1, #line - #service - 1)
      if runs_in[i] == lane and not paused[queue] and room_of(service) > 0 then
        lines[#lines + 1] = {name = line, service = service, head = tonumber(heads[2 * i])}
      end
    end
    at = at + HEADS
  end
end

-- Hand out one call; return its size, or nil if it has expired, is set aside because only a newer version reads it, or is
-- no more.
local function hand_out(id, line, handed, limited)
  local data = redis.call('GET', key('d', id))
  if not data then
    known_call(id)
    return nil
  elseif has_ended(id) then
    return nil
  end
  local call, length = head_of(data)
  if call[VERSION] > KNOWN_VERSION then
    redis.call('ZADD', P .. 'parked', call[VERSION], id)
    parked = parked + 1
    return nil
  end
  local state = redis.call('HMGET', key('i', id), 'a', 'k', 'e')
  local attempts, takeovers, expires = tonumber(state[1] or 0), tonumber(state[2] or 0), tonumber(state[3] or 0)
  if expires > 0 and expires <= now then
    expire(call, false, attempts, takeovers)
    return nil
  end
  redis.call('HSET', key('i', id), 't', token, 'h', holder, 'b', now)
  put_together(additions, LEASE, boot + lasts, id)
  if expires > 0 then
    redis.call('ZREM', P .. 'exp', id)
  end
  if limited then
    redis.call('HSET', key('i', id), 'm', 1)
    redis.call('SADD', key('run', line.service), id)
  end
  handed[#handed + 1] = {data, attempts, takeovers}
  return #data - length
end

-- Hand out the head of a line, up to the head of the next one; return what is left of room and bytes.
local function hand_out_line(line, bound, room, bytes, handed)
  local places, limited = room_of(line.service)
  if places <= 0 then
    line.head = nil
    return room, bytes
  end
  local name = key('r', line.name)
  local upto = '(' .. string.format('%.0f', bound)
  local ids = redis.call('ZRANGEBYSCORE', name, '-inf', upto, 'LIMIT', 0, math.min(room, places, SLICE))
  for _, id in ipairs(ids) do
    put_together(removals, name, id)
    local size = hand_out(id, line, handed, limited)
    if size then
      room, bytes = room - 1, bytes - size
      if bytes <= 0 then
        break
      end
    else
      in_vain = in_vain + 1
    end
  end
  write_all()
  line.head = correct_head(line.name)
  return room, bytes
end

-- Put the first line behind those whose heads come before its own.
local function move_back(lines)
  local line, at = lines[1], 1
  while lines[at + 1] and lines[at + 1].head < line.head do
    lines[at] = lines[at + 1]
    at = at + 1
  end
  lines[at] = line
end

local function hand_out_lane(lane, room, handed)
  local bytes = most_bytes
  while room > 0 and bytes > 0 and in_vain < MOST do
    local lines, beyond = lines_in(lane, room)
    local room_before, vain_before = room, in_vain
    if not lines[1] then
      return
    end
    while room > 0 and bytes > 0 and in_vain < MOST and lines[1] and (not beyond or lines[1].head < beyond) do
      local first, second = lines[1], lines[2]
      -- Its own head is handed out in any case: whatever is wrong with the numbers, this comes to an end.
      local bound = math.max(first.head + 1, math.min(second and second.head or LAST, beyond or LAST))
      room, bytes = hand_out_line(first, bound, room, bytes, handed)
      if not first.head then
        table.remove(lines, 1)
      else
        move_back(lines)
      end
    end
    if room == room_before and in_vain == vain_before then
      -- Nothing stood where it seemed to: that is corrected by now, and the next lease finds more.
      return
    end
  end
end

-- The ms until time next changes something: on the wall clock for delays and expiries, on the other one for leases.
local function next_in()
  if in_vain >= MOST then
    return 0
  end
  local waits = {}
  for name, clock in pairs({due = now, exp = now, lease = boot}) do
    local first = redis.call('ZRANGE', P .. name, 0, 0, 'WITHSCORES')
    if first[2] then
      waits[#waits + 1] = math.max(0, tonumber(first[2]) - clock)
    end
  end
  return #waits == 0 and -1 or math.min(unpack(waits))
end

even_if_full()
move_time_on()
local handed = {}
for _, lane in ipairs(lanes) do
  if lane[2] > 0 then
    hand_out_lane(lane[1], math.min(lane[2], MOST), handed)
  end
end
return answer({handed, next_in(), parked})
