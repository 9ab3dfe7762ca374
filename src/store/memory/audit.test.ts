import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auditLogContract } from '../testing/audit-log-contract.ts'
import { createMemoryAudit } from './audit.ts'

auditLogContract('memory', async () => ({ log: createMemoryAudit() }))

test('the memory log forgets its oldest entries, keeps its numbers, and what is left is sound', async () => {
  const log = createMemoryAudit({ max: 10 })
  for (let n = 1; n <= 35; n++) await log.append({ actor: 'system', action: 'config.reload', subject: `config/${n}` })
  const { entries, brokenAt } = await log.verify()
  assert.ok(entries >= 10 && entries <= 11)
  assert.equal(brokenAt, undefined)
  const kept = await log.list({ limit: 100 })
  assert.equal(kept.at(-1)?.seq, 35)
  assert.deepEqual(
    (await log.list({ after: 33 })).map(({ subject }) => subject),
    ['config/34', 'config/35'],
  )
})
