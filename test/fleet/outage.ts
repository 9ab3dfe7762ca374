/**
 * PostgreSQL is away while calls go on: what the fleet answers meanwhile, and what the ledger says afterwards. Long forms by
 * `npm run nemesis -- --outage=60` (seconds).
 */

import { makeCredential } from '../../src/policy/access/credential-form.ts'
import { nodeCrypto } from '../../src/policy/access/node-crypto.ts'
import { createKey } from '../nemesis/admin.ts'
import { PRICE } from '../nemesis/judge.ts'
import type { PostgresService } from '../services/postgres.ts'
import { type Answer, eventually, kindsOf, sleep, spreadOf } from './caller.ts'
import { admin, dollars, type Fleet, ledgerOf, statusOf } from './fleet.ts'

/** How it is taken away and given back. */
export const outages = {
  frozen: {
    begin: async (postgres: PostgresService) => postgres.freeze(),
    end: async (postgres: PostgresService) => postgres.thaw(),
  },
  killed: {
    begin: (postgres: PostgresService) => postgres.kill(),
    end: (postgres: PostgresService) => postgres.restart(),
  },
} as const

export interface OutageReport {
  readonly calls: number
  readonly known: Readonly<Record<string, number>>
  readonly unknown: Readonly<Record<string, number>>
  readonly ready: Readonly<Record<string, number>>
  readonly writes: Readonly<Record<string, number>>
  /** Milliseconds of the known keys' calls during the outage. */
  readonly during: { readonly p50: number; readonly max: number }
  /** Milliseconds from the database's return to an answer that needs it. */
  readonly backAfter: number
  readonly faults: readonly string[]
}

const count = (counts: Record<string, number>, what: string): void => {
  counts[what] = (counts[what] ?? 0) + 1
}

/** A key as this gateway makes them, which nobody has. */
const strangersKey = (): string => makeCredential('key', nodeCrypto).credential

export async function outage(fleet: Fleet, how: keyof typeof outages, ms: number, everyMs = 15): Promise<OutageReport> {
  const { postgres, caller, urls, gateways, provider } = fleet
  if (!postgres) throw new Error('no database to take away')
  const [first = ''] = urls
  const from = Date.now() - 1_000
  const faults: string[] = []
  const keys = await Promise.all([
    createKey(first, { alias: 'plain' }),
    createKey(first, {
      alias: 'with rules',
      limits: [{ what: 'requests', limit: 1_000_000 }],
      budgets: [{ limit: dollars(1_000_000), window: 'total' }],
    }),
  ])
  let turn = 0
  const load = caller.load({ urls, everyMs, key: () => keys[turn++ % keys.length]?.key ?? '' })
  await sleep(2_500)
  // Made a moment before, and not used yet: nothing can have been spent.
  const fresh = await createKey(first, {
    alias: 'new',
    budgets: [
      { limit: dollars(1_000), window: 'total' },
      { limit: dollars(1_000), window: 'day' },
    ],
  })
  await sleep(500)

  await outages[how].begin(postgres)
  const began = Date.now()
  const unknown: Record<string, number> = {}
  const ready: Record<string, number> = {}
  const writes: Record<string, number> = {}
  while (Date.now() - began < ms) {
    await Promise.all(
      urls.map(async (url) => {
        const [answer, status, write] = await Promise.all([
          caller.call(url, strangersKey()),
          statusOf(`${url}/readyz`),
          admin(url, 'POST', '/keys', { alias: 'in vain' }),
        ])
        count(unknown, `${answer.status} ${answer.code}`)
        count(ready, String(status))
        count(writes, String(write.status))
      }),
    )
    await sleep(150)
    if (keys.length === 2 && Date.now() - began > ms / 2) keys.push(fresh)
  }
  await outages[how].end(postgres)
  const ended = Date.now()
  const made = await createKey(urls.at(-1) ?? '', { alias: 'after' })
  const backAfter = Date.now() - ended
  await eventually(
    () => caller.call(first, strangersKey()),
    ({ status }) => status === 401,
  )
  await eventually(
    () => caller.call(first, made.key),
    ({ status }) => status === 200,
  )
  await sleep(500)
  const answers = await load.stop()

  const failed = answers.filter(({ status }) => status !== 200)
  for (const { name, status, text, at } of failed.slice(0, 20))
    faults.push(`${name} with a known key: ${status} ${text} (${at - began} ms after the database went)`)
  for (const [what] of Object.entries(unknown)) if (what !== '503 store_unavailable') faults.push(`an unknown key was answered ${what}`)
  if (Object.keys(ready).join() !== '200') faults.push(`/readyz said ${JSON.stringify(ready)} while calls were served`)
  for (const status of Object.keys(writes)) if (status !== '503') faults.push(`the admin API said ${status} without its database`)
  if (gateways.some(({ alive }) => !alive)) faults.push('a gateway has ended')
  faults.push(...(await missing(first, from, answers, provider.received)))
  const during = spreadOf(answers.filter(({ at }) => at >= began && at <= ended).map((answer) => answer.ms))
  return { calls: answers.length, known: kindsOf(answers), unknown, ready, writes, during, backAfter, faults }
}

/** What the ledger does not tell as it was. */
export async function missing(
  url: string,
  from: number,
  answers: readonly Answer[],
  received: ReadonlyMap<string, number>,
): Promise<string[]> {
  const served = answers.filter(({ status }) => status === 200).map(({ name }) => name)
  const faults: string[] = []
  const lines = await ledgerOf(url, from, served)
  for (const name of served) {
    const entries = lines.get(name) ?? []
    const charge = Math.round(Number(entries[0]?.charge ?? -1) * 1e9)
    if (entries.length !== 1) faults.push(`${name} stands ${entries.length} times in the ledger`)
    else if (charge !== PRICE) faults.push(`${name} is charged ${entries[0]?.charge}`)
    if (received.get(name) !== 1) faults.push(`${name} reached the provider ${received.get(name) ?? 0} times`)
  }
  return faults
}
