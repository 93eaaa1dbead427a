-- Accept calls, each for itself, or all of them or none. The first thing written is what a full Redis refuses.
--
-- ARGV[2]: 'each' or 'all'. ARGV[3] and on: calls as they are stored in `d:`.
-- Returns for each the id and CID of the call that its key stands for, and 0; or, if that is another one, which of those
-- asked about it refuses, from 1. With 'all', that is the only answer.

local all = ARGV[2] == 'all'

local function payload_of(data)
  local _, length = head_of(data)
  return string.sub(data, length + 1)
end

local function compared(at, call, data, first)
  local earlier = head_of(first)
  local same = earlier[SERVICE] == call[SERVICE] and payload_of(first) == payload_of(data)
  return {earlier[ID], earlier[CID], same and 0 or at - 2}
end

-- What a call's key stands for, or nil if it is to be stored.
local function first_of(at, call, data, among)
  if number_of(call[ID]) then
    -- Asked before, and the answer did not come.
    return {call[ID], call[CID], 0}
  end
  if call[KEY] == '' then
    return nil
  end
  if among[call[KEY]] then
    return compared(at, call, data, among[call[KEY]])
  end
  local id = redis.call('GET', key('k', call[KEY]))
  local first = id and redis.call('GET', key('d', id))
  return first and compared(at, call, data, first)
end

local accepted, among = {}, {}
if all then
  for at = 3, #ARGV do
    local data = ARGV[at]
    local call = head_of(data)
    local first = first_of(at, call, data, among)
    if first and first[3] > 0 then
      return answer({first})
    end
    if not first and call[KEY] ~= '' then
      among[call[KEY]] = data
    end
  end
end
for at = 3, #ARGV do
  local data = ARGV[at]
  local call = head_of(data)
  local first = first_of(at, call, data, {})
  if not first then
    store(call, data)
  end
  accepted[#accepted + 1] = first or {call[ID], call[CID], 0}
end
return answer(accepted)
