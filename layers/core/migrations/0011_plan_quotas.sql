-- migrate:up

-- Requests per minute are counted for each visitor and key; a whole tenant's bursts are bounded by the day and by money.
UPDATE plans
SET messages_per_minute = NULL, messages_per_hour = NULL, messages_per_day = 100000,
    tokens_per_day = 200000000, tokens_per_month = 2000000000,
    microusd_per_day = 10000000, microusd_per_month = 100000000
WHERE name = 'free';

UPDATE plans
SET messages_per_minute = NULL, messages_per_hour = NULL, messages_per_day = 1000000,
    tokens_per_day = 2000000000, tokens_per_month = 20000000000
WHERE name = 'paid';

-- migrate:down
