/** The admin API's resources, through its client, on a gateway that serves. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adminRig, OWNER, refusal } from './rig.ts'

const price = { input: 1, output: 2 }
const rig = await adminRig({
  budgets: [{ name: 'house', limit: '1000' }],
  models: {
    main: { targets: [{ provider: 'sim', model: 'echo', price }] },
    other: { targets: [{ provider: 'sim', model: 'think' }] },
    failing: { targets: [{ provider: 'sim', model: 'fail-503', price }] },
  },
})
const { owner, as, ask, send } = rig
await owner.organisations.create({ id: 'acme', name: 'Acme' })
await owner.organisations.create({ id: 'globex', name: 'Globex', markup: 1_500 })
const acmeAdmin = await owner.admins.create({ role: 'admin', organisation: 'acme', alias: 'ann' })
const globexAdmin = await owner.admins.create({ role: 'admin', organisation: 'globex' })
const acme = as(acmeAdmin.key)
const globex = as(globexAdmin.key)

const called = async (key: string, model = 'main'): Promise<string> => {
  const answer = await ask(key, model)
  assert.equal(answer.status, 200)
  await answer.text()
  return answer.headers.get('x-signalbox-request-id') ?? ''
}
const soon = async <Value>(read: () => Promise<Value>, good: (value: Value) => boolean): Promise<Value> => {
  for (let tries = 0; ; tries++) {
    const value = await read()
    if (good(value) || tries === 40) return value
    await new Promise((done) => setTimeout(done, 25))
  }
}

test('a key is shown once, and never again in whole', async () => {
  const made = await owner.keys.create({ alias: 'web', models: ['main'], budgets: [{ limit: '0.50', window: 'day' }] })
  assert.match(made.key, /^sb-/)
  assert.ok(made.key.startsWith(made.prefix))
  assert.deepEqual([made.alias, made.models, made.budgets[0]?.limit, made.budgets[0]?.by], ['web', ['main'], '0.5', 'key'])
  const later = JSON.stringify([await owner.keys.get(made.id), await owner.keys.list(), await owner.audit.list({ limit: 1_000 })])
  assert.ok(later.includes(made.id) && !later.includes(made.key))
  await called(made.key)
  assert.equal((await ask(made.key, 'other')).status, 403)
})

test('lists come in pages that join without a gap', async () => {
  for (let count = 0; count < 7; count++) await acme.keys.create({ alias: `page-${count}` })
  const whole = (await acme.keys.list({ limit: 1_000 })).data.map(({ id }) => id)
  const pages: string[] = []
  let after: string | undefined
  do {
    const page = await acme.keys.list({ limit: 3, ...(after !== undefined && { after }) })
    assert.ok(page.data.length <= 3)
    pages.push(...page.data.map(({ id }) => id))
    after = page.next
  } while (after !== undefined)
  assert.deepEqual(pages, whole)
})

test('a change names what changes; null takes a member away; the rest stays', async () => {
  const made = await owner.keys.create({
    alias: 'old',
    models: ['main'],
    tags: ['a'],
    budgets: [{ limit: '1', window: 'day' }],
    limits: [{ what: 'requests', limit: 5 }],
  })
  const changed = await owner.keys.update(made.id, { alias: 'new', models: null, budgets: [{ limit: '2', window: 'day' }] })
  assert.deepEqual([changed.alias, changed.models, changed.tags, changed.version], ['new', undefined, ['a'], made.version + 1])
  // What was spent under the budget stays spent when its limit changes.
  assert.equal(changed.budgets[0]?.id, made.budgets[0]?.id)
  assert.equal(changed.limits[0]?.id, made.limits[0]?.id)
  const other = await owner.keys.update(made.id, { budgets: [{ limit: '2', window: 'month' }] })
  assert.notEqual(other.budgets[0]?.id, made.budgets[0]?.id)
  assert.equal(
    await refusal(owner.keys.update(made.id, { budgets: [{ id: 'bud_of_another', limit: '1' }] })),
    '400 invalid_request budgets[0].id',
  )
})

test('who changes what somebody else has changed meanwhile is told so', async () => {
  const made = await owner.teams.create({ name: 'Core' })
  await owner.teams.update(made.id, { name: 'Core 2' }, { ifMatch: made.version })
  assert.equal(await refusal(owner.teams.update(made.id, { name: 'Core 3' }, { ifMatch: made.version })), '409 conflict version')
  assert.equal(await refusal(owner.teams.update(made.id, { name: 'Core 3', version: made.version })), '409 conflict version')
  assert.equal((await owner.teams.update(made.id, { name: 'Core 4' })).name, 'Core 4')
  const answer = await send('GET', `/admin/v1/teams/${made.id}`, { key: OWNER })
  assert.equal(answer.headers.get('etag'), '"3"')
  assert.equal((await send('PATCH', `/admin/v1/teams/${made.id}`, { key: OWNER, body: {}, headers: { 'if-match': 'soon' } })).status, 400)
})

test('members that nobody knows are refused with their path, and none can be smuggled in', async () => {
  const { id } = await acme.keys.create({ alias: 'plain' })
  const strange: readonly [body: object, path: string][] = [
    [{ aliass: 'x' }, 'aliass'],
    [{ role: 'admin' }, 'role'],
    [{ id: 'key_chosen' }, 'id'],
    [{ prefix: 'sb-' }, 'prefix'],
    [{ tenant: { organisation: 'globex' } }, 'tenant'],
    [{ createdBy: 'owner' }, 'createdBy'],
    [{ budgets: [{ limit: '1', organisation: 'globex' }] }, 'budgets[0].organisation'],
    [{ budgets: [{ limit: 'much' }] }, 'budgets[0].limit'],
    [{ limits: [{ what: 'wishes', limit: 1 }] }, 'limits[0].what'],
    [{ scopes: { ips: ['10.0.0.0/33'] } }, 'scopes.ips[0]'],
    [{ expiresAt: '2001-01-01' }, 'expiresAt'],
    [{ expiresIn: 5 }, 'expiresIn'],
    [{ metadata: { a: 1 } }, 'metadata.a'],
    [{ models: 'main' }, 'models'],
  ]
  for (const [body, path] of strange) {
    assert.equal(await refusal(acme.keys.create(body as never)), `400 invalid_request ${path}`)
    assert.equal(await refusal(acme.keys.update(id, body as never)), `400 invalid_request ${path}`)
  }
  assert.equal(await refusal(acme.keys.update(id, { organisation: 'globex' } as never)), '400 invalid_request organisation')
  assert.equal(await refusal(acme.keys.list({ lmit: 5 } as never)), '400 invalid_request lmit')
  assert.equal(await refusal(acme.keys.list({ limit: 100_000 })), '400 invalid_request limit')
})

test('what belongs to another organisation is as if it were not there, by whatever way it is named', async () => {
  const team = await globex.teams.create({ name: 'Sales' })
  const project = await globex.projects.create({ name: 'Leads', team: team.id })
  const key = await globex.keys.create({ alias: 'crm', project: project.id })
  assert.deepEqual([key.organisation, key.team, key.project], ['globex', team.id, project.id])
  const budget = await globex.budgets.create({ limit: '5', by: 'team', value: team.id })
  const id = await called(key.key)

  for (const attempt of [
    () => acme.keys.get(key.id),
    () => acme.keys.update(key.id, { alias: 'mine' }),
    () => acme.keys.rotate(key.id),
    () => acme.keys.revoke(key.id),
    () => acme.keys.budgets(key.id),
    () => acme.teams.get(team.id),
    () => acme.projects.remove(project.id),
    () => acme.budgets.status(budget.id),
    () => acme.admins.get(globexAdmin.id),
    () => acme.requests.get(id),
    () => acme.credits.get('globex'),
    () => acme.organisations.get('globex'),
  ])
    assert.equal(await refusal(attempt()), '404 not_found')
  assert.equal(await refusal(acme.keys.create({ organisation: 'globex' })), '400 invalid_request organisation')
  assert.equal(await refusal(acme.keys.create({ team: team.id })), '400 invalid_request team')
  assert.equal(await refusal(acme.keys.create({ project: project.id })), '400 invalid_request project')
  assert.equal(await refusal(acme.budgets.create({ limit: '5', by: 'key', value: key.id })), '400 invalid_request value')
  assert.equal(await refusal(acme.budgets.create({ limit: '5', by: 'organisation', value: 'globex' })), '400 invalid_request value')

  const seen = await Promise.all([
    acme.keys.list({ limit: 1_000, organisation: 'globex' }),
    acme.teams.list({ organisation: 'globex' }),
    acme.audit.list({ organisation: 'globex' }),
    acme.usage.get({ by: 'key', organisation: 'globex' }),
    acme.usage.get({ by: 'key,organisation' }),
    acme.usage.get({ by: 'key', key: key.id }),
    acme.audit.list({ limit: 1_000 }),
    acme.organisations.list(),
  ])
  const text = JSON.stringify(seen)
  for (const word of ['globex', key.id, team.id, project.id, globexAdmin.id]) assert.ok(!text.includes(word), word)
})

test('nobody hands out more than they have', async () => {
  const operator = await acme.admins.create({ role: 'operator', alias: 'oli' })
  assert.equal(operator.organisation, 'acme')
  assert.equal(await refusal(as(operator.key).admins.create({ role: 'viewer' })), '403 forbidden')
  assert.equal(await refusal(as(operator.key).keys.revoke(acmeAdmin.id)), '404 not_found')
  assert.equal(await refusal(owner.admins.create({ role: 'owner' } as never)), '400 invalid_request role')
  assert.equal(await refusal(acme.organisations.create({ name: 'Mine' })), '403 forbidden')
  assert.equal(await refusal(acme.teams.create({ id: 'chosen', name: 'x' })), '403 forbidden id')
  assert.equal((await as(operator.key).me.get()).role, 'operator')
})

test('a team with a project, and an organisation with a team, stay', async () => {
  const { id } = await owner.organisations.create({ name: 'Initech' })
  const team = await owner.teams.create({ name: 'A', organisation: id })
  const other = await owner.teams.create({ name: 'B', organisation: id })
  const project = await owner.projects.create({ name: 'P', team: team.id })
  const key = await owner.keys.create({ project: project.id })
  assert.equal(project.organisation, id)
  assert.equal(await refusal(owner.keys.create({ project: project.id, team: other.id })), '400 invalid_request project')
  assert.equal(await refusal(owner.organisations.remove(id)), '409 conflict')
  assert.equal(await refusal(owner.teams.remove(team.id)), '409 conflict')
  assert.equal(await refusal(owner.projects.remove(project.id)), '409 conflict')
  await owner.keys.revoke(key.id)
  await owner.projects.remove(project.id)
  await owner.teams.remove(team.id)
  await owner.teams.remove(other.id)
  await owner.organisations.remove(id)
  assert.equal(await refusal(owner.organisations.get(id)), '404 not_found')
})

test('a budget tells what is spent of it, and refuses when it is used up', async () => {
  const team = await owner.teams.create({ name: 'Spenders', organisation: 'acme' })
  const budget = await acme.budgets.create({ name: 'team', limit: '0.00005', window: 'day', by: 'team', value: team.id, status: 429 })
  const key = await acme.keys.create({ team: team.id })
  const statuses: number[] = []
  for (let calls = 0; calls < 6; calls++) {
    const answer = await ask(key.key)
    statuses.push(answer.status)
    await answer.text()
  }
  assert.ok(statuses.includes(429) || statuses[0] === 429, statuses.join(' '))
  const status = await acme.budgets.status(budget.id)
  assert.deepEqual([status.limit, status.value, status.held], ['0.00005', team.id, '0'])
  assert.ok(Number(status.spent) <= 0.0001)
  assert.match(status.resets ?? '', /T00:00:00/)
  assert.equal(await refusal(acme.budgets.status(budget.id, { value: 'another' })), '400 invalid_request value')
  await acme.budgets.remove(budget.id)
  const house = (await owner.budgets.list()).data.find(({ name }) => name === 'house')
  assert.equal(house?.source, 'config')
  assert.ok(Number((await owner.budgets.status(house?.id ?? '')).spent) > 0)
})

test('credit is entered once, and a statement adds up', async () => {
  const { id } = await owner.organisations.create({ name: 'Hooli', billing: 'prepaid', markup: 2_000 })
  const key = await owner.keys.create({ organisation: id })
  assert.equal((await ask(key.key)).status, 402)
  const first = await owner.credits.topUp(id, { amount: '5.00', note: 'invoice 7', reference: 'inv-7' })
  const again = await owner.credits.topUp(id, { amount: '5.00', note: 'invoice 7', reference: 'inv-7' })
  assert.equal(again.id, first.id)
  assert.equal((await owner.credits.get(id)).toppedUp, '5')
  await soon(
    async () => (await ask(key.key)).status,
    (status) => status === 200,
  )
  const after = await soon(
    () => owner.credits.get(id),
    ({ held, charged }) => held === '0' && charged !== '0',
  )
  assert.equal(Number(after.balance) + Number(after.charged), 5)
  const moves = (await owner.credits.statement(id)).data
  assert.deepEqual(
    moves.map(({ kind }) => kind),
    ['charge', 'top-up'].sort((one) => (moves[0]?.kind === one ? -1 : 1)),
  )
})

test('usage by any dimension; an organisation sees what it is charged', async () => {
  const key = await globex.keys.create({ alias: '=cmd()', tags: ['nightly'] })
  await called(key.key)
  const query = { by: 'key,model,organisation,alias', key: key.id }
  const { rows: wide } = await soon(
    () => owner.usage.get(query),
    ({ rows }) => rows[0] !== undefined && rows[0].cost !== '0',
  )
  const { rows: own } = await globex.usage.get(query)
  assert.equal(wide.length, 1)
  assert.deepEqual([wide[0]?.key, wide[0]?.model, wide[0]?.organisation, wide[0]?.requests], [key.id, 'echo', 'globex', 1])
  assert.ok(Math.abs(Number(wide[0]?.charge) - 1.5 * Number(wide[0]?.cost)) < 1e-12)
  assert.equal(own[0]?.cost, wide[0]?.charge)
  assert.deepEqual((await as(key.key).usage.get({ by: 'organisation' })).rows.length, 1)
  assert.deepEqual((await owner.usage.get({ ...query, to: '2020-01-01', from: '2019-01-01' })).rows, [])

  const csv = await (await send('GET', `/admin/v1/usage?by=alias&key=${key.id}&format=csv`, { key: OWNER })).text()
  assert.match(csv, /^alias,requests,.*\r\n'=cmd\(\),1,/)
  const lines = await (await send('GET', `/admin/v1/usage/entries?key=${key.id}`, { key: globexAdmin.key })).text()
  const [entry] = lines.trim().split('\n')
  const { cost, charge, key: of } = JSON.parse(entry ?? '') as Record<string, unknown>
  assert.deepEqual([of, cost], [key.id, charge])
  assert.equal(await refusal(owner.usage.get({ by: 'colour' })), '400 invalid_request by')
  assert.equal(await refusal(owner.usage.get({ from: 'monday' })), '400 invalid_request from')
  assert.equal(await refusal(owner.usage.get({ from: '2027-01-02', to: '2027-01-01' })), '400 invalid_request from')
})

test('a decision record tells of one call, to those whose call it is', async () => {
  const key = await acme.keys.create({ alias: 'told', metadata: { owner: 'ann' } })
  const id = await called(key.key)
  const record = await soon(
    () => acme.requests.get(id),
    ({ state }) => state === 'settled',
  )
  assert.deepEqual([record.key, record.model, record.status, record.organisation], [key.id, 'echo', 200, 'acme'])
  assert.ok(Number(record.cost) > 0)
  const { attempts, finish, latency, error } = record.decision ?? {}
  assert.deepEqual([(attempts as unknown[]).length, finish, error], [1, 'stop', undefined])
  assert.ok((latency as { total: number }).total > 0)
  assert.equal((await as(key.key).requests.get(id)).id, id)
  const other = await acme.keys.create({})
  assert.equal(await refusal(as(other.key).requests.get(id)), '404 not_found')
})

test('calls are listed newest first, narrowed by what they were, to those whose calls they are', async () => {
  const began = new Date().toISOString()
  const [one, two] = [
    await acme.keys.create({ user: 'bea', tags: ['listed'] }),
    await globex.keys.create({ user: 'bea', tags: ['listed'] }),
  ]
  const made: string[] = []
  for (const [key, model] of [
    [one.key, 'main'],
    [two.key, 'main'],
    [one.key, 'failing'],
    [two.key, 'main'],
    [one.key, 'main'],
  ] as const) {
    const answer = await ask(key, model)
    await answer.text()
    made.unshift(answer.headers.get('x-signalbox-request-id') ?? '')
  }
  const [fifth, fourth, third, second, first] = made as [string, string, string, string, string]
  type Wish = Parameters<typeof owner.requests.list>[0]
  const listed = async (client: typeof owner, wish: Wish = {}): Promise<string[]> =>
    (await client.requests.list({ from: began, ...wish })).data.map(({ id }) => id)
  await soon(
    () => listed(owner, { state: 'settled' }),
    ({ length }) => length === 5,
  )

  assert.deepEqual(await listed(owner), made)
  assert.deepEqual(await listed(owner, { tag: 'listed', user: 'bea' }), made)
  assert.deepEqual(await listed(owner, { status: '2xx', provider: 'sim' }), [fifth, fourth, second, first])
  assert.deepEqual(await listed(owner, { status: '5xx' }), [third])
  assert.deepEqual(await listed(owner, { organisation: 'globex' }), [fourth, second])
  assert.deepEqual(await listed(owner, { key: one.id, model: 'echo', route: 'main', status: '200' }), [fifth, first])
  assert.deepEqual(await listed(owner, { requestedModel: 'failing' }), [third])
  assert.deepEqual(await listed(owner, { to: began, from: '2020-01-01', tag: 'listed' }), [])
  for (const nothing of [{ status: '4xx' }, { state: 'running' }, { user: 'nobody' }, { minCost: '1000' }] as const)
    assert.deepEqual(await listed(owner, nothing), [], JSON.stringify(nothing))

  // Page by page, with what others do in between.
  const pages: string[] = []
  let after: string | undefined
  do {
    const page = await owner.requests.list({ from: began, tag: 'listed', limit: 2, ...(after !== undefined && { after }) })
    assert.ok(page.data.length <= 2)
    pages.push(...page.data.map(({ id }) => id))
    after = page.next
    await called(one.key)
  } while (after !== undefined)
  assert.deepEqual(pages, made)

  // Whose they are, whatever is asked for: an organisation's own, and a member's own.
  const [ours, theirs] = [
    { tag: 'listed', key: one.id },
    { tag: 'listed', key: two.id },
  ]
  assert.deepEqual(await listed(globex, { tag: 'listed' }), [fourth, second])
  assert.deepEqual(await listed(globex, { organisation: 'acme' }), [])
  assert.deepEqual(await listed(globex, ours), [])
  assert.deepEqual(await listed(as(two.key)), [fourth, second])
  assert.deepEqual(await listed(as(two.key), ours), [])
  assert.deepEqual(await listed(as(two.key), { organisation: 'acme' }), [])
  // Nor does a place in the list of others lead to them.
  const { next } = await owner.requests.list({ from: began, limit: 1 })
  assert.deepEqual(await listed(globex, { tag: 'listed', ...(next !== undefined && { after: next }) }), [fourth, second])

  // An organisation sees what it is charged, and asks for that.
  const [wide] = (await owner.requests.list(theirs)).data
  const [own] = (await globex.requests.list(theirs)).data
  assert.ok(Number(wide?.charge) > Number(wide?.cost))
  assert.deepEqual([own?.cost, own?.charge], [wide?.charge, wide?.charge])
  assert.equal((await listed(globex, { minCost: wide?.charge ?? '' })).length, 2)
  assert.equal((await listed(owner, { ...theirs, minCost: wide?.charge ?? '' })).length, 0)
  assert.equal((await listed(owner, { ...theirs, minCost: wide?.cost ?? '' })).length, 2)
  // The decision is told of one call only.
  assert.ok(wide && !('decision' in wide) && (await owner.requests.get(wide.id)).decision)

  for (const [wrong, path] of [
    [{ status: '4' }, 'status'],
    [{ status: '6xx' }, 'status'],
    [{ minCost: 'much' }, 'minCost'],
    [{ after: 'the-beginning' }, 'after'],
    [{ limit: 0 }, 'limit'],
    [{ limit: 5_000 }, 'limit'],
    [{ from: '2027-01-02', to: '2027-01-01' }, 'from'],
  ] as const)
    assert.equal(await refusal(owner.requests.list(wrong as Wish)), `400 invalid_request ${path}`)
})

test('a key is exchanged for a token that may less, and never more', async () => {
  const key = await acme.keys.create({ models: ['main'] })
  const token = await as(key.key).tokens.exchange({ ttl: '1m', scopes: { endpoints: ['chat'] }, tags: ['browser'] })
  assert.ok(Date.parse(token.expiresAt) - Date.now() < 61_000)
  await called(token.token)
  assert.equal((await ask(token.token, 'other')).status, 403)
  assert.equal((await send('GET', '/v1/models', { key: token.token })).status, 403)
  assert.match(await refusal(as(key.key).tokens.exchange({ models: ['main', 'other'] })), /^403 forbidden/)
  assert.equal(await refusal(as(key.key).tokens.exchange({ ttl: '48h' })), '400 invalid_request ttl')
  await acme.keys.revoke(key.id)
  await soon(
    async () => (await ask(token.token)).status,
    (status) => status === 401,
  )
  assert.equal((await ask(token.token)).status, 401)
})

test('the audit log tells who did what to what, from where, and is whole', async () => {
  const made = await acme.keys.create({ alias: 'audited' })
  await acme.keys.update(made.id, { alias: 'audited twice' })
  await acme.keys.revoke(made.id)
  const entries = (await acme.audit.list({ limit: 1_000 })).data.filter(({ subject }) => subject === `key/${made.id}`)
  assert.deepEqual(
    entries.map(({ action, actor, ip, organisation }) => [action, actor, ip, organisation]),
    ['key.create', 'key.update', 'key.revoke'].map((action) => [action, acmeAdmin.id, '127.0.0.1', 'acme']),
  )
  assert.deepEqual(entries[1]?.detail, { alias: 'audited twice' })
  const page = await owner.audit.list({ limit: 2 })
  assert.equal(page.next, '2')
  assert.equal((await owner.audit.list({ after: 2, limit: 1 })).data[0]?.seq, 3)
  const verdict = await owner.audit.verify()
  assert.ok(verdict.whole && verdict.entries > 10)
})

test('requests that are none are answered in the API’s own shape', async () => {
  const shapeOf = async (answer: Response): Promise<unknown[]> => {
    const { error } = (await answer.json()) as { error: { code: string } }
    return [answer.status, error.code, answer.headers.get('x-signalbox-error')]
  }
  const raw = (method: string, path: string, type: string, body: string) =>
    fetch(`${rig.url}${path}`, { method, headers: { authorization: `Bearer ${OWNER}`, 'content-type': type }, body })
  assert.deepEqual(await shapeOf(await raw('POST', '/admin/v1/keys', 'application/json', '{')), [400, 'invalid_request', 'invalid_request'])
  assert.deepEqual(await shapeOf(await raw('POST', '/admin/v1/keys', 'application/json', '[]')), [
    400,
    'invalid_request',
    'invalid_request',
  ])
  assert.deepEqual(await shapeOf(await raw('POST', '/admin/v1/keys', 'application/json', '')), [400, 'invalid_request', 'invalid_request'])
  assert.deepEqual(await shapeOf(await raw('POST', '/admin/v1/keys', 'text/csv', 'a')), [
    415,
    'unsupported_media_type',
    'unsupported_media_type',
  ])
  const large = JSON.stringify({ alias: 'x'.repeat(2_000_000) })
  assert.deepEqual(await shapeOf(await raw('POST', '/admin/v1/keys', 'application/json', large)), [413, 'too_large', 'too_large'])
  const wrong = await send('PUT', '/admin/v1/keys', { key: OWNER })
  assert.equal(wrong.headers.get('allow'), 'GET, POST')
  assert.deepEqual(await shapeOf(wrong), [405, 'method_not_allowed', 'method_not_allowed'])
  assert.deepEqual(await shapeOf(await send('GET', '/admin/v1/keys/a/b/c', { key: OWNER })), [404, 'not_found', 'not_found'])
  assert.deepEqual(await shapeOf(await send('GET', '/admin/v1/keys/%00', { key: OWNER })), [404, 'not_found', 'not_found'])
  // A key in the query is no key, and is not repeated.
  const inQuery = await send('GET', `/admin/v1/keys?access_token=${OWNER}`)
  assert.equal(inQuery.status, 401)
  assert.ok(!(await inQuery.text()).includes(OWNER))
  const listed = await send('GET', '/admin/v1/keys', { key: OWNER })
  assert.equal(listed.headers.get('cache-control'), 'no-store')
  await listed.text()
})

test('nothing that was shown once is in what the gateway prints', () => {
  assert.doesNotMatch(rig.output(), /sb[a-z]?-\w{20}/)
})
