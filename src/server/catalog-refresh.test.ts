/** Refreshing the catalogue while the gateway serves: by timer, and into force as a reload puts it. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { compactCatalog } from '../catalog/compact.ts'
import { factsOf } from '../catalog/facts.ts'
import { type CatalogFile, readCatalogFile, writeCatalogFile } from '../catalog/file.ts'
import { serveSimulator } from '../testing/serve-simulator.ts'
import { scheduledCatalog } from './scheduled-catalog.ts'
import { startFrom } from './serve-from.ts'

const directory = mkdtempSync(join(tmpdir(), 'signalbox-refresh-'))
const simulator = await serveSimulator()
after(async () => {
  await simulator.close()
  rmSync(directory, { recursive: true, force: true })
})

/** One provider with one model, at so many dollars per million tokens. */
const factsAt = (input: number) => ({
  lab: {
    name: 'Lab',
    env: ['LAB_API_KEY'],
    npm: '@ai-sdk/openai-compatible',
    api: 'https://api.lab.example/v1',
    models: {
      echo: {
        name: 'Echo',
        modalities: { input: ['text'], output: ['text'] },
        limit: { context: 32_000, output: 8_000 },
        cost: { input, output: input },
      },
    },
  },
})
const fileAt = (input: number, fetched = new Date().toISOString()): CatalogFile => ({ ...compactCatalog(factsOf(factsAt(input))), fetched })

async function until(done: () => boolean): Promise<void> {
  for (let waited = 0; !done() && waited < 5_000; waited += 5) await sleep(5)
  assert.ok(done())
}

let files = 0
/** A schedule whose source says what it is told, and what happened. */
function rig(restMs = 0) {
  const path = join(directory, `${files++}.json`)
  const rigged = { path, asked: 0, reloads: 0, told: [] as string[], next: async (): Promise<CatalogFile> => fileAt(1) }
  const schedule = scheduledCatalog({
    path,
    restMs,
    tell: (text) => rigged.told.push(text),
    reload: async () => rigged.reloads++,
    fetch: async () => {
      rigged.asked++
      return await rigged.next()
    },
  })
  return Object.assign(rigged, { schedule })
}

test('what was never refreshed is, at once and then every so often; what says the same is no reload', async () => {
  const rigged = rig()
  rigged.schedule.configure({ refreshMs: 20, url: undefined })
  await until(() => rigged.asked >= 3)
  assert.equal(rigged.reloads, 1)
  rigged.next = async () => fileAt(2)
  await until(() => rigged.reloads === 2)
  rigged.schedule.stop()
  const { asked } = rigged
  await sleep(60)
  assert.ok(rigged.asked <= asked + 1)
  assert.deepEqual(rigged.told, [])
})

test('a download that fails changes nothing, is told, and is tried again sooner', async () => {
  const rigged = rig()
  writeCatalogFile(rigged.path, fileAt(1, '2026-01-01T00:00:00Z'))
  const before = readFileSync(rigged.path, 'utf8')
  rigged.next = async () => {
    throw new Error('https://models.example answered with status 503')
  }
  rigged.schedule.configure({ refreshMs: 300, url: undefined })
  await until(() => rigged.asked >= 2)
  assert.equal(readFileSync(rigged.path, 'utf8'), before)
  assert.equal(rigged.reloads, 0)
  assert.match(rigged.told[0] ?? '', /not refreshed, what was known stays: .* status 503\n$/)
  rigged.next = async () => fileAt(2)
  await until(() => rigged.reloads === 1)
  rigged.schedule.stop()
})

test('a file that is new enough waits for its time; without the section nothing is asked', async () => {
  const rigged = rig()
  writeCatalogFile(rigged.path, fileAt(1))
  rigged.schedule.configure({ refreshMs: 3_600_000, url: undefined })
  await sleep(50)
  rigged.schedule.configure(undefined)
  await sleep(50)
  assert.equal(rigged.asked, 0)
  rigged.schedule.stop()
})

test('switched off while it is on its way, it writes nothing', async () => {
  const rigged = rig()
  let arrive = (): void => {}
  rigged.next = () =>
    new Promise((resolve) => {
      arrive = () => resolve(fileAt(1))
    })
  rigged.schedule.configure({ refreshMs: 10, url: undefined })
  await until(() => rigged.asked === 1)
  rigged.schedule.stop()
  arrive()
  await sleep(20)
  assert.ok(!existsSync(rigged.path))
})

test('facts come from the URL of the configuration', async () => {
  const server = createServer((_request, response) => response.end(JSON.stringify(factsAt(3))))
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const path = join(directory, 'from-url.json')
  let reloads = 0
  const schedule = scheduledCatalog({ path, restMs: 0, tell: (text) => assert.fail(text), reload: async () => reloads++ })
  schedule.configure({ refreshMs: 1_000, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api.json` })
  await until(() => reloads === 1)
  schedule.stop()
  server.close().closeAllConnections()
  assert.deepEqual(readCatalogFile(path).models, fileAt(3).models)
})

test('a price that changed is in force with the next reload, and a file that is none keeps the old one', async () => {
  const config = join(directory, 'signalbox.json')
  const file = join(directory, 'signalbox-catalog.json')
  const providers = { lab: { baseUrl: `${simulator.url}/v1` } }
  writeFileSync(config, JSON.stringify({ server: { port: 0 }, store: { url: 'memory:' }, providers }))
  writeCatalogFile(file, fileAt(1))
  const started = await startFrom(config, { config }, () => undefined)
  assert.ok('serving' in started, JSON.stringify(started))
  const { serving } = started
  const cost = async (): Promise<number> => {
    const answer = await fetch(`${serving.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'lab/echo', messages: [{ role: 'user', content: 'Hi' }] }),
    })
    assert.equal(answer.status, 200)
    return Number(answer.headers.get('x-signalbox-cost'))
  }
  const first = await cost()
  assert.ok(first > 0)

  writeCatalogFile(file, fileAt(20))
  assert.equal(await cost(), first)
  const done = await serving.reload({ quietly: true })
  assert.deepEqual(done?.done && done.changed, ['the catalogue'])
  assert.equal(Math.round((await cost()) / first), 20)
  const again = await serving.reload({ quietly: true })
  assert.deepEqual(again?.done && again.changed, [])

  writeFileSync(file, '{"format":')
  const refused = await serving.reload({ quietly: true })
  assert.ok(refused && !refused.done)
  assert.match(refused.problems[0]?.message ?? '', /is not a catalogue/)
  assert.equal(Math.round((await cost()) / first), 20)
  await serving.stop()
})
