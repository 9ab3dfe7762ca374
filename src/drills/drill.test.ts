import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { createCatalog } from '../catalog/catalog.ts'
import { type Config, type DrillsConfig, drillFaultNames } from '../config/config.ts'
import { parseConfig } from '../config/parse.ts'
import type { Transport, UpstreamRequest } from '../core/http.ts'
import { createSimulator } from '../testing/simulator/simulator.ts'
import { simulatorTransport } from '../testing/simulator/transport.ts'
import { type DrillOptions, runDrill } from './drill.ts'
import { postReport } from './notify.ts'
import { type DrillCase, reportText } from './report.ts'
import { drillSchedule } from './schedule.ts'

const catalog = createCatalog()
const WAIT_MS = 150

function configOf(models: object, more: object = {}): Config {
  const provider = (baseUrl: string) => ({ preset: 'openai-compatible', baseUrl, keys: ['env:DRILL_KEY'] })
  const providers = { a: provider('http://a.invalid/v1'), b: { ...provider('http://b.invalid/v1'), preset: 'anthropic-compatible' } }
  const { config, problems } = parseConfig({ providers, models, ...more }, { env: { DRILL_KEY: 'secret-of-the-drill' } })
  assert.deepEqual(problems, [])
  return config as Config
}
const target = (provider: string) => ({ provider, model: 'm' })
const two = { main: { targets: [target('a'), target('b')] } }

function watched(): { readonly transport: Transport; readonly sent: UpstreamRequest[] } {
  const inner = simulatorTransport(createSimulator({ maxCalls: 0 }))
  const sent: UpstreamRequest[] = []
  return {
    sent,
    transport: {
      send(request, cancellation) {
        sent.push(request)
        return inner.send(request, cancellation)
      },
      close: () => inner.close(),
    },
  }
}

const drill = (config: Config, more: Partial<DrillOptions> = {}) =>
  runDrill({ config, catalog, waitMs: WAIT_MS, simulator: () => simulatorTransport(createSimulator({ maxCalls: 0 })), ...more })

test('a route with two good targets holds under every fault, plain and streamed', async () => {
  const report = await drill(configOf(two))
  assert.equal(report.held, true, reportText(report))
  assert.equal(report.mode, 'shadow')
  const [route] = report.routes
  assert.deepEqual(route?.targets, ['a/m', 'b/m'])
  for (const fault of drillFaultNames)
    for (const streamed of [false, true]) {
      const first: DrillCase | undefined = route?.cases.find((one) => one.fault === fault && one.streamed === streamed && one.broken === 1)
      assert.ok(first, `${fault} was not drilled`)
      // What was cut off mid-stream is told, not hidden; everything else is answered by the other one.
      if (first.expected === 'either') assert.equal(first.got, 'error')
      else assert.deepEqual([first.got, first.path], ['answer', ['a/m', 'b/m']])
    }
  const all = route?.cases.filter(({ broken }) => broken === 2) ?? []
  assert.ok(all.length > 0)
  for (const one of all) assert.equal(one.got, 'error')
})

test('a path that does not hold is told, with the case', async () => {
  const misfit = { main: { targets: [target('a'), { ...target('b'), body: { max_tokens: 'many' } }] } }
  const report = await drill(configOf(misfit), { faults: ['error', 'refused'] })
  assert.equal(report.held, false)
  assert.ok(report.failed > 0)
  assert.match(reportText(report), /NOT every failover path held/)
  assert.match(reportText(report), /FAILED {2}main/)
  assert.match(reportText(report), /first target broken: expected an answer, got an error; asked a\/m → b\/m/)
})

test('a stream that another target carries on counts as held only when it does', async () => {
  const report = await drill(configOf({ main: { onBreak: 'continue', ...two.main } }), { faults: ['truncate'] })
  const mid = report.routes[0]?.cases.find(({ fault, streamed }) => fault === 'truncate' && streamed)
  assert.deepEqual([mid?.expected, mid?.got, mid?.held], ['answer', 'answer', true])
})

test('shadow drills send nothing to providers and need no credentials', async () => {
  const { transport, sent } = watched()
  const report = await drill(configOf(two), { faults: ['error'], simulator: () => transport })
  assert.equal(report.held, true)
  assert.ok(sent.length > 0)
  assert.ok(!JSON.stringify(sent).includes('secret-of-the-drill'))
})

test('live drills call healthy targets only, and mark what they send', async () => {
  const { transport, sent } = watched()
  const live = { transport, secrets: { env: { DRILL_KEY: 'secret-of-the-drill' } } }
  const report = await drill(configOf(two), { faults: ['error', 'refused', 'slow'], live })
  assert.equal(report.held, true, reportText(report))
  assert.equal(report.mode, 'live')
  for (const { headers } of sent) assert.equal(headers['x-signalbox-drill'], report.id)
  // With nothing broken the first target answers, plain and streamed; a broken one is never reached.
  assert.equal(sent.filter(({ url }) => url.startsWith('http://a.invalid')).length, 2)
  assert.ok(sent.some(({ url }) => url.startsWith('http://b.invalid')))
})

test('waits that would use up the call’s time are noted', async () => {
  const timeouts = { firstToken: '10s', answer: '10s', total: '10s' }
  const report = await drill(configOf({ main: { ...two.main, timeouts } }), { faults: ['error'] })
  assert.match(reportText(report), /silent targets leave time for 1 of 2/)
})

const received: { readonly headers: IncomingMessage['headers']; readonly body: string }[] = []
let failures = 0
const hook = createServer((request, response) => {
  let body = ''
  request.on('data', (chunk: Buffer) => {
    body += chunk.toString()
  })
  request.on('end', () => {
    received.push({ headers: request.headers, body })
    response.writeHead(failures-- > 0 ? 503 : 204).end()
  })
})
await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve))
after(() => {
  hook.close()
  hook.closeAllConnections()
})
const hookUrl = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`

test('a report is posted with a signature over its time and body, and again when the receiver failed', async () => {
  const report = await drill(configOf(two), { faults: ['error'] })
  failures = 1
  received.length = 0
  assert.equal(await postReport({ url: hookUrl, secret: 'shared' }, report, 1), undefined)
  assert.equal(received.length, 2)
  const { headers, body } = received[1] ?? { headers: {}, body: '' }
  const signed = createHmac('sha256', 'shared').update(`${headers['x-signalbox-timestamp']}.${body}`).digest('hex')
  assert.equal(headers['x-signalbox-signature'], `sha256=${signed}`)
  assert.equal((JSON.parse(body) as { id: string }).id, report.id)
})

test('a schedule drills again and again, tells each time, and posts as configured', async () => {
  const report = await drill(configOf(two), { faults: ['error'] })
  const told: string[] = []
  let runs = 0
  received.length = 0
  const schedule = drillSchedule({
    run: async () => ({ ...report, held: ++runs > 1 }),
    tell: (text) => told.push(text),
    secrets: () => ({ env: { HOOK: 'shared' } }),
  })
  const webhook = { url: hookUrl, secret: 'env:HOOK', when: 'failed' } as const
  const drills: DrillsConfig = { everyMs: 30, routes: undefined, faults: undefined, live: false, waitMs: undefined, webhook }
  schedule.configure(drills)
  schedule.configure({ ...drills })
  const keep = setInterval(() => {}, 1_000)
  for (let wait = 0; wait < 200 && runs < 3; wait++) await new Promise((resolve) => setTimeout(resolve, 10))
  schedule.stop()
  clearInterval(keep)
  assert.ok(runs >= 3)
  assert.match(told.join(''), /drill drill_\w+ \(shadow\): /)
  assert.equal(received.length, 1)
  const after = runs
  await new Promise((resolve) => setTimeout(resolve, 80))
  assert.equal(runs, after)
})

test('a schedule without its secret posts nothing rather than something unsigned', async () => {
  const report = await drill(configOf(two), { faults: ['error'] })
  const told: string[] = []
  received.length = 0
  const schedule = drillSchedule({ run: async () => report, tell: (text) => told.push(text), secrets: () => ({ env: {} }) })
  const webhook = { url: hookUrl, secret: 'env:HOOK', when: 'always' } as const
  schedule.configure({ everyMs: 10, routes: undefined, faults: undefined, live: false, waitMs: undefined, webhook })
  for (let wait = 0; wait < 100 && !told.some((text) => text.includes('HOOK')); wait++)
    await new Promise((resolve) => setTimeout(resolve, 10))
  schedule.stop()
  assert.match(told.join(''), /drills\.webhook\.secret: the environment variable HOOK is not set/)
  assert.equal(received.length, 0)
})
