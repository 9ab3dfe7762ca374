/** What one call asks of Redis: a reservation, and a settlement that nobody waits for. Counted by Redis itself. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { createKey } from '../nemesis/admin.ts'
import { kindsOf } from './caller.ts'
import { dollars, type Fleet, ledgerOf, withFleet } from './fleet.ts'

/** Every command that clients send from now on, as `MONITOR` tells them; what scripts do inside Redis is not among them. */
async function monitor(port: number): Promise<{ readonly lines: readonly string[]; stop(): void }> {
  const lines: string[] = []
  const socket = connect(port, '127.0.0.1')
  await new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once('data', resolve)
    socket.write('MONITOR\r\n')
  })
  let rest = ''
  socket.setEncoding('utf8').on('data', (piece: string) => {
    const parts = (rest + piece).split('\r\n')
    rest = parts.pop() ?? ''
    lines.push(...parts.filter((line) => !/\[\d+ lua\]/.test(line)))
  })
  return { lines, stop: () => void socket.destroy() }
}

/**
 * By script, where a call's name for itself says which one it is: the id of the call is an argument of both. What settles calls from before is
 * left out.
 */
function commandsOf(lines: readonly string[]): { readonly reserves: number; readonly settles: number; readonly others: readonly string[] } {
  let reserves = 0
  let settles = 0
  const others: string[] = []
  const reserved = new Set<string>()
  for (const line of lines) {
    const words = [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word = '']) => word)
    const [command = '', , keys = '0', ...args] = words
    const script = /^evalsha$/i.test(command)
    const calls = script ? args.filter((arg) => arg.startsWith('{sb}c:')) : []
    if (script && Number(keys) === RULES) {
      reserves++
      for (const call of calls) reserved.add(call)
    } else if (script && Number(keys) === 0 && calls.length > 0) {
      if (calls.some((call) => reserved.has(call))) settles++
    } else others.push(words.slice(0, 3).join(' '))
  }
  return { reserves, settles, others }
}

const RULES = 5
const rules = {
  limits: [
    { what: 'requests', limit: 1_000_000 },
    { what: 'tokens', limit: 1_000_000_000 },
    { what: 'concurrent', limit: 10_000 },
  ],
  budgets: [
    { limit: dollars(1_000_000), window: 'day', name: 'day' },
    { limit: dollars(1_000_000), window: 'total', name: 'total' },
  ],
}

/** Counters and the key are known to both replicas. */
async function warmUp({ urls, caller }: Fleet, key: string): Promise<void> {
  for (let count = 0; count < 6; count++) assert.equal((await caller.call(urls[count % urls.length] ?? '', key)).status, 200)
}

for (const [how, atOnce] of [
  ['one after the other', 1],
  ['many at a time', 25],
] as const)
  test(`a call with 3 limits and 2 budgets is one round trip to Redis, and one to settle: ${how}`, { timeout: 90_000 }, async (t) => {
    const fleet = await withFleet(t)
    if (!fleet) return
    const { urls, caller, redis } = fleet
    const from = Date.now() - 1_000
    const { key } = await createKey(urls[0] ?? '', { alias: 'five rules', ...rules })
    await warmUp(fleet, key)
    const { lines, stop } = await monitor(redis?.port ?? 0)
    const calls = 200
    const answers = []
    for (let done = 0; done < calls; done += atOnce) {
      answers.push(
        ...(await Promise.all(Array.from({ length: atOnce }, (_, at) => caller.call(urls[(done + at) % urls.length] ?? '', key)))),
      )
    }
    assert.deepEqual(kindsOf(answers), { 200: calls })
    await ledgerOf(
      urls[0] ?? '',
      from,
      answers.map(({ name }) => name),
    )
    stop()
    const { reserves, settles, others } = commandsOf(lines)
    t.diagnostic(
      `${calls} calls: ${reserves} reservations, ${settles} settlements, ${others.length} others (${[...new Set(others)].join(', ')})`,
    )
    assert.equal(reserves, calls)
    // Those that end together are told together.
    if (atOnce === 1) assert.equal(settles, calls)
    else assert.ok(settles > 0 && settles <= calls, `${settles}`)
    // What replicas tell each other now and then goes by time, not by calls.
    assert.ok(others.length < calls / 2, others.slice(0, 5).join('\n'))
  })
