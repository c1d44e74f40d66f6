-- Functions about rates, included in every script that spends them. Waits are in milliseconds, 0 for none.
-- `lane` is a priority.

local function clock(given)
  if given ~= '' then return tonumber(given) end
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function windows_wait(log, windows, lane, now)
  local wait = 0
  for _, window in ipairs(windows) do
    local at = redis.call('LINDEX', log, window[2][lane + 1] - 1)
    if at then wait = math.max(wait, at + window[1] - now) end
  end
  return wait
end

-- Return the wait that a 429 has imposed on a budget of a chat; ('all', 'all') is the wait of all calls.
local function blocked(base, whom, budget, now)
  local wait = 0
  for _, till in ipairs(redis.call('HMGET', base .. ':hold:' .. whom, 'all', budget)) do
    if till then wait = math.max(wait, till - now) end
  end
  return wait
end

local function overall_wait(base, rates, lane, now)
  local wait = windows_wait(base .. ':sent:all', rates.overall, lane, now)
  return math.max(blocked(base, 'all', 'all', now), wait)
end

-- Return the wait by a chat's windows alone. `blocked` returns the wait that a 429 has imposed.
local function chat_wait(base, rates, chat, lane, now)
  local log = base .. ':sent:' .. chat
  local wait = windows_wait(log, rates.chat, lane, now)
  if string.sub(chat, 1, 1) == '-' then
    wait = math.max(wait, windows_wait(log, rates.group, lane, now))
  end
  return wait
end

local function note(log, windows, more, now)
  local keep, ttl = 0, 0
  for _, list in ipairs({windows, more}) do
    for _, window in ipairs(list) do
      keep = math.max(keep, window[2][1])
      ttl = math.max(ttl, window[1])
    end
  end
  if keep == 0 then return end
  -- A clock that steps back must not make the newest entry look older than the rest.
  now = math.max(now, tonumber(redis.call('LINDEX', log, 0) or 0))
  redis.call('LPUSH', log, now)
  redis.call('LTRIM', log, 0, keep - 1)
  -- A minute more than the windows need: `place` asks when a chat was last served, and a round of a crowd takes long.
  redis.call('PEXPIRE', log, ttl + 60000)
  return now
end

-- Gives the time from which the overall windows count the call.
local function take(base, rates, chat, now)
  local group = string.sub(chat, 1, 1) == '-' and rates.group or {}
  note(base .. ':sent:' .. chat, rates.chat, group, now)
  return note(base .. ':sent:all', rates.overall, {}, now)
end
