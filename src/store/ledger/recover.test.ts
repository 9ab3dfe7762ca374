import assert from 'node:assert/strict'
import { appendFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { costOf, estimateOf } from '../../../test/ledger/victim.ts'
import { assertComplete, entriesOf, startVictim } from '../../../test/ledger/victims.ts'
import { chanceOf, runSeed } from '../../../test/random.ts'
import type { LedgerEntry } from '../../core/ledger.ts'
import { openingFor, settlementFor } from './testing/ledger-contract.ts'
import { type LedgerRig, ledgerRig } from './testing/ledger-rig.ts'

const all = { from: 0, to: Number.MAX_SAFE_INTEGER }
const placeOf = ({ directory }: LedgerRig) => ({ url: `sqlite:${join(directory, 'test.db')}`, directory: join(directory, 'journal') })
const foldersOf = ({ directory }: LedgerRig): string[] => readdirSync(join(directory, 'journal')).filter((name) => name.startsWith('run-'))

test('processes and threads killed at random, several at once, lose no entry and double none', async (t) => {
  const seed = runSeed()
  t.diagnostic(`SIGNALBOX_TEST_SEED=${seed}`)
  const chance = chanceOf(seed)
  const rig = await ledgerRig(t)
  const told: string[][] = []
  for (let round = 0; round < 3; round++) {
    const victims = [startVictim(t, placeOf(rig), `r${round}a`, seed + round), startVictim(t, placeOf(rig), `r${round}b`, seed - round, 2)]
    for (const { busy } of victims) await busy(30)
    // Killed in the middle of work, the next round in the middle of recovery from this one too.
    for (const { child } of victims) {
      await sleep(chance.next() * 250)
      child.kill('SIGKILL')
    }
    for (const { gone, told: lines } of victims) {
      await gone
      told.push(lines)
    }
  }
  const lost: LedgerEntry[] = []
  const started = performance.now()
  const ledger = rig.ledger({ onLost: (entries) => lost.push(...entries) })
  ledger.open(openingFor('mine', { at: Date.now() }))
  await ledger.recovered
  assert.ok(performance.now() - started < 4_000, 'within 4 s')
  assert.equal((await ledger.find('mine'))?.settlement, undefined, 'those who live are left alone')
  ledger.settle(settlementFor('mine', { cost: costOf('mine') }))
  const entries = await entriesOf(ledger)
  t.diagnostic(`${entries.length} entries, ${entries.filter(({ settlement }) => settlement?.state === 'lost').length} lost`)
  assertComplete(entries, told.flat())
  assert.ok(entries.length > 100 && lost.length > 0)
  for (const { id, settlement } of lost) assert.deepEqual([settlement?.state, settlement?.cost], ['lost', estimateOf(id)])
  assert.equal(foldersOf(rig).length, 1, 'nothing of the dead is left')
})

test('of two that start at once each lost entry is told by one', async (t) => {
  const rig = await ledgerRig(t)
  const dead = startVictim(t, placeOf(rig), 'dead', 1)
  await dead.busy(200)
  dead.child.kill('SIGKILL')
  await dead.gone
  const [one, other] = [rig.ledger(), rig.ledger()]
  const lost = (await Promise.all([one.recovered, other.recovered])).flat().map(({ id }) => id)
  assert.equal(new Set(lost).size, lost.length)
  const entries = await entriesOf(one)
  assert.deepEqual(
    entries
      .filter(({ settlement }) => settlement?.state === 'lost')
      .map(({ id }) => id)
      .sort(),
    lost.sort(),
  )
  assertComplete(entries, dead.told)
})

test('a stopped process is not dead', async (t) => {
  const rig = await ledgerRig(t)
  const stopped = startVictim(t, placeOf(rig), 'stopped', 2)
  await stopped.busy(100)
  stopped.child.kill('SIGSTOP')
  const ledger = rig.ledger({ recoverEveryMs: 50 })
  assert.deepEqual(await ledger.recovered, [])
  await sleep(300)
  assert.equal((await entriesOf(ledger)).filter(({ settlement }) => settlement?.state === 'lost').length, 0)
  stopped.child.kill('SIGCONT')
  await stopped.busy(stopped.told.length + 50)
  stopped.child.kill('SIGKILL')
  await stopped.gone
  while (foldersOf(rig).length > 1) await sleep(20)
  assertComplete(await entriesOf(ledger), stopped.told)
})

/** A journal as a process leaves it that was killed with the database away. */
async function abandoned(rig: LedgerRig, entries: readonly [id: string, ended: boolean][]): Promise<string> {
  const folder = join(rig.directory, 'journal', `run-${Math.random().toString(36).slice(2)}`)
  const { openJournal } = await import('./journal.ts')
  const { openingRecord, settlementRecord } = await import('./codec.ts')
  const { openDataDirectory } = await import('./instance.ts')
  openDataDirectory(join(rig.directory, 'journal'))
  mkdirSync(folder)
  writeFileSync(join(folder, 'lock'), '')
  const journal = openJournal({ directory: folder, warn: () => {} })
  for (const [id, ended] of entries) {
    journal.append(openingRecord(openingFor(id, { estimate: estimateOf(id) })))
    if (ended) journal.append(settlementRecord(settlementFor(id, { cost: costOf(id) })))
  }
  const [path] = journal.close()
  return path!
}

test('a torn tail and a damaged line cost only themselves', async (t) => {
  const rig = await ledgerRig(t)
  const torn = await abandoned(rig, [
    ['a', true],
    ['b', true],
  ])
  truncateSync(torn, statSync(torn).size - 20)
  const damaged = await abandoned(rig, [['c', true]])
  appendFileSync(damaged, 'o1234 {"id":"x"}\nnonsense\n')
  const ledger = rig.ledger()
  assert.deepEqual(
    (await ledger.recovered).map(({ id }) => id),
    ['b'],
  )
  assertComplete(await entriesOf(ledger), ['s a', 'o b', 's c'])
  assert.match(rig.warnings.join(), /2 damaged lines/)
  assert.ok(!existsSync(torn) && !existsSync(damaged))
})

test('an entry without an estimate is lost at an unknown cost, and counted as such', async (t) => {
  const rig = await ledgerRig(t)
  const first = rig.ledger()
  first.open(openingFor('a', { model: 'llama', provider: 'groq' }))
  first.open(openingFor('b', { estimate: 1_001n, markup: 1_500 }))
  await first.close()
  const ledger = rig.ledger()
  await ledger.recovered
  const [row] = await ledger.usage({ by: [], ...all })
  assert.deepEqual([row?.requests, row?.cost, row?.charge, row?.estimated, row?.unpriced], [2, 1_001n, 1_502n, 1, 1])
  assert.equal((await ledger.find('a'))?.settlement?.error, 'lost')
  assert.equal((await ledger.usage({ by: ['model'], ...all, where: { provider: 'groq' } }))[0]?.by.model, 'llama')
})

test('what a vanished journal had opened is lost; when its settlement turns up it is settled', async (t) => {
  const rig = await ledgerRig(t)
  const first = rig.ledger()
  first.open(openingFor('a', { estimate: 5n }))
  await first.flush()
  const [folder] = foldersOf(rig)
  rmSync(join(rig.directory, 'journal', folder!), { recursive: true })
  const second = rig.ledger()
  assert.deepEqual(
    (await second.recovered).map(({ id }) => id),
    ['a'],
  )
  assert.equal((await second.find('a'))?.settlement?.state, 'lost')
  // It was alive after all.
  first.settle(settlementFor('a', { cost: 3n, charge: 3n, model: 'late' }))
  await first.flush()
  const found = (await second.find('a'))?.settlement
  assert.deepEqual([found?.state, found?.cost, found?.model, found?.error], ['settled', 3n, 'late', undefined])
  assert.equal((await second.usage({ by: ['model'], ...all }))[0]?.cost, 3n)
})

test('the database is away at the start: recovery waits for it', async (t) => {
  const rig = await ledgerRig(t)
  await abandoned(rig, [
    ['a', true],
    ['b', false],
  ])
  rig.database.sqlite!.exec('alter table ledger_entries rename to hidden')
  const ledger = rig.ledger()
  const early = await Promise.race([ledger.recovered, sleep(300).then(() => 'not yet')])
  assert.equal(early, 'not yet')
  rig.database.sqlite!.exec('alter table hidden rename to ledger_entries')
  assert.deepEqual(
    (await ledger.recovered).map(({ id }) => id),
    ['b'],
  )
  assertComplete(await entriesOf(ledger), ['s a', 'o b'])
})
