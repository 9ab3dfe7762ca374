/** Processes that open and settle until they are killed, and what must hold of the ledger then. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { LedgerEntry } from '../../src/core/ledger.ts'
import type { StoreLedger } from '../../src/store/ledger/ledger.ts'
import { costOf, estimateOf } from './victim.ts'

const all = { from: 0, to: Number.MAX_SAFE_INTEGER }
const victimFile = fileURLToPath(new URL('./victim.ts', import.meta.url))

export interface VictimPlace {
  readonly url: string
  /** Of journals. */
  readonly directory: string
}

export interface Victim {
  readonly child: ChildProcess
  readonly told: string[]
  readonly gone: Promise<void>
  /** Resolves once it was told of so many. */
  busy(lines: number): Promise<void>
}

export function startVictim(t: TestContext, { url, directory }: VictimPlace, prefix: string, seed: number, threads = 0): Victim {
  const args = [victimFile, url, directory, prefix, String(seed), String(threads)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  let text = ''
  const told: string[] = []
  child.stdout!.on('data', (chunk: Buffer) => {
    text += chunk
    const lines = text.split('\n')
    text = lines.pop()!
    told.push(...lines)
  })
  const gone = new Promise<void>((resolve) => child.stdout!.once('close', resolve))
  return {
    child,
    told,
    gone,
    async busy(lines) {
      while (told.length < lines && child.exitCode === null) await sleep(5)
    },
  }
}

export async function entriesOf(ledger: StoreLedger): Promise<LedgerEntry[]> {
  const found: LedgerEntry[] = []
  for await (const batch of ledger.entries(all)) found.push(...batch)
  return found
}

/** Every entry that was opened is there once; what was told as settled is settled at its price; the rest is lost at its estimate. */
export function assertComplete(entries: readonly LedgerEntry[], told: readonly string[]): void {
  const byId = new Map(entries.map((entry) => [entry.id, entry]))
  assert.equal(byId.size, entries.length, 'one of each')
  for (const line of told) {
    const id = line.slice(2)
    const settlement = byId.get(id)?.settlement
    assert.ok(byId.has(id), `${id} is missing`)
    if (line.startsWith('s')) assert.equal(settlement?.state, 'settled', id)
  }
  const opened = new Set(told.map((line) => line.slice(2)))
  for (const { id, settlement } of entries) {
    // One of each process may have been opened without our being told.
    if (!opened.has(id)) opened.add(id)
    assert.ok(settlement, `${id} still runs`)
    assert.equal(settlement.cost, settlement.state === 'lost' ? estimateOf(id) : costOf(id), id)
  }
}
