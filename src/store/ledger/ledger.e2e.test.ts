import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { estimateOf } from '../../../test/ledger/victim.ts'
import { assertComplete, entriesOf, startVictim } from '../../../test/ledger/victims.ts'
import { chanceOf, runSeed } from '../../../test/random.ts'
import { withPostgres } from '../../../test/services/postgres.ts'
import { SILENCE_MS } from './recover.ts'
import { assertPagesAreBounded } from './testing/bounded-pages.ts'
import { ledgerContract, openingFor, settlementFor } from './testing/ledger-contract.ts'
import { ledgerRig } from './testing/ledger-rig.ts'
import { assertOrderIsIndifferent } from './testing/order.ts'
import { assertSumsHold } from './testing/sums.ts'

const all = { from: 0, to: Number.MAX_SAFE_INTEGER }

ledgerContract('PostgreSQL', async (t) => {
  const service = await withPostgres(t)
  return service && (await ledgerRig(t, service.url)).ledger()
})

function folder(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'replica-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

test('whatever is told in whatever order and however often, PostgreSQL ends up the same', async (t) => {
  const service = await withPostgres(t)
  if (!service) return
  const seed = runSeed()
  t.diagnostic(`SIGNALBOX_TEST_SEED=${seed}`)
  await assertOrderIsIndifferent((await ledgerRig(t, service.url)).database, chanceOf(seed))
})

test('sums of days are the sums of their entries, whatever comes late (PostgreSQL)', async (t) => {
  const service = await withPostgres(t)
  if (!service) return
  const seed = runSeed()
  t.diagnostic(`SIGNALBOX_TEST_SEED=${seed}`)
  assert.ok((await assertSumsHold((await ledgerRig(t, service.url)).database, chanceOf(seed))) > 20)
})

test('replicas and their PostgreSQL killed at random lose no entry and double none', async (t) => {
  const service = await withPostgres(t, { own: true })
  if (!service) return
  const seed = runSeed()
  t.diagnostic(`SIGNALBOX_TEST_SEED=${seed}`)
  const chance = chanceOf(seed)
  const rig = await ledgerRig(t, service.url)
  const replicas = [folder(t), folder(t)]
  const told: string[][] = []
  const start = (round: number) =>
    replicas.map((directory, index) => startVictim(t, { url: service.url, directory }, `r${round}${index}`, seed + round * 10 + index))
  for (let round = 0; round < 2; round++) {
    const victims = start(round)
    for (const { busy } of victims) await busy(40)
    await sleep(chance.next() * 200)
    if (round === 0) service.freeze()
    else await service.kill()
    // Calls go on without the database.
    for (const { busy, told: lines } of victims) await busy(lines.length + 300)
    for (const { child, gone, told: lines } of victims) {
      child.kill('SIGKILL')
      await gone
      told.push(lines)
    }
    await service.heal()
  }
  // A last generation on the same directories recovers the others, each its own.
  const last = replicas.map((directory) => rig.ledger({ directory }))
  const lost = (await Promise.all(last.map(({ recovered }) => recovered))).flat()
  const entries = await entriesOf(last[0]!)
  t.diagnostic(`${entries.length} entries, ${lost.length} lost`)
  assertComplete(entries, told.flat())
  assert.ok(lost.length > 0 && entries.length > 400)
})

test('a replica whose disk is gone with it is given up after a silence', async (t) => {
  const service = await withPostgres(t)
  if (!service) return
  const rig = await ledgerRig(t, service.url)
  const [gone, standing] = [folder(t), folder(t)]
  const dead = rig.ledger({ directory: gone })
  for (const id of ['dead_1', 'dead_2']) dead.open(openingFor(id, { estimate: estimateOf(id) }))
  await dead.flush()
  rmSync(gone, { recursive: true })
  const early = rig.ledger({ directory: standing })
  assert.deepEqual(await early.recovered, [])
  const later = rig.ledger({ directory: standing, now: () => Date.now() + SILENCE_MS + 1_000 })
  const lost = await later.recovered
  assert.deepEqual(
    lost.map(({ id, settlement }) => [id, settlement?.cost]),
    [
      ['dead_1', estimateOf('dead_1')],
      ['dead_2', estimateOf('dead_2')],
    ],
  )
  const running = (await entriesOf(later)).filter(({ settlement }) => !settlement)
  assert.deepEqual(running, [])
})

test('PostgreSQL is frozen: calls are taken, queries fail in time, and all is there when it thaws', async (t) => {
  const service = await withPostgres(t, { own: true })
  if (!service) return
  const ledger = (await ledgerRig(t, service.url)).ledger()
  await ledger.recovered
  service.freeze()
  const started = performance.now()
  for (let number = 0; number < 2_000; number++) {
    ledger.open(openingFor(`id_${number}`))
    ledger.settle(settlementFor(`id_${number}`, { cost: 2n, charge: 3n }))
  }
  assert.ok(performance.now() - started < 1_000)
  await assert.rejects(ledger.usage({ by: ['key'], ...all }))
  assert.ok(performance.now() - started < 6_000)
  service.thaw()
  await ledger.flush()
  const [row] = await ledger.usage({ by: ['key'], ...all })
  assert.deepEqual([row?.requests, row?.cost, row?.charge], [2_000, 4_000n, 6_000n])
})

test('a page of the newest calls looks at so many and no more, along the index (PostgreSQL)', async (t) => {
  const service = await withPostgres(t)
  if (!service) return
  const rig = await ledgerRig(t, service.url)
  await assertPagesAreBounded(rig.database, rig.ledger())
})
