import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeCast } from './fixtures/cast.ts'
import { callerWith, ownerKey, rig } from './fixtures/rig.ts'

test('everybody is let in or refused, as who they are, by a gateway that heard of them and by one that was started later', async () => {
  const one = await rig()
  const cast = await makeCast({ records: one.records, ownerKey, now: one.now() })
  assert.equal(new Set(cast.map(({ name }) => name)).size, cast.length)
  const loaded = one.other()
  await loaded.load()
  for (const access of [one.access, loaded]) {
    for (const { name, credential, letIn, id, role, organisation } of cast) {
      const found = await Promise.resolve()
        .then(() => access.authenticate(callerWith(credential)))
        .catch((error: { id: string }) => error.id)
      if (!letIn) assert.equal(found, 'unauthenticated', name)
      else {
        assert.ok(typeof found === 'object', name)
        assert.deepEqual([found.id, found.role, found.tenant.organisation], [id, role, organisation], name)
      }
      assert.equal(access.known(callerWith(credential)), letIn, name)
    }
  }
  one.close()
})
