import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { type LedgerRecord, openingRecord, settlementRecord } from './codec.ts'
import { openDataDirectory } from './instance.ts'
import { type JournalOptions, openJournal } from './journal.ts'
import { readJournal } from './journal-lines.ts'
import { openingFor, settlementFor } from './testing/ledger-contract.ts'

function folder(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'journal-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

function journalIn(t: TestContext, options: Partial<JournalOptions> = {}) {
  const directory = folder(t)
  const warnings: string[] = []
  const journal = openJournal({ directory, warn: (message) => warnings.push(message), ...options })
  t.after(() => journal.close())
  return { directory, journal, warnings }
}

async function idsIn(path: string, from = 0): Promise<string[]> {
  const ids: string[] = []
  for await (const { records } of readJournal(path, from)) ids.push(...records.map(({ value }) => value.id))
  return ids
}

const opening = (id: string): LedgerRecord => openingRecord(openingFor(id))

test('what was committed is in the file, whoever reads it', async (t) => {
  const { journal } = journalIn(t)
  const path = journal.pathOf(1)
  journal.append(opening('a'))
  journal.append(settlementRecord(settlementFor('a', { record: { text: 'line\nbreak, ü' } })))
  assert.equal(statSync(path).size, 0)
  assert.equal(journal.commit(), true)
  assert.deepEqual(await idsIn(path), ['a', 'a'])
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(journal.end.offset, statSync(path).size)
})

test('what nobody commits is written at the end of the turn', async (t) => {
  const { journal } = journalIn(t)
  journal.append(opening('a'))
  await nextTurn()
  assert.deepEqual(await idsIn(journal.pathOf(1)), ['a'])
})

test('a full file is followed by another, and goes when all of it is shipped', async (t) => {
  const { journal } = journalIn(t, { segmentBytes: 1_000 })
  const places = []
  for (let number = 0; number < 20; number++) {
    places.push(journal.append(opening(`id_${number}`)))
    journal.commit()
  }
  const files = new Set(places)
  assert.ok(files.size > 2)
  const found: string[] = []
  for (const segment of files) found.push(...(await idsIn(journal.pathOf(segment))))
  assert.deepEqual(
    found,
    places.map((_, number) => `id_${number}`),
  )
  for (const segment of places.slice(0, -1)) journal.shipped(segment, 1)
  await sleep(20)
  const last = places.at(-1)!
  for (const segment of files) assert.equal(existsSync(journal.pathOf(segment)), segment >= last, `file ${segment}`)
})

test('a full disk is told once, counted, and costs no call; later lines read again', async (t) => {
  let full = false
  const write = (fd: number, text: string | Uint8Array): number => {
    if (!full) return writeSync(fd, text as string)
    // The last bytes of the disk take the beginning of a line.
    if (typeof text === 'string') return writeSync(fd, text.slice(0, 10))
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
  }
  const { journal, warnings } = journalIn(t, { write })
  journal.append(opening('before'))
  journal.commit()
  full = true
  for (const id of ['x', 'y', 'z']) {
    journal.append(opening(id))
    assert.equal(journal.commit(), false)
  }
  assert.equal(journal.unwritten, 3)
  assert.equal(warnings.length, 1)
  assert.match(warnings[0]!, /ENOSPC/)
  full = false
  journal.append(opening('after'))
  assert.equal(journal.commit(), true)
  assert.deepEqual(await idsIn(journal.pathOf(1)), ['before', 'after'])
  assert.match(warnings[1]!, /can be written again/)
})

test('a line cut anywhere is left out, and the lines before it stay', async (t) => {
  const { journal, directory } = journalIn(t)
  for (const id of ['a', 'b', 'ü']) journal.append(opening(id))
  journal.commit()
  const whole = readFileSync(journal.pathOf(1))
  const ends = [...whole.keys()].filter((index) => whole[index] === 10)
  const { writeFileSync } = await import('node:fs')
  for (let size = 0; size <= whole.length; size += 7) {
    const path = join(directory, 'cut')
    writeFileSync(path, whole.subarray(0, size))
    assert.equal((await idsIn(path)).length, ends.filter((end) => end < size).length, `cut at ${size}`)
  }
})

test('strict: durable resolves once the disk has it, for many at once', async (t) => {
  const { journal } = journalIn(t, { strict: true, segmentBytes: 2_000 })
  let resolved = 0
  const waiting = Array.from({ length: 50 }, (_, number) => {
    journal.append(opening(`id_${number}`))
    return journal.durable().then(() => resolved++)
  })
  assert.equal(resolved, 0)
  await Promise.all(waiting)
  assert.equal(resolved, 50)
  await journal.durable()
  journal.append(opening('last'))
  const last = journal.durable()
  journal.close()
  await last
})

test('a lock is held by one: threads and processes of the same directory see it', async (t) => {
  const path = folder(t)
  const data = openDataDirectory(path)
  const mine = data.claim()
  assert.deepEqual(data.instances(), [mine.id])
  assert.equal(data.takeOver(mine.id), undefined)
  const source = `
    import { openDataDirectory } from ${JSON.stringify(new URL('./instance.ts', import.meta.url).href)}
    import { parentPort } from 'node:worker_threads'
    const data = openDataDirectory(${JSON.stringify(path)})
    const own = data.claim()
    parentPort.postMessage([data.takeOver(${JSON.stringify(mine.id)}) === undefined, data.id, own.id])
    setInterval(() => {}, 1000)`
  const thread = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`))
  const [refused, id, other] = await new Promise<[boolean, string, string]>((resolve, reject) => {
    thread.once('message', resolve).once('error', reject)
  })
  assert.ok(refused)
  assert.equal(id, data.id)
  assert.equal(data.takeOver(other), undefined)
  // Looking at the other's lock must not have cost us ours.
  assert.equal(data.takeOver(mine.id), undefined)
  await thread.terminate()
  const taken = data.takeOver(other)
  assert.ok(taken)
  taken.remove()
  assert.deepEqual(data.instances(), [mine.id])
  mine.release()
  assert.ok(openDataDirectory(path).takeOver(mine.id))
})

test('a directory that cannot be written is told with its path and a remedy', (t) => {
  const path = join(folder(t), 'file')
  assert.throws(
    () => openDataDirectory(join('/dev/null', path)),
    (error: Error) => /cannot be kept in .*file.*\n.*write permission/s.test(error.message),
  )
})
