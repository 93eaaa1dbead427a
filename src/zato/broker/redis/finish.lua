-- Record outcomes, acknowledge, store the follow-ups. The first write is one that a full Redis allows.
--
-- ARGV[2] and on, for each: msgpack of id, token, status, when it ended, number of follow-ups; head and response as in
-- `o:`; the follow-ups as in `d:`.
-- Returns for each whether the token was the current one.

local results = {}

-- Whether an outcome was recorded with this token, when that was asked before and the answer did not come.
local function was_recorded(id, token)
  local data = AGAIN and redis.call('GETRANGE', key('o', id), 0, 11 + #token)
  return data and #data > 12 and string.sub(data, 13) == token
end

local function finish(at, id, token, status, when, follow_ups)
  local state = redis.call('HMGET', key('i', id), 't', 'k', 'm')
  if state[1] ~= token then
    local recorded = was_recorded(id, token)
    if recorded then
      ended[#ended + 1] = id
    end
    return recorded
  end
  put_together(removals, P .. 'lease', id)
  if state[3] then
    free_place(call_of(id)[SERVICE], id)
  end
  record(id, status, when + skew, tonumber(state[2] or 0), token, ARGV[at + 1], ARGV[at + 2])
  for follow_up = at + 3, at + 2 + follow_ups do
    store(head_of(ARGV[follow_up]), ARGV[follow_up])
  end
  return true
end

even_if_full()
is_outcome = true
local at = 2
while at <= #ARGV do
  local asked = cmsgpack.unpack(ARGV[at])
  results[#results + 1] = finish(at, unpack(asked)) and 1 or 0
  at = at + 3 + asked[5]
end
return answer(results)
