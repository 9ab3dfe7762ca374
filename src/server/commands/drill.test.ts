import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { drillCommand } from './drill.ts'

const directory = mkdtempSync(join(tmpdir(), 'signalbox-drill-'))
after(() => rmSync(directory, { recursive: true, force: true }))
const config = join(directory, 'signalbox.yaml')
writeFileSync(
  config,
  `providers: { sim: { preset: simulator } }
models:
  good: { targets: [{ provider: sim, model: echo }, { provider: sim, model: think }] }
  bad: { targets: [{ provider: sim, model: echo }, { provider: sim, model: fail-500 }] }
`,
)

async function run(positionals: readonly string[], options: Record<string, string | boolean> = {}): Promise<{ code: number; out: string }> {
  let out = ''
  const code = await drillCommand({
    positionals,
    options: { config, wait: '150ms', ...options },
    write: (text) => {
      out += text
    },
  })
  return { code, out }
}

test('`drill` ends with 0 when every path held', async () => {
  const { code, out } = await run(['good'], { fault: 'error,bad-json' })
  assert.equal(code, 0)
  assert.match(out, /^Every failover path held \(10 cases, shadow requests, no provider was called, /)
})

test('and with 1 when one did not: the second target is broken itself', async () => {
  const { code, out } = await run([], { fault: 'refused', json: true })
  assert.equal(code, 1)
  const { routes } = JSON.parse(out) as { routes: { route: string; held: boolean }[] }
  assert.deepEqual(
    routes.map(({ route, held }) => [route, held]),
    [
      ['good', true],
      ['bad', false],
    ],
  )
})

test('what there is not is a bad question, with the nearest name', async () => {
  assert.deepEqual(await run(['goood']), { code: 2, out: 'drill: there is no route goood: did you mean `good`?\n' })
  assert.match((await run([], { fault: 'fire' })).out, /there is no fault fire: there are error, /)
  assert.match((await run([], { wait: 'long' })).out, /--wait long is not a duration/)
})
