-- Counts a request in a sliding window; for the scripts that follow it, see redis_scripts.py.
-- The window before weighs as much as the sliding one still covers of it, as in the package `limits`. A window begins
-- with the first request and ends into the next one. Kept: the window's start in milliseconds, the requests in it, and
-- those in the window before. Returns for a counted request 0, how many more could follow at once, and the milliseconds
-- until this window ends; else the milliseconds until another can be.
local function count_request(key, limit, window)
  local time = redis.call('TIME')
  local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  local kept = redis.call('HMGET', key, 'start', 'current', 'before')
  local start, current, before = tonumber(kept[1]) or now, tonumber(kept[2]) or 0, tonumber(kept[3]) or 0
  local passed = math.max(0, now - start)
  if passed >= 2 * window then
    start, current, before, passed = now, 0, 0, 0
  elseif passed > window then
    start, current, before, passed = start + window, 0, current, passed - window
  end
  if limit < 1 then return window end
  local weight = math.floor(before * (window - passed) / window)
  if weight + current + 1 > limit then
    if current < limit then return math.floor(window - (limit - current) * window / before) + 1 - passed end
    return window - passed + math.floor(window - limit * window / current) + 1
  end
  redis.call('HSET', key, 'start', string.format('%.0f', start), 'current', current + 1, 'before', before)
  redis.call('PEXPIRE', key, 2 * window - passed)
  return 0, limit - weight - current - 1, window - passed
end
