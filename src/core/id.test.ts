import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId, timeOfId } from './id.ts'

test('an id tells when it was made, and nothing else is taken for one', () => {
  const before = Date.now()
  const made = timeOfId(newId('key_'))
  assert.ok(made !== undefined && made >= before && made <= Date.now())
  for (const other of ['', 'key', 'key_', 'ann', 'key_short', 'team_research', `${newId('key_')}x`, 'KEY_0000000000000000000'])
    assert.equal(timeOfId(other), undefined, other)
})
