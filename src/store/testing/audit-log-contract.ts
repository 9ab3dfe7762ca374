/** What every audit log does. `again` opens the same log as another process would, `tamper` runs SQL behind its back. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import type { AuditEntry, AuditEvent, AuditLog } from '../../core/audit.ts'

export interface AuditLogRig {
  readonly log: AuditLog
  readonly again?: () => Promise<AuditLog>
  readonly tamper?: (statement: string) => Promise<void>
}

export type AuditLogMaker = (t: TestContext) => Promise<AuditLogRig | undefined>

const event = (n: number, more: Partial<AuditEvent> = {}): AuditEvent => ({
  actor: 'admin_1',
  action: 'key.create',
  subject: `key/k${n}`,
  ...more,
})

async function filled(log: AuditLog, count: number): Promise<readonly AuditEntry[]> {
  for (let n = 1; n <= count; n++) await log.append(event(n, n % 2 ? { organisation: 'acme' } : {}))
  return log.list({ limit: 1_000 })
}

export function auditLogContract(name: string, make: AuditLogMaker): void {
  const on = (sentence: string, body: (rig: AuditLogRig, t: TestContext) => Promise<void>): void => {
    test(`audit log, ${name}: ${sentence}`, async (t) => {
      const rig = await make(t)
      if (rig) await body(rig, t)
    })
  }

  on('an empty log is sound', async ({ log }) => {
    assert.deepEqual(await log.list({}), [])
    assert.deepEqual(await log.verify(), { entries: 0 })
  })

  on('entries are numbered from 1 and chained from 64 zeros', async ({ log }) => {
    const entries = await filled(log, 5)
    assert.deepEqual(
      entries.map(({ seq }) => seq),
      [1, 2, 3, 4, 5],
    )
    assert.equal(entries[0]?.previous, '0'.repeat(64))
    for (const [index, entry] of entries.entries()) {
      assert.match(entry.hash, /^[0-9a-f]{64}$/)
      if (index > 0) assert.equal(entry.previous, entries[index - 1]?.hash)
    }
    assert.deepEqual(await log.verify(), { entries: 5 })
  })

  on('the hash is SHA-256 over the previous hash and the canonical JSON, which anybody can recompute', async ({ log }) => {
    await log.append(event(1, { organisation: 'acme', ip: '10.0.0.1', detail: { b: 1, a: [null, { d: 2, c: 'x' }] } }))
    const [entry] = await log.list({})
    const text = `{"action":"key.create","actor":"admin_1","at":${entry?.at},"detail":{"a":[null,{"c":"x","d":2}],"b":1},"ip":"10.0.0.1","organisation":"acme","seq":1,"subject":"key/k1"}`
    assert.equal(
      entry?.hash,
      createHash('sha256')
        .update('0'.repeat(64) + text)
        .digest('hex'),
    )
  })

  on('what was said is what is read, whatever characters it has', async ({ log }) => {
    const detail = { text: 'ü \u0000 \ud800 \u{1f600} "\\', list: [1.5, -0, 1e21, null, true], deep: { z: {}, a: [] } }
    await log.append(event(1, { actor: "o'neill; drop table audit", ip: '::1', detail }))
    await log.append(event(2, { actor: 'nul\0 and half \ud800 a pair' }))
    const [first, second] = await log.list({})
    assert.deepEqual({ ...first?.detail }, JSON.parse(JSON.stringify(detail)))
    assert.equal(first?.actor, "o'neill; drop table audit")
    assert.equal(first?.ip, '::1')
    assert.ok(!('organisation' in (first ?? {})))
    assert.equal(second?.actor, 'nul\ufffd and half \ufffd a pair')
    assert.deepEqual(await log.verify(), { entries: 2 })
  })

  on('lists go on after a number, and keep organisations apart', async ({ log }) => {
    await filled(log, 10)
    assert.deepEqual(
      (await log.list({ after: 7 })).map(({ seq }) => seq),
      [8, 9, 10],
    )
    assert.deepEqual(
      (await log.list({ after: 2, limit: 3 })).map(({ seq }) => seq),
      [3, 4, 5],
    )
    assert.deepEqual(
      (await log.list({ organisation: 'acme', after: 2, limit: 2 })).map(({ seq }) => seq),
      [3, 5],
    )
    assert.deepEqual(await log.list({ organisation: 'other' }), [])
    assert.deepEqual(await log.list({ after: 10 }), [])
  })

  on('many who append at once make one chain', async ({ log, again }) => {
    const logs = again ? [log, await again(), await again()] : [log]
    await Promise.all(Array.from({ length: 150 }, (_, n) => (logs[n % logs.length] as AuditLog).append(event(n))))
    assert.deepEqual(await log.verify(), { entries: 150 })
    const entries = await log.list({ limit: 1_000 })
    assert.equal(new Set(entries.map(({ subject }) => subject)).size, 150)
  })

  on('a log that grows while it is verified is sound', async ({ log, again }) => {
    const other = (await again?.()) ?? log
    let running = true
    const appending = (async () => {
      for (let n = 0; running; n++) await other.append(event(n))
    })()
    for (let round = 0; round < 10; round++) assert.equal((await log.verify()).brokenAt, undefined)
    running = false
    await appending
  })

  const frauds: readonly (readonly [string, readonly string[], number, RegExp])[] = [
    ['an edit', ["update audit set actor = 'nobody' where seq = 3"], 3, /changed/],
    ['an edited detail', [`update audit set detail = '{"a":1}' where seq = 4`], 4, /changed/],
    ['an edited time', ['update audit set at = at + 1 where seq = 1'], 1, /changed/],
    ['an edit of what was absent', ["update audit set ip = '1.2.3.4' where seq = 2"], 2, /changed/],
    ['a detail that is no JSON', ["update audit set detail = 'x' where seq = 5"], 5, /changed/],
    ['a deletion', ['delete from audit where seq = 4'], 4, /missing/],
    ['a deletion of the first', ['delete from audit where seq = 1'], 1, /missing/],
    ['a deletion with new numbers', ['delete from audit where seq = 4', 'update audit set seq = 4 where seq = 5'], 4, /follow/],
    [
      'two that changed places',
      ['update audit set seq = 99 where seq = 2', 'update audit set seq = 2 where seq = 3', 'update audit set seq = 3 where seq = 99'],
      2,
      /follow/,
    ],
    ['a cut tail', ['delete from audit where seq > 6'], 7, /newest entries are missing/],
    ['a tail cut with its head set back', ['delete from audit where seq > 6', 'update audit_head set seq = 6'], 6, /ends with/],
    ['an emptied log', ['delete from audit'], 1, /missing/],
    [
      'an entry put in past the end',
      [
        `insert into audit (seq, at, actor, action, subject, previous, hash) select seq + 1, at, actor, action, subject, hash, '${'a'.repeat(64)}' from audit where seq = 8`,
      ],
      9,
      /past the end/,
    ],
  ]
  for (const [what, statements, brokenAt, why] of frauds) {
    on(`${what} is found`, async ({ log, tamper }, t) => {
      if (!tamper) return t.skip('nobody else can reach it')
      await filled(log, 8)
      for (const statement of statements) await tamper(statement)
      const verdict = await log.verify()
      assert.equal(verdict.brokenAt, brokenAt)
      assert.match(verdict.why ?? '', why)
    })
  }
}
