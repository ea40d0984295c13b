-- Sets aside the worst case of one answer under a tenant's caps; see redis_budgets.py.
-- KEYS: the hash of counters and reservations, the set of reservations by the time at which they end.
-- ARGV: reservation, its lifetime in seconds, prompt tokens, output tokens wanted, shortest output worth having,
--       price of a million input tokens, of a million output tokens, whether what was used so far is given;
--       then per cap: name, measure, start of the period, soft, hard, used so far.
-- Returns {"unknown"} when there are no counters and nothing is given, {"reached", cap} or {"reserved", output, caps}.
local counters, ends = KEYS[1], KEYS[2]
local id, lifetime, prompt, wanted, shortest = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local input_price, output_price = tonumber(ARGV[6]), tonumber(ARGV[7])
local FIRST_CAP, FIELDS, KEPT_SECONDS, MILLION = 9, 6, 35 * 24 * 3600, 1000000
local now = tonumber(redis.call('TIME')[1])

local function whole(number) return string.format('%.0f', number) end

-- Give back what was set aside by processes that are gone.
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', ends, '-inf', now, 'LIMIT', 0, 100)) do
  local kept = redis.call('HGET', counters, 'open:' .. gone)
  if kept then
    for cap, held in pairs(cjson.decode(kept)) do
      if redis.call('HGET', counters, cap .. ':start') == held[1] then
        redis.call('HINCRBY', counters, cap, whole(0 - tonumber(held[2])))
      end
    end
  end
  redis.call('HDEL', counters, 'open:' .. gone)
  redis.call('ZREM', ends, gone)
end

local known = redis.call('EXISTS', counters) == 1
if not known and ARGV[8] == '0' then return {'unknown'} end

-- What each cap leaves decides how long the answer may be. A period only ever moves on.
local caps, output = {}, wanted
for at = FIRST_CAP, #ARGV, FIELDS do
  local cap = {name = ARGV[at], measure = ARGV[at + 1], start = ARGV[at + 2],
               soft = tonumber(ARGV[at + 3]), hard = tonumber(ARGV[at + 4])}
  local current = redis.call('HGET', counters, cap.name .. ':start')
  if not current then
    cap.used, cap.fresh = tonumber(ARGV[at + 5]), true
  elseif tonumber(current) < tonumber(cap.start) then
    cap.used, cap.fresh = 0, true
  else
    cap.used, cap.start = tonumber(redis.call('HGET', counters, cap.name)), current
  end
  local left = cap.hard - cap.used
  if cap.measure == 'messages' and left < 1 then return {'reached', cap.name} end
  if cap.measure == 'tokens' then output = math.min(output, left - prompt) end
  if cap.measure == 'money' then
    local affordable = left * MILLION - prompt * input_price
    if output_price > 0 then
      output = math.min(output, math.floor(affordable / output_price))
    elseif affordable < 0 then
      output = -1
    end
  end
  if output < math.min(shortest, wanted) then return {'reached', cap.name} end
  caps[#caps + 1] = cap
end

local amounts = {
  messages = 1,
  tokens = prompt + output,
  money = math.ceil((prompt * input_price + output * output_price) / MILLION),
}
local held, warnings = {}, {}
for _, cap in ipairs(caps) do
  local amount = amounts[cap.measure]
  redis.call('HSET', counters, cap.name, whole(cap.used + amount), cap.name .. ':start', cap.start)
  held[cap.name] = {cap.start, whole(amount)}
  if cap.used >= cap.soft then warnings[#warnings + 1] = cap.name end
end
redis.call('HSET', counters, 'open:' .. id, cjson.encode(held))
redis.call('ZADD', ends, now + lifetime, id)
redis.call('EXPIRE', counters, KEPT_SECONDS)
redis.call('EXPIRE', ends, KEPT_SECONDS)
return {'reserved', output, warnings}
