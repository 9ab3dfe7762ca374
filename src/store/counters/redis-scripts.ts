/**
 * What Redis does, in Lua. Every script runs alone, so it is all or nothing. Times are Redis' own.
 *
 * Keys, all in one slot:
 *   {sb}c:<counter>  packed: spent, held, born, seededAt, endsAt, sliceMs, latest, then per slot of a rolling window spent and held.
 *                    `born` tells a counter from an earlier one of the same name: holds belong to the one they were taken from.
 *   {sb}call:<id>    packed while it lives: when it was reserved, and per hold key, born, amount. Then x: the lease ran out,
 *                    s: settled in a way that its lease would not tell
 *   {sb}leases       sorted set: id → when its lease ends
 *   {sb}late:<c>     what ended while the counter was not known: time and amount, in case that the seed misses it
 *   {sb}epoch        made anew when Redis has lost everything: a lease of another epoch was lost, one of this epoch that is gone was settled
 *   {sb}replicas     sorted set: replica → last heard of
 *
 * Numbers are whole and below 2^53, which Lua's are exact for. Joined to text they would not be: hence `%.0f`. Most of what a script costs is
 * the number of commands in it, so what it needs is read with one.
 */
import { GRACE_MS, SLOTS } from './windows.ts'

const DAY_MS = 86_400_000
/** Longer than anything is kept that refers to it. */
const LONG_MS = 400 * DAY_MS
/** So long after a call has ended the ledger may not show it yet. */
export const LEDGER_LAG_MS = 1_500

const common = `
local SLOTS, LONG, DAY, GRACE, LAG = ${SLOTS}, ${LONG_MS}, ${DAY_MS}, ${GRACE_MS}, ${LEDGER_LAG_MS}
local SPENT, HELD, BORN, SEEDED, ENDS, SLICE, LATEST, RING = 1, 2, 3, 4, 5, 6, 7, 7
local time = redis.call('TIME')
local micros = tonumber(time[1]) * 1000000 + tonumber(time[2])
local now = math.floor(micros / 1000)
local loaded, dirty = {}, {}
local CALL = '{sb}call:'

local function advance(c)
  if c[SLICE] == 0 then return end
  local slice = math.floor(now / c[SLICE])
  for n = math.max(c[LATEST] + 1, slice - SLOTS + 1), slice do
    local at = RING + 2 * (n % SLOTS)
    c[SPENT] = c[SPENT] - c[at + 1]
    c[HELD] = c[HELD] - c[at + 2]
    c[at + 1], c[at + 2] = 0, 0
  end
  if slice > c[LATEST] then c[LATEST] = slice end
end

local function unpacked(key, packed)
  local c = packed and cmsgpack.unpack(packed) or false
  if c then advance(c) end
  loaded[key] = c
  return c
end

local function load(key)
  local c = loaded[key]
  if c == nil then c = unpacked(key, redis.call('GET', key)) end
  return c
end

local function create(key, sliceMs, endsAt, spent, seededAt)
  local c = { spent, 0, micros, seededAt, endsAt, sliceMs, 0 }
  if sliceMs > 0 then
    c[LATEST] = math.floor(now / sliceMs)
    for n = 1, 2 * SLOTS do c[RING + n] = 0 end
    c[RING + 2 * (c[LATEST] % SLOTS) + 1] = spent
  end
  -- Two that are made within a microsecond under one name are told apart all the same.
  local before = loaded[key]
  if before and before[BORN] >= c[BORN] then c[BORN] = before[BORN] + 1 end
  loaded[key] = c
  dirty[key] = true
  return c
end

-- The counter for a hold: nil when it is not known or its window is over.
local function find(key, sliceMs, endsAt)
  local c = load(key)
  if not c then return nil end
  if c[ENDS] ~= endsAt then
    if c[ENDS] ~= 0 and c[ENDS] <= now and endsAt > c[ENDS] then return nil end
    if endsAt == 0 or c[ENDS] == 0 then c[ENDS] = endsAt else c[ENDS] = math.max(c[ENDS], endsAt) end
    dirty[key] = true
  end
  if c[SLICE] ~= sliceMs then return create(key, sliceMs, endsAt, c[SPENT] + c[HELD], c[SEEDED]) end
  return c
end

-- Slot of the slice in which something happened at a time; nil when that has left the window.
local function slot(c, at)
  local slice = math.min(math.floor(at / c[SLICE]), c[LATEST])
  if slice <= c[LATEST] - SLOTS then return nil end
  return RING + 2 * (slice % SLOTS)
end

local function giveBack(c, key, amount, at)
  dirty[key] = true
  if c[SLICE] > 0 then
    local s = slot(c, at)
    if not s then return false end
    c[s + 2] = c[s + 2] - amount
  end
  c[HELD] = c[HELD] - amount
  return true
end

local function spend(c, key, used, onTime, at)
  dirty[key] = true
  if c[SLICE] > 0 then
    local s = slot(c, at)
    if s then c[s + 1] = c[s + 1] + onTime else onTime = 0 end
    local s2 = slot(c, now)
    c[s2 + 1] = c[s2 + 1] + used - onTime
  end
  c[SPENT] = c[SPENT] + used
end

local function save()
  for key in pairs(dirty) do
    local c = loaded[key]
    local ttl = 7 * DAY
    if c[SLICE] > 0 then ttl = c[SLICE] * (SLOTS + 1) + GRACE
    elseif c[ENDS] > 0 then ttl = math.min(LONG, math.max(0, c[ENDS] - now) + GRACE)
    elseif c[SEEDED] == 0 and c[SPENT] > 0 then ttl = LONG end
    if c[SPENT] == 0 and c[HELD] == 0 and c[SEEDED] == 0 then redis.call('DEL', key)
    else redis.call('SET', key, cmsgpack.pack(c), 'PX', ttl) end
  end
end

local function epoch(current, new)
  if not current then
    current = new
    redis.call('SET', '{sb}epoch', new, 'PX', LONG)
  elseif now % 64 == 0 then
    redis.call('PEXPIRE', '{sb}epoch', LONG)
  end
  return current
end

-- Whoever comes releases what was left by those that are gone.
local function release(most)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', '{sb}leases', '-inf', now, 'LIMIT', 0, most)) do
    local packed = redis.call('GET', CALL .. id)
    if packed and #packed > 1 then
      local lease = cmsgpack.unpack(packed)
      for n = 2, #lease, 3 do
        local c = load(lease[n])
        if c and c[BORN] == lease[n + 1] then giveBack(c, lease[n], lease[n + 2], lease[1]) end
      end
      redis.call('SET', CALL .. id, 'x', 'PX', DAY)
    end
    redis.call('ZREM', '{sb}leases', id)
  end
end
`

/**
 * ARGV: id, leaseMs, epoch if there is none, when the seeds were asked for, then per hold: amount, limit ('' for none), sliceMs, endsAt (0),
 * seedable (1, 0), seed (''), kind (s, g). KEYS: the counters'.
 * Answer: what, now, epoch, then 1 (taken): spent, held of each · 0 (refused): index, spent, held, retry after (-1) · 2: indexes that have to be seeded.
 */
export const reserveScript = `${common}
local id, leaseMs, askedAt = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[4])
local packed = redis.call('MGET', '{sb}epoch', CALL .. id, unpack(KEYS))
local answer = { 1, now, epoch(packed[1], ARGV[3]) }
-- Of a call whose lease ran out only the settlement is awaited; it may begin anew.
local again = packed[2] and packed[2] ~= 'x'
for n, key in ipairs(KEYS) do
  if loaded[key] == nil then unpacked(key, packed[n + 2]) end
end
release(16)
local unknown, counters = { 2, now, answer[3] }, {}
for n, key in ipairs(KEYS) do
  local a = 4 + (n - 1) * 7
  local sliceMs, endsAt, seed = tonumber(ARGV[a + 3]), tonumber(ARGV[a + 4]), ARGV[a + 6]
  local c = find(key, sliceMs, endsAt)
  if not c and not again then
    if seed ~= '' then
      local spent, late = tonumber(seed), '{sb}late:' .. key
      for _, note in ipairs(redis.call('LRANGE', late, 0, -1)) do
        local at, used = string.match(note, '^(%d+) (%d+)$')
        if tonumber(at) >= askedAt - LAG then spent = spent + tonumber(used) end
      end
      redis.call('DEL', late)
      c = create(key, sliceMs, endsAt, spent, askedAt)
    elseif ARGV[a + 5] == '1' then unknown[#unknown + 1] = n - 1
    else c = create(key, sliceMs, endsAt, 0, 0) end
  end
  counters[n] = c
end
if #unknown > 3 then save() return unknown end
if again then
  for n = 1, #KEYS do
    local c = counters[n]
    answer[#answer + 1] = c and c[SPENT] or 0
    answer[#answer + 1] = c and c[HELD] or 0
  end
  save()
  return answer
end
local sum = {}
for n, key in ipairs(KEYS) do
  local a, c = 4 + (n - 1) * 7, counters[n]
  local amount, limit = tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2])
  if limit and c[SPENT] + c[HELD] + (sum[key] or 0) + amount > limit then
    local wait = -1
    if amount <= limit and c[SLICE] > 0 then
      local over = c[SPENT] + c[HELD] + amount - limit
      for slice = c[LATEST] - SLOTS + 1, c[LATEST] do
        local s = RING + 2 * (slice % SLOTS)
        over = over - c[s + 1] - c[s + 2]
        if over <= 0 then wait = math.max(1, (slice + SLOTS) * c[SLICE] - now) break end
      end
    elseif amount <= limit and c[ENDS] > 0 then wait = math.max(0, c[ENDS] - now) end
    save()
    return { 0, now, answer[3], n - 1, c[SPENT], c[HELD], wait }
  end
  sum[key] = (sum[key] or 0) + amount
end
local lease = { now }
for n, key in ipairs(KEYS) do
  local a, c = 4 + (n - 1) * 7, counters[n]
  local amount = tonumber(ARGV[a + 1])
  c[HELD] = c[HELD] + amount
  dirty[key] = true
  if c[SLICE] > 0 then
    local s = RING + 2 * (c[LATEST] % SLOTS)
    c[s + 2] = c[s + 2] + amount
  end
  lease[n * 3 - 1], lease[n * 3], lease[n * 3 + 1] = key, c[BORN], amount
end
for n = 1, #KEYS do
  answer[#answer + 1] = counters[n][SPENT]
  answer[#answer + 1] = counters[n][HELD]
end
redis.call('SET', CALL .. id, cmsgpack.pack(lease), 'PX', LONG)
redis.call('ZADD', '{sb}leases', now + leaseMs, id)
redis.call('PEXPIRE', '{sb}leases', LONG)
save()
return answer
`

/**
 * ARGV: epoch if there is none, then per call: id, the epoch it was reserved in (''), milliseconds since it ended, number of holds, and per
 * hold: key, actual, sliceMs, endsAt (0), seedable, kind. Answer: now, epoch.
 */
export const settleScript = `${common}
-- All that is asked for below, read at once.
local names, at = { '{sb}epoch' }, 2
while at <= #ARGV do
  names[#names + 1] = CALL .. ARGV[at]
  for n = 1, tonumber(ARGV[at + 3]) do names[#names + 1] = ARGV[at + 4 + (n - 1) * 6] end
  at = at + 4 + tonumber(ARGV[at + 3]) * 6
end
local values = {}
for first = 1, #names, 1000 do
  local last = math.min(first + 999, #names)
  for n, value in ipairs(redis.call('MGET', unpack(names, first, last))) do values[names[first + n - 1]] = value end
end
local current = epoch(values['{sb}epoch'], ARGV[1])
-- Nothing is held for it: what it used is added, unless the ledger has told so already.
local function count(key, used, sliceMs, endsAt, seedable, kind, ended)
  if kind == 'g' or used == 0 or (endsAt ~= 0 and endsAt <= now) then return end
  local c = find(key, sliceMs, endsAt)
  if c then
    if c[ENDS] == endsAt and (c[SEEDED] == 0 or ended >= c[SEEDED] - LAG) then spend(c, key, used, 0, now) end
  elseif seedable then
    local late = '{sb}late:' .. key
    redis.call('RPUSH', late, string.format('%.0f %.0f', ended, used))
    redis.call('LTRIM', late, -1000, -1)
    redis.call('PEXPIRE', late, GRACE)
  else spend(create(key, sliceMs, endsAt, 0, 0), key, used, 0, now) end
end
local a = 2
while a <= #ARGV do
  local id, from, ended, holds = ARGV[a], ARGV[a + 1], now - tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3])
  a = a + 4
  local value = values[CALL .. id]
  local lease = value and #value > 1 and cmsgpack.unpack(value)
  local lost = not lease and value ~= 's' and (value == 'x' or from ~= current)
  if lease then redis.call('ZREM', '{sb}leases', id) end
  -- Where its lease would not tell that it was settled, this does: it may be told again.
  if lost or (lease and from ~= current) then
    redis.call('SET', CALL .. id, 's', 'PX', DAY)
    values[CALL .. id] = 's'
  elseif lease then
    redis.call('DEL', CALL .. id)
    values[CALL .. id] = nil
  end
  for n = 1, holds do
    local key, used, sliceMs, endsAt = ARGV[a], tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3])
    local seedable, kind = ARGV[a + 4] == '1', ARGV[a + 5]
    a = a + 6
    if loaded[key] == nil then unpacked(key, values[key]) end
    local h = 2 + (n - 1) * 3
    local c = lease and lease[h] == key and load(key)
    if c and c[BORN] == lease[h + 1] then
      local amount = lease[h + 2]
      if giveBack(c, key, amount, lease[1]) then
        if kind == 's' then spend(c, key, used, math.min(used, amount), lease[1]) end
      elseif kind == 's' and used > amount then spend(c, key, used - amount, 0, now) end
    elseif lease or lost then count(key, used, sliceMs, endsAt, seedable, kind, ended) end
  end
  -- Holds that were reserved and are not named any more are given back.
  if lease then
    for n = 2 + holds * 3, #lease, 3 do
      local c = load(lease[n])
      if c and c[BORN] == lease[n + 1] then giveBack(c, lease[n], lease[n + 2], lease[1]) end
    end
  end
end
save()
return { now, current }
`

/** KEYS: counters. Answer per counter: spent, held, or -1, -1 where nobody has counted. */
export const readScript = `${common}
release(1000)
save()
local answer = {}
for _, key in ipairs(KEYS) do
  local c = load(key)
  if c and c[ENDS] ~= 0 and c[ENDS] <= now then c = false end
  answer[#answer + 1] = c and c[SPENT] or -1
  answer[#answer + 1] = c and c[HELD] or -1
end
return answer
`

/** ARGV: replica, for how long it counts without another beat, epoch if there is none. Answer: how many there are. */
export const beatScript = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('ZADD', '{sb}replicas', now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', '{sb}replicas', '-inf', now - tonumber(ARGV[2]))
redis.call('PEXPIRE', '{sb}replicas', ARGV[2])
if redis.call('EXISTS', '{sb}epoch') == 0 then redis.call('SET', '{sb}epoch', ARGV[3], 'PX', ${LONG_MS}) end
return redis.call('ZCARD', '{sb}replicas')
`
