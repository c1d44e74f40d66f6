--!df flags=allow-undeclared-keys
-- Take what is to be sent next and spend its rates.
-- ARGV: time or '', fence, rates, every so many sends the lanes are asked in reverse
-- include rates
-- include queue
local now, fence, rates, every = clock(ARGV[1]), ARGV[2], cjson.decode(ARGV[3]), tonumber(ARGV[4])
if redis.call('GET', B .. ':fence') ~= fence then return {'stale'} end

for _, chat in ipairs(redis.call('ZRANGEBYSCORE', B .. ':delayed', '-inf', now, 'LIMIT', 0, 200)) do place(chat) end

local function finish(what, chat, id, item)
  drop(chat, id)
  if redis.call('HGET', B .. ':slot:' .. item.slot, 'waiting') == id then
    redis.call('HDEL', B .. ':slot:' .. item.slot, 'waiting')
  end
  place(chat)
  return {what, item.body, chat, now - item.at}
end

-- The slot's message, if this item can be an edit of it; and whether that message shows the same already.
local function message_of(chat, item)
  if item.slot == '' then return '', false end
  local slot = redis.call('HMGET', B .. ':slot:' .. item.slot, 'message', 'chat', 'edit', 'digest')
  if not slot[1] or slot[2] ~= chat or item.edit == '' then return '', false end
  -- Only the keyboard of a message can be changed whatever it is; text never becomes a caption.
  if slot[3] ~= item.edit and item.edit ~= 'editMessageReplyMarkup' then
    redis.call('HDEL', B .. ':slot:' .. item.slot, 'message', 'digest')
    return '', false
  end
  return slot[1], slot[4] == item.digest
end

local FIELDS = {'body', 'at', 'slot', 'expires', 'digest', 'edit', 'tries', 'tried', 'budget', 'prio'}

local function item_of(id)
  local values = redis.call('HMGET', B .. ':item:' .. id, unpack(FIELDS))
  if not values[1] then return nil end
  local item = {}
  for i, name in ipairs(FIELDS) do item[name] = values[i] end
  return item
end

local function delay(chat, wait)
  leave_lanes(chat)
  redis.call('ZADD', B .. ':delayed', now + wait, chat)
end

local function send(chat, id, item, message, lane)
  local wait = chat_wait(B, rates, chat, lane, now)
  if wait > 0 then
    delay(chat, wait)
    return nil
  end
  local taken = take(B, rates, chat, now)
  leave_lanes(chat)
  redis.call('HSET', B .. ':inflight', chat, id .. ' ' .. fence)
  if item.slot ~= '' and redis.call('HGET', B .. ':slot:' .. item.slot, 'waiting') == id then
    redis.call('HDEL', B .. ':slot:' .. item.slot, 'waiting')
  end
  redis.call('INCR', B .. ':turn')
  return {'send', item.body, chat, now - item.at, message, item.tries, item.tried, taken or 0}
end

-- The first item of a chat that no 429 holds back: a new message that must wait does not hold back an edit.
local function try(chat, lane)
  local held, soonest = redis.call('EXISTS', B .. ':hold:' .. chat) == 1, nil
  for _, id in ipairs(redis.call('ZRANGE', B .. ':q:' .. chat, 0, held and -1 or 0)) do
    local item = item_of(id)
    if not item then
      place(chat)
      return nil
    end
    if tonumber(item.expires) <= now then return finish('expired', chat, id, item) end
    local message, same = message_of(chat, item)
    if same then return finish('same', chat, id, item) end
    -- An item of before an update has no budget noted; it is held back by any.
    local budget = message ~= '' and 'edit' or item.budget or 'send'
    local wait = held and blocked(B, chat, budget, now) or 0
    if wait == 0 then return send(chat, id, item, message, soonest and tonumber(item.prio) or lane) end
    soonest = math.min(soonest or wait, wait)
  end
  if soonest then delay(chat, soonest) else place(chat) end
  return nil
end

local reverse = tonumber(redis.call('GET', B .. ':turn') or 0) % every == every - 1
local soonest
for step = 0, LAST_LANE do
  local lane = reverse and LAST_LANE - step or step
  local key = B .. ':ready:' .. lane
  -- A lane whose turn it is gets the whole rate, or it would starve on its smaller share after all.
  local wait = overall_wait(B, rates, reverse and 0 or lane, now)
  if wait > 0 then
    if redis.call('EXISTS', key) == 1 then soonest = math.min(soonest or wait, wait) end
  else
    for tried = 0, 100 do
      local chat = redis.call('ZRANGE', key, 0, 0)[1]
      if not chat then break end
      if tried == 100 then return {'wait', 0} end
      local found = try(chat, lane)
      if found then return found end
    end
  end
end
local due = redis.call('ZRANGE', B .. ':delayed', 0, 0, 'WITHSCORES')[2]
if due then soonest = math.min(soonest or due - now, math.max(0, due - now)) end
return {'wait', soonest or -1}
