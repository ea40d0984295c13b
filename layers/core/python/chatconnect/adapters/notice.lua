-- Remembers one sighting of a visitor and tells what is known of them; see redis_abuse.py.
-- KEYS: the visitor's sightings, the visitor's hold, the tenant's blocks, their generation.
-- ARGV: visitor, sighting, how many sightings to keep, for how many seconds.
-- Returns {block, generation}, with the milliseconds to wait when there are any, or with the sightings after a 0;
-- block is "yes", "no", or "unknown" when nobody has said who is blocked.
local sightings, hold, blocks, generation = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local block, changed = 'no', redis.call('GET', generation) or ''
local ends = redis.call('HGET', blocks, ARGV[1])
if ends then
  if ends == '0' or tonumber(ends) > now then return {'yes', changed, 0} end
elseif redis.call('EXISTS', blocks) == 0 then
  block = 'unknown'
end

local held = tonumber(redis.call('HGET', hold, 'until') or '0')
if held > now then return {block, changed, held - now} end

redis.call('RPUSH', sightings, string.format('%.0f ', now) .. ARGV[2])
redis.call('LTRIM', sightings, -tonumber(ARGV[3]), -1)
redis.call('EXPIRE', sightings, ARGV[4])
return {block, changed, 0, redis.call('LRANGE', sightings, 0, -1)}
