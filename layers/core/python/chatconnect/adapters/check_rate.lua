-- Counts one request; see rate.lua. KEYS: the window. ARGV: requests per window, its milliseconds.
local wait = count_request(KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]))
return wait
