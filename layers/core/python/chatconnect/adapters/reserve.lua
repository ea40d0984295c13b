-- Counts a request against its rate, and sets aside the worst case of an answer, or of a further call of a model for it,
-- under a tenant's caps; see redis_budgets.py. It comes after rate.lua.
-- KEYS: the hash of counters and reservations, the set of reservations by the time at which they end; for a request to
--       be counted, its window too.
-- ARGV: requests per window, its milliseconds (the request is counted where there is a third key);
--       reservation, its lifetime in seconds, messages that it stands for, tokens and money that its other calls take,
--       prompt tokens, output tokens wanted, shortest output worth having, price of a million input tokens, of a
--       million output tokens, whether what was used so far is given;
--       then per cap: name, measure, start of the period, soft, hard, used so far.
-- Returns {"slow", milliseconds} for a request too many, {"unknown"} when a counter is not there and nothing is given,
-- {"reached", cap} or {"reserved", output, caps to warn of}.
if KEYS[3] then
  local wait = count_request(KEYS[3], tonumber(ARGV[1]), tonumber(ARGV[2]))
  if wait > 0 then return {'slow', wait} end
end

local counters, ends = KEYS[1], KEYS[2]
local id, lifetime, messages = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local taken = {tokens = tonumber(ARGV[6]), money = tonumber(ARGV[7])}
local prompt, wanted, shortest = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local input_price, output_price = tonumber(ARGV[11]), tonumber(ARGV[12])
local totals_given = ARGV[13] == '1'
local FIRST_CAP, FIELDS, KEPT_SECONDS, MILLION = 14, 6, 35 * 24 * 3600, 1000000
local now = tonumber(redis.call('TIME')[1])
if #ARGV < FIRST_CAP then return {'reserved', wanted, {}} end

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

local open = redis.call('HGET', counters, 'open:' .. id)
local held = open and cjson.decode(open) or {}

-- What each cap leaves decides how long the output may be. A period only ever moves on, and what is added to an answer
-- of a period that is over does not count in the one that has begun.
local caps, output = {}, wanted
for at = FIRST_CAP, #ARGV, FIELDS do
  local cap = {name = ARGV[at], measure = ARGV[at + 1], start = ARGV[at + 2],
               soft = tonumber(ARGV[at + 3]), hard = tonumber(ARGV[at + 4])}
  local current, before, counts = redis.call('HGET', counters, cap.name .. ':start'), held[cap.name], true
  if open then
    counts = before and current == before[1]
  elseif not current then
    if not totals_given then return {'unknown'} end
    cap.used = tonumber(ARGV[at + 5])
  elseif tonumber(current) < tonumber(cap.start) then
    cap.used = 0
  elseif current ~= cap.start and messages == 0 then
    counts = false
  end
  if counts then
    if not cap.used then cap.used, cap.start = tonumber(redis.call('HGET', counters, cap.name)), current end
    cap.before = before and tonumber(before[2]) or 0
    local left = cap.hard - (cap.used - cap.before) - (taken[cap.measure] or 0)
    if cap.measure == 'messages' and not open and left < messages then return {'reached', cap.name} end
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
end

-- A cap that is no longer in force is not counted on, so its counter is not to be believed should it come back.
if not open then
  local names = {}
  for at = FIRST_CAP, #ARGV, FIELDS do names[#names + 1] = ARGV[at] end
  local in_force, before = table.concat(names, ','), redis.call('HGET', counters, 'caps')
  if before ~= in_force then
    for name in string.gmatch(before or '', '[^,]+') do
      if not string.find(',' .. in_force .. ',', ',' .. name .. ',', 1, true) then
        redis.call('HDEL', counters, name, name .. ':start')
      end
    end
    redis.call('HSET', counters, 'caps', in_force)
  end
end

local amounts = {
  messages = messages,
  tokens = taken.tokens + prompt + output,
  money = taken.money + math.ceil((prompt * input_price + output * output_price) / MILLION),
}
local warnings = {}
for _, cap in ipairs(caps) do
  local amount = amounts[cap.measure]
  local used = cap.used - cap.before + amount
  redis.call('HSET', counters, cap.name, whole(used), cap.name .. ':start', cap.start)
  held[cap.name] = {cap.start, whole(amount)}
  if not open and cap.used >= cap.soft then warnings[#warnings + 1] = cap.name end
end
redis.call('HSET', counters, 'open:' .. id, cjson.encode(held))
redis.call('ZADD', ends, now + lifetime, id)
redis.call('EXPIRE', counters, KEPT_SECONDS)
redis.call('EXPIRE', ends, KEPT_SECONDS)
return {'reserved', output, warnings}
