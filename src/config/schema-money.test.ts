import assert from 'node:assert/strict'
import { test } from 'node:test'
import { invalid } from '../core/error.ts'
import { budgetRuleOf, rateRuleOf } from '../core/written-rules.ts'
import { budgets, limits, prices, reservation, rulesOf } from './schema-money.ts'

test('a budget has defaults for everything but its limit', () => {
  const { budgets: rules } = rulesOf({ budgets: budgets.parse([{ limit: '0.50' }]) })
  const [rule] = rules
  assert.deepEqual(
    { ...rule, id: '' },
    { id: '', limit: 500_000_000n, window: 'month', timeZone: 'UTC', by: 'all', onBreach: 'refuse', status: 402, warnAt: [0.8] },
  )
})

test('windows are calendar windows or the last so long; amounts may be numbers', () => {
  const read = (window: string) => rulesOf({ budgets: budgets.parse([{ limit: 3, window }]) }).budgets[0]
  assert.equal(read('week')?.window, 'week')
  assert.deepEqual(read('30d')?.window, { rollingMs: 30 * 86_400_000 })
  assert.equal(read('day')?.limit, 3_000_000_000n)
  const rates = rulesOf({
    limits: limits.parse([
      { what: 'tokens', limit: 5, window: '24h', by: 'user', value: 'u' },
      { what: 'concurrent', limit: 2 },
    ]),
  })
  assert.deepEqual(
    rates.limits.map(({ id: _, ...rule }) => rule),
    [
      { what: 'tokens', limit: 5, windowMs: 86_400_000, by: 'user', value: 'u' },
      { what: 'concurrent', limit: 2, windowMs: 60_000, by: 'all' },
    ],
  )
})

test('mistakes are told with their place and a remedy', () => {
  const problem = (list: unknown): string => {
    const { error } = budgets.safeParse(list)
    return error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ') ?? 'none'
  }
  assert.match(problem([{ limit: '1', window: 'fortnight' }]), /^0\.window: neither .*\nwrite minute, hour/)
  assert.match(problem([{ limit: '1', timeZone: 'Mars/Olympus' }]), /^0\.timeZone: not a time zone\nwrite an IANA name/)
  assert.match(problem([{ limit: 'much' }]), /^0\.limit: not an amount in USD/)
  assert.match(problem([{ limit: '99999999' }]), /^0\.limit: not an amount .*\n.*9000000 at most/)
  assert.match(problem([{ limit: '1', by: 'planet' }]), /^0\.by: /)
  assert.equal(prices.safeParse({ unknown: 'guess' }).success, false)
  assert.equal(reservation.safeParse({ inputMargin: 0.5 }).success, false)
})

test('ids stay the same when limits, places in the list or what happens on a breach change, and differ for what counts otherwise', () => {
  const ids = (list: readonly object[]): string[] => rulesOf({ budgets: budgets.parse(list) }).budgets.map(({ id }) => id)
  const [one, two] = ids([{ limit: '1' }, { limit: '1', by: 'team' }])
  assert.deepEqual(
    ids([
      { limit: '9', by: 'team', onBreach: 'queue', warnAt: [0.5] },
      { limit: '2', status: 429 },
    ]),
    [two, one],
  )
  assert.equal(
    new Set(
      ids([{ limit: '1' }, { limit: '1' }, { limit: '1', window: 'day' }, { limit: '1', models: ['a'] }, { limit: '1', tiers: ['a'] }]),
    ).size,
    5,
  )
  assert.deepEqual(ids([{ limit: '1', name: 'all' }]), ids([{ limit: '2', name: 'all', window: 'day' }]))
  assert.match(ids([{ limit: '1', name: 'all' }])[0] ?? '', /^budget:all$/)
})

test('rules from anywhere are read with the same care, and say where they are wrong', () => {
  const bad = (path: string, run: () => unknown): void =>
    assert.throws(run, { ...invalid('', path), message: /.+/, name: 'GatewayError', path })
  bad('limit', () => budgetRuleOf('b', { limit: -1 }))
  bad('limit', () => budgetRuleOf('b', {}))
  bad('limit', () => budgetRuleOf('b', { limit: '9000001' }))
  bad('limit', () => budgetRuleOf('b', { limit: 1e300 }))
  bad('budgets[2].window', () => budgetRuleOf('b', { limit: '1', window: 'never' }, { path: 'budgets[2]' }))
  bad('status', () => budgetRuleOf('b', { limit: '1', status: 200 }))
  bad('warnAt', () => budgetRuleOf('b', { limit: '1', warnAt: [2] }))
  bad('models', () => budgetRuleOf('b', { limit: '1', models: [''] }))
  bad('timeZone', () => budgetRuleOf('b', { limit: '1', timeZone: 'Mars/Olympus' }))
  bad('what', () => rateRuleOf('l', { limit: 1 }))
  bad('limit', () => rateRuleOf('l', { what: 'tokens', limit: 1.5 }))
  bad('window', () => rateRuleOf('l', { what: 'tokens', limit: 1, window: '10ms' }))
  assert.deepEqual(budgetRuleOf('b', { limit: '1', window: { rollingMs: 5_000 } }, { by: 'key', organisation: 'o' }), {
    id: 'b',
    by: 'key',
    organisation: 'o',
    limit: 1_000_000_000n,
    window: { rollingMs: 5_000 },
    onBreach: 'refuse',
    status: 402,
    warnAt: [0.8],
  })
})
