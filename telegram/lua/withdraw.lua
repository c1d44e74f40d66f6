--!df flags=allow-undeclared-keys
-- Remove items that wait, so that they are not sent. A later put of the same id is taken again.
-- ARGV: ids. Returns for each: 'withdrawn', 'flying', 'gone' (it was put and has left), 'unknown'.
-- include queue
local answers = {}
for _, id in ipairs(ARGV) do
  -- A group that became a supergroup has its items under the new id.
  local at = redis.call('HGET', B .. ':item:' .. id, 'chat')
  local answer
  if at then
    local flying = redis.call('HGET', B .. ':inflight', at) or ''
    if string.sub(flying, 1, #id + 1) == id .. ' ' then
      answer = 'flying'
    else
      drop(at, id)
      redis.call('DEL', B .. ':known:' .. id)
      place(at)
      answer = 'withdrawn'
    end
  else
    answer = redis.call('EXISTS', B .. ':known:' .. id) == 1 and 'gone' or 'unknown'
  end
  answers[#answers + 1] = answer
end
return answers
