--!df flags=allow-undeclared-keys
-- Make items wait: each collapses into its slot, and none is put twice. Rings if one of them may be sent next.
-- ARGV: time or '', most items a chat, slot's time to live, longest wait, answers to one person in a group: how many,
-- in how many ms; then the eleven fields of each item.
-- include rates
-- include queue
local now, max_waiting = clock(ARGV[1]), tonumber(ARGV[2])
local slot_ttl, max_age, ring = ARGV[3], tonumber(ARGV[4]), false
local most_answers, answers_ms = tonumber(ARGV[5]), tonumber(ARGV[6])
local answers = {}

local function outdated(slot, version)
  return version > 0 and version < tonumber(redis.call('HGET', B .. ':slot:' .. slot, 'version') or 0)
end

local function known(id, slot, ttl)
  if slot ~= '' then return redis.call('EXISTS', B .. ':item:' .. id) == 1 end
  return not redis.call('SET', B .. ':known:' .. id, 1, 'NX', 'PX', ttl)
end

-- Answers to one person have a budget in each group, or that person alone could use up the group's twenty a minute.
local function asks_too_much(chat, person)
  if person == '' or string.sub(chat, 1, 1) ~= '-' then return false end
  local log = B .. ':answers:' .. chat .. ':' .. person
  local at = redis.call('LINDEX', log, most_answers - 1)
  if at and now - at < answers_ms then return true end
  redis.call('LPUSH', log, now)
  redis.call('LTRIM', log, 0, most_answers - 1)
  redis.call('PEXPIRE', log, answers_ms)
  return false
end

local function crowded_out(chat)
  if redis.call('ZCARD', B .. ':q:' .. chat) <= max_waiting then return nil end
  local flying = redis.call('HGET', B .. ':inflight', chat) or ''
  for _, id in ipairs(redis.call('ZREVRANGE', B .. ':q:' .. chat, 0, 1)) do
    if string.sub(flying, 1, #id + 1) ~= id .. ' ' then
      drop(chat, id)
      redis.call('INCR', B .. ':dropped')
      return id
    end
  end
end

for i = 7, #ARGV, 11 do
  local id, chat, prio, slot = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2]), ARGV[i + 3]
  local version, expires = tonumber(ARGV[i + 4]), tonumber(ARGV[i + 5])
  local digest, edit, body, budget, person = ARGV[i + 6], ARGV[i + 7], ARGV[i + 8], ARGV[i + 9], ARGV[i + 10]
  chat = redis.call('GET', B .. ':moved:' .. chat) or chat
  if expires == 0 then expires = now + max_age end
  local ttl = math.max(expires - now, 0) + 3600000
  if known(id, slot, ttl) then
    answers[#answers + 1] = 'known'
  elseif slot ~= '' and outdated(slot, version) then
    answers[#answers + 1] = 'outdated'
  elseif asks_too_much(chat, person) then
    redis.call('INCR', B .. ':dropped')
    answers[#answers + 1] = 'dropped'
  else
    local older, older_chat, raised, answer
    if slot ~= '' then older, older_chat = waiting_of(slot) end
    local rank = rank_of(redis.call('INCR', B .. ':seq'), prio)
    redis.call('HSET', B .. ':item:' .. id, 'body', body, 'chat', chat, 'prio', prio, 'at', now, 'slot', slot,
      'expires', expires, 'digest', digest, 'edit', edit, 'tries', 0, 'tried', 0, 'budget', budget, 'person', person)
    redis.call('PEXPIRE', B .. ':item:' .. id, ttl)
    redis.call('ZADD', B .. ':q:' .. chat, rank, id)
    if redis.call('PTTL', B .. ':q:' .. chat) < ttl then redis.call('PEXPIRE', B .. ':q:' .. chat, ttl) end
    if slot ~= '' then
      redis.call('HSET', B .. ':slot:' .. slot, 'waiting', id)
      if version > 0 then redis.call('HSET', B .. ':slot:' .. slot, 'version', version) end
      redis.call('PEXPIRE', B .. ':slot:' .. slot, slot_ttl)
    end
    if older and older_chat == chat then
      raised = inherit(chat, id, older)
      answer = 'replaced'
    else
      if older then
        drop(older_chat, older)
        place(older_chat)
      end
      raised = true
      answer = crowded_out(chat) == id and 'dropped' or 'queued'
    end
    if raised and place(chat) then ring = true end
    answers[#answers + 1] = answer
  end
end
if ring then redis.call('PUBLISH', B .. ':bell', '') end
return answers
