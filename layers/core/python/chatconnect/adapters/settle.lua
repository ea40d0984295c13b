-- Counts what an answer really used in place of what was set aside for it; see redis_budgets.py.
-- KEYS: two for each book, as for reserve.lua. ARGV: reservation; then per book the number of its caps, and per cap of
-- it: name, start of the period, amount really used.
local id, at = ARGV[1], 2
for number = 1, #KEYS, 2 do
  local counters, ends = KEYS[number], KEYS[number + 1]
  local first, last = at + 1, at + 1 + (tonumber(ARGV[at]) - 1) * 3
  -- Without counters the next reservation asks the running totals, which know this answer already.
  if redis.call('EXISTS', counters) == 1 then
    local kept = redis.call('HGET', counters, 'open:' .. id)
    local held = kept and cjson.decode(kept) or {}
    for field = first, last, 3 do
      local cap, start, used = ARGV[field], ARGV[field + 1], tonumber(ARGV[field + 2])
      local before = held[cap]
      if redis.call('HGET', counters, cap .. ':start') == (before and before[1] or start) then
        redis.call('HINCRBY', counters, cap, string.format('%.0f', used - (before and tonumber(before[2]) or 0)))
      end
    end
    redis.call('HDEL', counters, 'open:' .. id)
    redis.call('ZREM', ends, id)
  end
  at = last + 3
end
