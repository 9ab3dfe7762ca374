/** Repeats and orders of what is told of entries: none of them may make a difference. */
import assert from 'node:assert/strict'
import type { LedgerEntry, Settlement } from '../../../core/ledger.ts'
import type { Database } from '../../sql/database.ts'
import { lostSettlement, openingRecord, settlementRecord } from '../codec.ts'
import { findIn, usageFrom } from '../queries.ts'
import type { Known } from '../rows.ts'
import { createLedgerWriter } from '../writer.ts'
import { openingFor, settlementFor } from './ledger-contract.ts'

interface Chance {
  below(end: number): number
  pick<T>(items: readonly T[]): T
  one(probability: number): boolean
}

const all = { from: 0, to: Number.MAX_SAFE_INTEGER }

export async function assertOrderIsIndifferent(database: Database, chance: Chance): Promise<void> {
  const writer = createLedgerWriter(database)
  const told: Known[][] = []
  const entries: (LedgerEntry & { readonly settlement: Settlement })[] = []
  for (let number = 0; number < 300; number++) {
    const opening = openingFor(`id_${number}`, { model: 'first', provider: 'one', estimate: 1_000_000n, at: 1_000 + number })
    const settled = settlementFor(opening.id, {
      cost: BigInt(number),
      charge: BigInt(2 * number),
      ...(chance.one(0.5) && { model: 'second' }),
    })
    const lost = lostSettlement(opening, 5_000)
    // What is told of it: its opening at least once, and of lost and settled what may turn up.
    const facts: Known[] = []
    const opened = { id: opening.id, opening, openingText: openingRecord(opening).text }
    const ended = (settlement: Settlement): Partial<Known> => ({ settlement, settlementText: settlementRecord(settlement).text })
    const isSettled = chance.one(0.7)
    facts.push(opened)
    if (isSettled) facts.push({ id: opening.id, ...ended(settled) })
    if (!isSettled || chance.one(0.4)) facts.push({ id: opening.id, ...ended(lost) })
    if (isSettled && chance.one(0.5)) facts.push({ ...opened, ...ended(settled) })
    if (chance.one(0.2)) facts.push({ ...opened, ...ended(lost) })
    for (let again = chance.below(3); again > 0; again--) facts.push(chance.pick(facts))
    told.push(facts)
    entries.push({ ...opening, settlement: isSettled ? settled : lost })
  }
  // Batches hold one fact of an entry at most, in an order of their own for each entry.
  while (told.some(({ length }) => length > 0)) {
    const batch: Known[] = []
    for (const facts of told) if (facts.length > 0 && chance.one(0.3)) batch.push(...facts.splice(chance.below(facts.length), 1))
    await writer.write(batch, 'd.run')
  }
  for (const entry of entries) assert.deepEqual(await findIn(database, entry.id), entry)
  const rows = await usageFrom(database, { by: ['model', 'status'], ...all })
  for (const row of rows) {
    const own = entries.filter(
      ({ settlement, model }) => (settlement.model ?? model) === row.by.model && String(settlement.status) === row.by.status,
    )
    assert.equal(row.requests, own.length)
    assert.equal(
      row.cost,
      own.reduce((sum, { settlement }) => sum + (settlement.cost ?? 0n), 0n),
    )
    assert.equal(
      row.charge,
      own.reduce((sum, { settlement }) => sum + (settlement.charge ?? 0n), 0n),
    )
  }
}
