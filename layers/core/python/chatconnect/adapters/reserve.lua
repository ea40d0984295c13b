-- Counts a request against its rate, and sets aside the worst case of an answer, or of a further call of a model for it,
-- under a tenant's caps; see redis_budgets.py. It comes after rate.lua.
-- KEYS: two for each book (the tenant's, then those of who asks): the hash of its counters and reservations, and the set
--       of its reservations by the time at which they end; for a request to be counted, its window at the end.
-- ARGV: requests per window, its milliseconds (the request is counted where the number of keys is odd);
--       reservation, its lifetime in seconds, messages that it stands for, tokens and money that its other calls take,
--       prompt tokens, output tokens wanted, shortest output worth having, price of a million input tokens, of a
--       million output tokens;
--       then per book: whether what was used so far is given, seconds to keep it, number of caps;
--       and per cap of it: name, measure, start of the period, soft, hard, used so far.
-- Returns {"slow", milliseconds} for a request too many, {"reached", cap}, {"unknown", 0, {}, requests left, milliseconds
-- until all are there again} when a counter is not there and nothing is given, or {"reserved", output, caps to warn of,
-- requests left (-1: not counted), milliseconds, then per cap of messages: name, messages left}.
local requests_left, whole_again = -1, 0
if #KEYS % 2 == 1 then
  local wait
  wait, requests_left, whole_again = count_request(KEYS[#KEYS], tonumber(ARGV[1]), tonumber(ARGV[2]))
  if wait > 0 then return {'slow', wait} end
end

local id, lifetime, messages = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local taken = {tokens = tonumber(ARGV[6]), money = tonumber(ARGV[7])}
local prompt, wanted, shortest = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local input_price, output_price = tonumber(ARGV[11]), tonumber(ARGV[12])
local FIRST_BOOK, HEAD, FIELDS, MILLION = 13, 3, 6, 1000000
local now = tonumber(redis.call('TIME')[1])

local function whole(number) return string.format('%.0f', number) end

-- Give back what was set aside by processes that are gone.
local function give_back(counters, ends)
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
end

local books, at = {}, FIRST_BOOK
for number = 1, #KEYS - 1, 2 do
  local book = {counters = KEYS[number], ends = KEYS[number + 1], given = ARGV[at] == '1', kept = ARGV[at + 1],
                first = at + HEAD, last = at + HEAD + (tonumber(ARGV[at + 2]) - 1) * FIELDS, caps = {}}
  give_back(book.counters, book.ends)
  book.open = redis.call('HGET', book.counters, 'open:' .. id)
  book.held = book.open and cjson.decode(book.open) or {}
  books[#books + 1], at = book, book.last + FIELDS
end

-- What each cap leaves decides how long the output may be. A period only ever moves on, and what is added to an answer
-- of a period that is over does not count in the one that has begun.
local output = wanted
for _, book in ipairs(books) do
  for field = book.first, book.last, FIELDS do
    local cap = {name = ARGV[field], measure = ARGV[field + 1], start = ARGV[field + 2],
                 soft = tonumber(ARGV[field + 3]), hard = tonumber(ARGV[field + 4])}
    local current, before = redis.call('HGET', book.counters, cap.name .. ':start'), book.held[cap.name]
    local counts = true
    if book.open then
      counts = before and current == before[1]
    elseif not current then
      if not book.given then return {'unknown', 0, {}, requests_left, whole_again} end
      cap.used = tonumber(ARGV[field + 5])
    elseif tonumber(current) < tonumber(cap.start) then
      cap.used = 0
    elseif current ~= cap.start and messages == 0 then
      counts = false
    end
    if counts then
      if not cap.used then cap.used, cap.start = tonumber(redis.call('HGET', book.counters, cap.name)), current end
      cap.before = before and tonumber(before[2]) or 0
      local left = cap.hard - (cap.used - cap.before) - (taken[cap.measure] or 0)
      if cap.measure == 'messages' and not book.open and left < messages then return {'reached', cap.name} end
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
      book.caps[#book.caps + 1] = cap
    end
  end
end

-- A cap that is no longer in force is not counted on, so its counter is not to be believed should it come back.
local function forget_others(book)
  local names = {}
  for field = book.first, book.last, FIELDS do names[#names + 1] = ARGV[field] end
  local in_force, before = table.concat(names, ','), redis.call('HGET', book.counters, 'caps')
  if before ~= in_force then
    for name in string.gmatch(before or '', '[^,]+') do
      if not string.find(',' .. in_force .. ',', ',' .. name .. ',', 1, true) then
        redis.call('HDEL', book.counters, name, name .. ':start')
      end
    end
    redis.call('HSET', book.counters, 'caps', in_force)
  end
end

local amounts = {
  messages = messages,
  tokens = taken.tokens + prompt + output,
  money = taken.money + math.ceil((prompt * input_price + output * output_price) / MILLION),
}
local warnings, answer = {}, {}
for _, book in ipairs(books) do
  if not book.open then forget_others(book) end
  for _, cap in ipairs(book.caps) do
    local amount = amounts[cap.measure]
    local used = cap.used - cap.before + amount
    redis.call('HSET', book.counters, cap.name, whole(used), cap.name .. ':start', cap.start)
    book.held[cap.name] = {cap.start, whole(amount)}
    if not book.open and cap.used >= cap.soft then warnings[#warnings + 1] = cap.name end
    if cap.measure == 'messages' then
      answer[#answer + 1] = cap.name
      answer[#answer + 1] = cap.hard - used
    end
  end
  redis.call('HSET', book.counters, 'open:' .. id, cjson.encode(book.held))
  redis.call('ZADD', book.ends, now + lifetime, id)
  redis.call('EXPIRE', book.counters, book.kept)
  redis.call('EXPIRE', book.ends, book.kept)
end
return {'reserved', output, warnings, requests_left, whole_again, unpack(answer)}
