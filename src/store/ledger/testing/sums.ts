/** Sums of days against the sums of all entries, while entries come late, are settled late, and days are summed, all at once. */
import assert from 'node:assert/strict'
import type { UsageDimension } from '../../../core/ledger.ts'
import type { Database } from '../../sql/database.ts'
import { sql } from '../../sql/sql.ts'
import { openingRecord, settlementRecord } from '../codec.ts'
import { DAY_MS, sumDays } from '../days.ts'
import { createMemoryLedger } from '../memory-ledger.ts'
import { spentFrom, usageFrom } from '../queries.ts'
import type { Known } from '../rows.ts'
import { createLedgerWriter } from '../writer.ts'
import { noon, openingFor, settlementFor } from './ledger-contract.ts'

interface Chance {
  next(): number
  below(end: number): number
  pick<T>(items: readonly T[]): T
  one(probability: number): boolean
}

const HOUR = 3_600_000
const queries: readonly (readonly UsageDimension[])[] = [[], ['key', 'model'], ['day'], ['hour', 'user'], ['tag'], ['day', 'tag', 'status']]

/** Returns how many days had sums when they were asked. */
export async function assertSumsHold(database: Database, chance: Chance): Promise<number> {
  const truth = createMemoryLedger()
  const start = noon - (noon % DAY_MS)
  const now = start + 6 * DAY_MS + HOUR * 5
  const writer = createLedgerWriter(database, () => now)
  const running: string[] = []
  let number = 0
  let seen = 0

  for (let round = 0; round < 25; round++) {
    const batch: Known[] = []
    for (let count = chance.below(40); count > 0; count--) {
      const opening = openingFor(`id_${number++}`, {
        at: start + chance.below(6.2 * DAY_MS),
        key: chance.pick(['a', 'b']),
        ...(chance.one(0.5) && { user: chance.pick(['ada', 'bob']) }),
        ...(chance.one(0.5) && { tags: chance.pick([['x'], ['x', 'y'], ['z']]) }),
        requestedModel: chance.pick(['fast', 'smart']),
      })
      truth.open(opening)
      running.push(opening.id)
      batch.push({ id: opening.id, opening, openingText: openingRecord(opening).text })
    }
    const ended: Known[] = []
    while (running.length > (round > 15 ? 0 : 20)) {
      const [id] = running.splice(chance.below(running.length), 1)
      const { at } = (await truth.find(id!))!
      const cost = BigInt(chance.below(1_000))
      const settlement = settlementFor(id!, {
        ...{ endedAt: at + 500, model: chance.pick(['m1', 'm2']), status: chance.pick([200, 502]), estimated: chance.one(0.2) },
        ...(chance.one(0.9) && { cost, charge: cost * 2n }),
        usage: { input: chance.below(100), output: chance.below(100) },
      })
      truth.settle(settlement)
      ended.push({ id: id!, settlement, settlementText: settlementRecord(settlement).text })
    }
    // Two processes sum while a third writes.
    await Promise.all([
      writer.write(batch, 'd.run').then(() => writer.write(ended, 'd.run')),
      sumDays(database, now, 2),
      sumDays(database, now, 4),
    ])
    if (chance.one(0.5)) await sumDays(database, now, 10)

    const [days] = await database.query(sql<{ count: number }>`select count(*) as count from ledger_days where summed = 1`)
    seen += days?.count ?? 0
    const spans = [
      [start, now],
      [start + chance.below(3 * DAY_MS), start + 3 * DAY_MS + chance.below(3 * DAY_MS)],
    ] as const
    for (const [from, to] of spans) {
      const where = chance.pick([{}, { user: 'ada' }, { tag: 'x' }, { status: '200' }, { day: '2026-03-16' }])
      for (const by of queries)
        assert.deepEqual(await usageFrom(database, { by, from, to, where }), await truth.usage({ by, from, to, where }))
      const selector = { where, ...(chance.one(0.5) && { requestedModels: ['fast'] }) }
      assert.equal(await spentFrom(database, selector, from, to), await truth.spent(selector, from, to))
    }
  }
  return seen
}
