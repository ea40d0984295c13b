-- Lets a visitor wait; see redis_abuse.py.
-- KEYS: the visitor's hold. ARGV: milliseconds the first time, at most, seconds until it is forgotten.
-- Returns the milliseconds to wait.
local hold = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local held = tonumber(redis.call('HGET', hold, 'until') or '0')
if held > now then return held - now end  -- many at once are one offence

local times = redis.call('HINCRBY', hold, 'times', 1)
local wait = math.min(tonumber(ARGV[2]), ARGV[1] * 2 ^ math.min(times - 1, 20))
redis.call('HSET', hold, 'until', string.format('%.0f', now + wait))
redis.call('EXPIRE', hold, ARGV[3])
return wait
