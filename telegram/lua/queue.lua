-- Functions about the queues of chats, included in the scripts of the outbox.

local B = KEYS[1]
local LAST_LANE = 3
local ANSWER = 2
local STEP = 1e12

local function leave_lanes(chat)
  for lane = 0, LAST_LANE do redis.call('ZREM', B .. ':ready:' .. lane, chat) end
  redis.call('ZREM', B .. ':delayed', chat)
end

-- Results and phases come first, in the order in which they were put, then answers, then progress.
local function rank_of(rank, prio)
  return rank % STEP + math.max(0, prio - 1) * STEP
end

-- Put a chat into the lane of its waiting items. The position depends on these items alone.
local function place(chat)
  leave_lanes(chat)
  if redis.call('HEXISTS', B .. ':inflight', chat) == 1 then return false end
  local best, since
  for _, id in ipairs(redis.call('ZRANGE', B .. ':q:' .. chat, 0, -1)) do
    local item = redis.call('HMGET', B .. ':item:' .. id, 'prio', 'at')
    local prio, at = tonumber(item[1]), tonumber(item[2])
    if not prio then
      redis.call('ZREM', B .. ':q:' .. chat, id)
    else
      if not best or prio < best or (prio == best and at < since) then best, since = prio, at end
      -- Behind an answer there are only answers and progress, in order: a crowd's queues are not read to their ends.
      if best >= ANSWER then break end
    end
  end
  if not best then return false end
  -- People who are owed many answers take turns: after one answer, a person stands behind those who have waited.
  if best == ANSWER then since = math.max(since, tonumber(redis.call('LINDEX', B .. ':sent:' .. chat, 0) or 0)) end
  redis.call('ZADD', B .. ':ready:' .. best, since, chat)
  return true
end

local function drop(chat, id)
  redis.call('ZREM', B .. ':q:' .. chat, id)
  redis.call('DEL', B .. ':item:' .. id)
end

-- A newer put of a slot takes the place in the queue and the urgency of the older one. Its age too, unless it is the
-- more urgent of the two: then the urgent wait begins with it.
local function inherit(chat, newer, older)
  local rank = tonumber(redis.call('ZSCORE', B .. ':q:' .. chat, older))
  local was = redis.call('HMGET', B .. ':item:' .. older, 'prio', 'at')
  local prio = tonumber(redis.call('HGET', B .. ':item:' .. newer, 'prio'))
  local urgent = math.min(prio, tonumber(was[1]))
  if prio >= tonumber(was[1]) then redis.call('HSET', B .. ':item:' .. newer, 'prio', urgent, 'at', was[2]) end
  redis.call('ZADD', B .. ':q:' .. chat, rank_of(rank, urgent), newer)
  drop(chat, older)
  return urgent < tonumber(was[1])
end

local function waiting_of(slot)
  local id = redis.call('HGET', B .. ':slot:' .. slot, 'waiting')
  if not id then return nil end
  local chat = redis.call('HGET', B .. ':item:' .. id, 'chat')
  if not chat or not redis.call('ZSCORE', B .. ':q:' .. chat, id) then return nil end
  return id, chat
end

-- An item that was in flight waits again, or gives its place to a newer put of its slot.
local function restore(chat, id)
  local slot = redis.call('HGET', B .. ':item:' .. id, 'slot')
  if not slot or slot == '' then return end
  local newer, newer_chat = waiting_of(slot)
  if not newer or newer == id then
    redis.call('HSET', B .. ':slot:' .. slot, 'waiting', id)
  elseif newer_chat == chat then
    inherit(chat, newer, id)
  else
    drop(chat, id)
  end
end
