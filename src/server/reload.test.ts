import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from '../config/parse.ts'
import { createReloader, type ReloadResult, type Reread, reloadText } from './reload.ts'

const reread = (value: object): Reread => ({ file: '/etc/signalbox.yaml', ...parseConfig(value) })
const started = {
  server: { port: 1 },
  providers: { sim: { preset: 'simulator' } },
  models: { fast: { targets: [{ provider: 'sim', model: 'echo' }] } },
}

function rig(first: object = started) {
  const { config } = reread(first)
  assert.ok(config)
  const state = { value: first, reads: 0, fail: undefined as Error | undefined, gate: undefined as Promise<void> | undefined }
  const applied: string[] = []
  const told: ReloadResult[] = []
  const reloader = createReloader({
    config,
    async read() {
      state.reads++
      const { value } = state
      await state.gate
      return reread(value)
    },
    async apply(next, { added, changed, removed }) {
      if (state.fail) throw state.fail
      applied.push([next.server.port, ...added, ...changed, ...removed].join(' '))
    },
    tell: (result) => told.push(result),
  })
  return { state, applied, told, ...reloader }
}

test('a reload tells what was added, changed and removed, by path', async () => {
  const { state, applied, reload } = rig()
  state.value = {
    ...started,
    server: { port: 1, drain: '3s' },
    providers: { sim: { preset: 'simulator', region: 'eu' }, two: { preset: 'simulator' } },
    models: { slow: { targets: [{ provider: 'two', model: 'echo' }] } },
  }
  const result = await reload()
  assert.ok(result.done)
  assert.deepEqual(result.added, ['providers.two', 'models.slow'])
  assert.deepEqual(result.changed, ['server.drainMs', 'providers.sim'])
  assert.deepEqual(result.removed, ['models.fast'])
  assert.equal(applied.length, 1)
})

test('host, port and store are kept, and named', async () => {
  const { state, applied, reload } = rig()
  state.value = { ...started, server: { port: 2, host: '127.0.0.2' }, store: { url: 'memory:' } }
  const result = await reload()
  assert.ok(result.done)
  assert.deepEqual(result.needsRestart, ['server.host', 'server.port', 'store.url'])
  assert.deepEqual(applied, ['1'])
  assert.match(reloadText(result, 'f.yaml'), /kept until a restart: server\.host, server\.port, store\.url/)
})

test('a configuration with a fault changes nothing; the next good one does', async () => {
  const { state, applied, told, reload } = rig()
  state.value = { ...started, modles: {} }
  const refused = await reload()
  assert.ok(!refused.done)
  assert.match(
    reloadText(refused, 'f.yaml'),
    /^not reloaded: f\.yaml has a problem.*stays in force\n {2}f\.yaml {2}modles: .* → did you mean `models`\?\n$/,
  )
  assert.deepEqual(applied, [])
  state.value = { ...started, telemetry: { log: 'calls' } }
  assert.ok((await reload()).done)
  assert.deepEqual(applied, ['1 telemetry'])
  assert.equal(told.length, 2)
})

test('what cannot be put into force is refused, and is not taken for the one in force', async () => {
  const { state, applied, reload } = rig()
  state.value = { ...started, telemetry: { log: 'off' } }
  state.fail = new Error('the key cannot be read')
  const refused = await reload()
  assert.ok(!refused.done && refused.problems[0]?.message === 'the key cannot be read')
  state.fail = undefined
  const result = await reload()
  assert.ok(result.done)
  assert.deepEqual(result.changed, ['telemetry'])
  assert.equal(applied.length, 1)
})

test('reloads that are asked for meanwhile share one that comes after', async () => {
  const { state, reload } = rig()
  let open = (): void => {}
  state.gate = new Promise((resolve) => {
    open = resolve
  })
  const first = reload()
  const others = [reload(), reload({ quietly: true }), reload()]
  state.value = { ...started, telemetry: { log: 'off' } }
  open()
  const [before, ...after] = await Promise.all([first, ...others])
  assert.equal(state.reads, 2)
  assert.ok(before?.done && before.changed.length === 0)
  for (const result of after) assert.ok(result.done && result.changed[0] === 'telemetry')
})

test('a watch leaves a configuration alone that says the same, and tells a fault once', async () => {
  const { state, applied, told, reload } = rig()
  await reload({ quietly: true })
  assert.deepEqual([applied.length, told.length], [0, 0])
  // Who asks gets it put into force all the same: credentials may have changed.
  await reload()
  assert.deepEqual([applied.length, told.length], [1, 1])
  state.value = { modles: {} }
  await reload({ quietly: true })
  await reload({ quietly: true })
  assert.equal(told.length, 2)
})
