-- Counts what an answer really used in place of what was set aside for it; see redis_budgets.py.
-- KEYS: the hash of counters and reservations, the set of reservations by the time at which they end.
-- ARGV: reservation; then per cap: name, start of the period, amount really used.
local counters, ends = KEYS[1], KEYS[2]
-- Without counters the next reservation asks the running totals, which know this answer already.
if redis.call('EXISTS', counters) == 0 then return end
local kept = redis.call('HGET', counters, 'open:' .. ARGV[1])
local held = kept and cjson.decode(kept) or {}
for at = 2, #ARGV, 3 do
  local cap, start, used = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
  local before = held[cap]
  if redis.call('HGET', counters, cap .. ':start') == (before and before[1] or start) then
    redis.call('HINCRBY', counters, cap, string.format('%.0f', used - (before and tonumber(before[2]) or 0)))
  end
end
redis.call('HDEL', counters, 'open:' .. ARGV[1])
redis.call('ZREM', ends, ARGV[1])
