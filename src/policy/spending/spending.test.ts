import assert from 'node:assert/strict'
import { test } from 'node:test'
import { admitted, budget, end, isAdmitted, key, limit, place, refusal, rig } from './fixtures/rig.ts'

// 1,000 tokens in and 900 out at $1 and $10 a million: one cent.
const CENT = { input: 1_000, output: 900 }

test('a call without rules is let in at once and written down', () => {
  const { desk, call, opened } = rig()
  const one = call(CENT)
  const verdict = desk.admit(one)
  assert.ok(!(verdict instanceof Promise) && isAdmitted(verdict))
  assert.deepEqual(
    opened.map(({ id, key, provider, estimate }) => ({ id, key, provider, estimate })),
    [{ id: one.exchange.id, key: 'key-1', provider: 'acme', estimate: 10_000_000n }],
  )
  assert.equal(verdict.headers, undefined)
})

test('of 500 concurrent calls on a budget for 10 exactly 10 are let in; what they leave is room again', async () => {
  const { desk, call } = rig({ budgets: [budget('b', { limit: '0.10' })] })
  const calls = Array.from({ length: 500 }, () => call(CENT))
  const verdicts = await Promise.allSettled(calls.map(async (one) => [one, await admitted(desk, one)] as const))
  const letIn = verdicts.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  assert.equal(letIn.length, 10)
  for (const verdict of verdicts) if (verdict.status === 'rejected') assert.equal(verdict.reason.code, 'budget_exceeded')
  // Each came to 0.46 cents of the cent it held.
  for (const [one, admission] of letIn) end(one, admission, { input: 1_000, output: 360 })
  const more = await Promise.allSettled(Array.from({ length: 20 }, () => admitted(desk, call(CENT))))
  assert.equal(more.filter(({ status }) => status === 'fulfilled').length, 5)
})

test('once a counter is known, nobody waits for a promise', async () => {
  const { desk, call } = rig({ budgets: [budget('b', { limit: '1', by: 'key' })], limits: [limit('l', { what: 'requests', limit: 5 })] })
  await admitted(desk, call())
  assert.ok(!(desk.admit(call()) instanceof Promise))
})

test('a refusal names the budget, how far it is used, and when it begins anew; it has the status of the rule', async () => {
  const { desk, call } = rig({
    budgets: [budget('b', { name: 'daily', limit: '0.015', window: 'day', by: 'key', timeZone: 'Europe/Berlin', status: 429 })],
  })
  const first = call(CENT)
  end(first, await admitted(desk, first), { input: 1_000, output: 900 })
  const error = await refusal(() => admitted(desk, call(CENT)))
  assert.equal(error.status, 429)
  assert.equal(error.code, 'budget_exceeded')
  assert.equal(error.shouldRetry, false)
  assert.equal(error.retryAfterMs, 11 * 3_600_000)
  assert.match(
    error.message,
    /"daily" of this key has no room .* \$0\.01\d* of \$0\.015 is spent.*up to \$0\.01.*2026-03-04T23:00:00\.000Z/,
  )
})

test('amounts of a budget that others share are not told', async () => {
  const { desk, call } = rig({ budgets: [budget('b', { limit: '0.015' })] })
  const first = call(CENT)
  end(first, await admitted(desk, first), CENT)
  const error = await refusal(() => admitted(desk, call(CENT)))
  assert.doesNotMatch(error.message, /\$/)
  assert.match(error.message, /begins anew at 2026-04-01T00:00:00/)
})

test('a call that is dearer than the whole budget is told to ask for less, and not to come back', async () => {
  const { desk, call, events } = rig({ budgets: [budget('b', { limit: '0.005', by: 'key' })] })
  const error = await refusal(() => admitted(desk, call(CENT)))
  assert.match(error.message, /smaller than what this call may cost \(\$0\.01 of \$0\.005\)\. Set a smaller maximum of output tokens/)
  assert.equal(error.retryAfterMs, undefined)
  assert.deepEqual(events, [], 'the budget is not used up by that')
})

test('a new window begins with nothing spent', async () => {
  const { desk, call, pass } = rig({ budgets: [budget('b', { limit: '0.01', window: 'day' })] })
  const first = call(CENT)
  end(first, await admitted(desk, first), CENT)
  await refusal(() => admitted(desk, call(CENT)))
  pass(12 * 3_600_000)
  await admitted(desk, call(CENT))
})

test('a rolling budget gives back what was spent so long ago', async () => {
  const { desk, call, pass } = rig({ budgets: [budget('b', { limit: '0.01', window: '5h' })] })
  const first = call(CENT)
  end(first, await admitted(desk, first), CENT)
  pass(4 * 3_600_000)
  const error = await refusal(() => admitted(desk, call(CENT)))
  assert.ok((error.retryAfterMs ?? 0) > 3_000_000 && (error.retryAfterMs ?? 0) <= 5_400_000, String(error.retryAfterMs))
  assert.match(error.message, /counts the last 5h/)
  pass(error.retryAfterMs ?? 0)
  await admitted(desk, call(CENT))
})

test('what is held: the estimate with its margin, and the output that the caller, the model and the cap allow, at the dearest place', async () => {
  const held = async (options: Parameters<ReturnType<typeof rig>['call']>[0], policy = {}): Promise<number> => {
    const rule = budget('b', { limit: '100' })
    const { desk, call } = rig({ budgets: [rule], policy })
    await admitted(desk, call(options))
    return (await desk.status(rule, [{}]))[0]?.held ?? Number.NaN
  }
  assert.equal(await held({ input: 1_000, output: 100 }), 1_250_000 + 1_000_000)
  assert.equal(await held({ input: 0 }), 4_096 * 10_000)
  assert.equal(await held({ input: 0, at: [place('a/b', { maxOutput: 200 })] }), 200 * 10_000)
  assert.equal(await held({ input: 0, output: 100_000 }), 32_768 * 10_000)
  assert.equal(await held({ input: 0, output: 100_000 }, { outputCap: 50_000 }), 50_000 * 10_000)
  assert.equal(await held({ input: 0, output: 100, at: [place('a/cheap', { output: 1 }), place('a/dear', { output: 75 })] }), 100 * 75_000)
})

test('all rules of a call are held at once or none of them', async () => {
  const open = budget('open', { limit: '1' })
  const { desk, call } = rig({ budgets: [open, budget('shut', { limit: '0', by: 'team' })] })
  await refusal(() => admitted(desk, call({ ...CENT, principal: key('k', { tenant: { team: 't' } }) })))
  assert.equal((await desk.status(open, [{}]))[0]?.held, 0)
  await admitted(desk, call(CENT))
  assert.equal((await desk.status(open, [{}]))[0]?.held, 10_000_000)
})

test('each key, user, team, project, tag, route, model, provider and class of addresses has a count of its own', async () => {
  const own = key('k', { user: 'u', tenant: { organisation: 'o', team: 't', project: 'p' }, tags: ['x', 'y'] })
  const cases = [
    ['key', 'k', { principal: key('other', { ...own, id: 'other' }) }],
    ['user', 'u', { principal: { ...own, user: 'v' } }],
    ['organisation', 'o', { principal: { ...own, tenant: { organisation: 'q', team: 't', project: 'p' } } }],
    ['team', 't', { principal: { ...own, tenant: { organisation: 'o', team: 'u' } } }],
    ['project', 'p', { principal: { ...own, tenant: { organisation: 'o', team: 't', project: 'q' } } }],
    ['tag', 'x', { principal: { ...own, tags: ['z'] } }],
    ['route', 'fast', { principal: own, route: 'slow' }],
    ['model', 'acme/large', { principal: own, at: [place('acme/small')] }],
    ['provider', 'acme', { principal: own, at: [place('other/large')] }],
    ['ip-class', 'internal', { principal: own, ipClass: 'external' }],
  ] as const
  for (const [by, value, other] of cases)
    for (const only of [undefined, value]) {
      const { desk, call } = rig({ limits: [limit('l', { what: 'requests', limit: 1, by, value: only })] })
      const mine = { principal: own, ipClass: 'internal' }
      await admitted(desk, call(mine))
      const error = await refusal(() => admitted(desk, call(mine)))
      assert.equal(error.code, 'rate_limited', by)
      await admitted(desk, call({ ...mine, ...other }))
      const again = await Promise.allSettled([admitted(desk, call({ ...mine, ...other }))])
      assert.equal(again[0]?.status, only === undefined ? 'rejected' : 'fulfilled', `${by} ${only}`)
    }
})

test('a key is also meant by its alias', async () => {
  const { desk, call } = rig({ limits: [limit('l', { what: 'requests', limit: 0, by: 'key', value: 'ci' })] })
  await refusal(() => admitted(desk, call({ principal: key('k', { alias: 'ci' }) })))
  await admitted(desk, call({ principal: key('k2', { alias: 'other' }) }))
})

test('teams of the same name in two organisations do not share a count, and a rule of one does not hold for the other', async () => {
  const of = (organisation: string) => ({ ...CENT, principal: key(`k-${organisation}`, { tenant: { organisation, team: 'research' } }) })
  const everybody = rig({ budgets: [budget('b', { limit: '0.01', by: 'team' })] })
  await admitted(everybody.desk, everybody.call(of('a')))
  await admitted(everybody.desk, everybody.call(of('b')))
  await refusal(() => admitted(everybody.desk, everybody.call(of('a'))))
  const theirs = rig({ budgets: [{ ...budget('b', { limit: '0', by: 'all' }), organisation: 'a' }] })
  await refusal(() => admitted(theirs.desk, theirs.call(of('a'))))
  await admitted(theirs.desk, theirs.call(of('b')))
})

test('rules for some models hold for routes, places, whole providers, however a place is reached', async () => {
  const holds = async (models: string[], options: Parameters<ReturnType<typeof rig>['call']>[0]): Promise<boolean> => {
    const { desk, call } = rig({ limits: [limit('l', { what: 'requests', limit: 0, models })] })
    return (await Promise.allSettled([admitted(desk, call(options))]))[0]?.status === 'rejected'
  }
  assert.equal(await holds(['fast'], { route: 'fast' }), true)
  assert.equal(await holds(['fast'], { route: 'slow' }), false)
  assert.equal(await holds(['acme/large'], { route: 'fast' }), true)
  assert.equal(await holds(['acme/*'], { route: 'direct', model: 'acme/other', at: [place('acme/other')] }), true)
  assert.equal(await holds(['acme/*'], { route: 'fast', at: [place('beta/x')] }), false)
  assert.equal(await holds(['acme/large'], { route: 'fast', at: [place('acme/large'), place('beta/x')] }), false)
})

test('tiers: a budget for one tier does not hold for calls of another', async () => {
  const { desk, call } = rig({ budgets: [budget('b', { limit: '0', tiers: ['premium'] })] })
  await refusal(() => admitted(desk, call({ tier: 'premium' })))
  await admitted(desk, call({ tier: 'free' }))
  await refusal(() => admitted(desk, call({ principal: key('k', { tier: 'premium' }) })))
})

test('the limit of one provider leaves out its places as long as there are others', async () => {
  const { desk, call, opened, entry } = rig({
    limits: [limit('l', { name: 'acme', what: 'requests', limit: 1, by: 'provider', value: 'acme' })],
  })
  const at = [place('acme/large'), place('beta/x'), place('acme/small')]
  assert.equal((await admitted(desk, call({ at }))).without, undefined)
  const other = call({ at })
  const second = await admitted(desk, other)
  assert.deepEqual(
    [...(second.without ?? [])],
    [
      [0, 'limit "acme" reached'],
      [2, 'limit "acme" reached'],
    ],
  )
  assert.equal(opened.at(-1)?.provider, 'beta')
  end(other, second, { at: 'beta/x' })
  const record = (await entry(other.exchange.id)).settlement?.record
  assert.deepEqual(record && 'leftOut' in record && record.leftOut, [
    { place: 'acme/large', reason: 'limit "acme" reached' },
    { place: 'acme/small', reason: 'limit "acme" reached' },
  ])
  assert.equal((await refusal(() => admitted(desk, call({ at: [place('acme/large')] })))).code, 'rate_limited')
})

test('what was held at places that did not answer is given back', async () => {
  const rule = budget('b', { limit: '1', by: 'provider' })
  const { desk, call } = rig({ budgets: [rule] })
  const one = call({ ...CENT, at: [place('acme/large'), place('beta/x')] })
  const admission = await admitted(desk, one)
  const read = async () => (await desk.status(rule, [{ value: 'acme' }, { value: 'beta' }])).map(({ spent, held }) => ({ spent, held }))
  assert.deepEqual(await read(), [
    { spent: 0, held: 10_000_000 },
    { spent: 0, held: 10_000_000 },
  ])
  end(one, admission, { ...CENT, at: 'beta/x' })
  assert.deepEqual(await read(), [
    { spent: 0, held: 0 },
    { spent: 10_000_000, held: 0 },
  ])
})

test('a budget that falls to the next tier says so, and does not stop the call there', async () => {
  const rule = budget('b', { name: 'strong', limit: '0.01', onBreach: 'next-tier', status: 403 })
  const { desk, call } = rig({ budgets: [rule] })
  const first = call(CENT)
  end(first, await admitted(desk, first), CENT)
  const second = call({ ...CENT, tier: 'premium' })
  const verdict = await desk.admit(second)
  assert.ok(!isAdmitted(verdict))
  assert.match(verdict.why, /"strong"/)
  assert.equal(verdict.refusal.status, 403)
  // As the trunk does: another route, of the tier behind.
  second.exchange.fell = verdict.why
  const cheaper = { ...second, tier: 'free', candidates: () => [place('acme/small', { input: 0.1, output: 1 })] }
  const admission = await admitted(desk, cheaper)
  end(cheaper, admission, { input: 1_000, output: 100, cost: 200_000n })
  assert.equal((await desk.status(rule, [{}]))[0]?.spent, 10_200_000)
  const third = await desk.admit(call(CENT))
  assert.ok(!isAdmitted(third), 'the next call is stopped by it again')
})

test('what a caller claims counts where the key leaves it free, and is refused where the key is bound', async () => {
  const { desk, call, opened } = rig()
  const metadata = { user: 'alice', team: 'red', project: 'p1', tags: ['beta', 'beta', 7], cost_centre: { a: 1 }, organisation: 'other' }
  await admitted(desk, call({ principal: key('free', { tags: ['own'] }), metadata }))
  const { user, team, project, tags, organisation } = opened[0] ?? {}
  assert.deepEqual(
    { user, team, project, tags, organisation },
    { user: 'alice', team: 'red', project: 'p1', tags: ['own', 'beta'], organisation: undefined },
  )
  const bound = key('bound', { tenant: { organisation: 'o', team: 'blue' } })
  const error = await refusal(() => desk.admit(call({ principal: bound, metadata: { team: 'red' } })))
  assert.deepEqual([error.code, error.path], ['forbidden', 'x-signalbox-metadata.team'])
  await admitted(desk, call({ principal: bound, metadata: { team: 'blue' } }))
  const long = await refusal(() => desk.admit(call({ metadata: { user: 'x'.repeat(200) } })))
  assert.deepEqual([long.status, long.path], [400, 'x-signalbox-metadata.user'])
  assert.equal(
    (await refusal(() => desk.admit(call({ metadata: { tags: Array.from({ length: 30 }, (_, index) => `t${index}`) } })))).status,
    400,
  )
})

test('values of any script and length have counters of their own', async () => {
  const { desk, call } = rig({ limits: [limit('l', { what: 'requests', limit: 1, by: 'user' })] })
  for (const user of ['ä'.repeat(100), 'ö'.repeat(100), 'a|b', 'a', '用户', 'x'.repeat(128)]) {
    await admitted(desk, call({ metadata: { user } }))
    await refusal(() => admitted(desk, call({ metadata: { user } })))
  }
})

test('a call that sets no maximum goes while anything is left, and then leaves nothing for others meanwhile', async () => {
  // Held would be 4,096 tokens of output: four cents.
  const { desk, call } = rig({ budgets: [budget('b', { limit: '0.03' })] })
  const asked = { input: 1_000, output: 300 }
  const open = () => call({ ...CENT, output: undefined })
  const first = open()
  const admission = await admitted(desk, first)
  assert.equal((await refusal(() => admitted(desk, open()))).code, 'budget_exceeded')
  end(first, admission, asked)
  let served = 1
  for (;;) {
    const next = open()
    const verdict = await admitted(desk, next).catch(() => undefined)
    if (!verdict) break
    end(next, verdict, asked)
    served++
  }
  // Each comes to 0.4 cents. The eighth finds 0.2 left, twice what its input costs, and passes the limit by what it came to beyond that.
  assert.equal(served, 8)
})

test('what is dear for its input, or has a maximum, is held whole or not at all', async () => {
  const { desk, call } = rig({ budgets: [budget('b', { limit: '0.005' })] })
  assert.equal((await refusal(() => admitted(desk, call(CENT)))).code, 'budget_exceeded')
  assert.equal((await refusal(() => admitted(desk, call({ input: 100_000, output: undefined })))).code, 'budget_exceeded')
})
