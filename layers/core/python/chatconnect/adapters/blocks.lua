-- Keeps who is blocked at a tenant, unless that has changed since it was read; see redis_abuse.py.
-- KEYS: the tenant's blocks, their generation. ARGV: the generation before it was read, for how many seconds to keep it;
-- then per block: visitor, millisecond at which it ends (0: never).
local blocks, generation = KEYS[1], KEYS[2]
if (redis.call('GET', generation) or '') ~= ARGV[1] then return 0 end
redis.call('DEL', blocks)
redis.call('HSET', blocks, 'read', 1)  -- so that "nobody" can be told from "not read yet"
for at = 3, #ARGV, 2 do redis.call('HSET', blocks, ARGV[at], ARGV[at + 1]) end
redis.call('EXPIRE', blocks, ARGV[2])
return 1
