/** What 100,000 keys cost, and what the time of a refusal tells. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMemoryRecords } from '../../store/memory/records.ts'
import { createAccess, type GatewayAccess } from './access.ts'
import { callerWith, ownerKey, plainKey } from './fixtures/rig.ts'
import { keyRecord } from './key-record.ts'
import { nodeCrypto } from './node-crypto.ts'

async function accessWith(count: number): Promise<{ access: GatewayAccess; secrets: readonly string[]; loadMs: number }> {
  const records = createMemoryRecords()
  const secrets: string[] = []
  const { record } = keyRecord({ ...plainKey, scopes: { models: ['fast'] } }, 'key', nodeCrypto)
  for (let made = 0; made < count; made++) {
    const secret = `sb-${made}-of-${count}`
    await records.create({ ...record, id: `key_${made}`, lookup: nodeCrypto.digest(secret) })
    secrets.push(secret)
  }
  const access = createAccess({ settings: { mode: 'keys', ownerKey }, crypto: nodeCrypto, records })
  // Of this process: what else the machine does is no matter of keys.
  const began = process.cpuUsage()
  await access.load()
  const { user, system } = process.cpuUsage(began)
  return { access, secrets, loadMs: (user + system) / 1_000 }
}

/** Microseconds of one call of each batch: the least of many short rounds in turns, since what disturbs a measurement only ever adds. */
function costsOf(batches: readonly (readonly (() => unknown)[])[], rounds = 100): number[] {
  const least = batches.map(() => Number.POSITIVE_INFINITY)
  for (let round = 0; round < rounds; round++)
    for (const [index, calls] of batches.entries()) {
      const began = performance.now()
      for (const call of calls) call()
      least[index] = Math.min(least[index] ?? 0, ((performance.now() - began) * 1_000) / calls.length)
    }
  return least
}

/** A text of its own each time, as headers of real requests are. */
const fresh = (text: string): string => Buffer.from(text).toString('latin1')

test('100,000 keys are loaded with less than a second of work, and one is found as fast as among ten', async () => {
  const few = await accessWith(10)
  const many = await accessWith(100_000)
  assert.equal(many.access.status().keys, 100_000)
  assert.ok(many.loadMs < 1_000, `${many.loadMs} ms`)
  const calls = ({ access, secrets }: typeof few, step: number) =>
    Array.from({ length: 300 }, (_, index) => {
      const caller = callerWith(fresh(secrets[(index * step) % secrets.length] ?? ''))
      return () => access.authenticate(caller)
    })
  const [small = 0, large = 0] = costsOf([calls(few, 1), calls(many, 331)])
  assert.ok(large < 10, `${large} µs`)
  // Among many the entry is not in the processor's cache; nothing is searched through.
  assert.ok(large < small * 2.5 + 1, `${large} µs of ${small} µs`)
  few.access.close()
  many.access.close()
})

test('the time of a refusal is the same, however much of a guess is right', async () => {
  const { access } = await accessWith(10)
  const length = ownerKey.length
  // Wrong in the first character, in the middle, in the last one.
  const guesses = [0, Math.floor(length / 2), length - 1].map((wrong) => `${ownerKey.slice(0, wrong)}!${ownerKey.slice(wrong + 1)}`)
  const least = costsOf(
    guesses.map((guess) =>
      Array.from({ length: 300 }, () => {
        const caller = callerWith(fresh(guess))
        return () => access.known(caller)
      }),
    ),
  )
  assert.ok(Math.max(...least) < Math.min(...least) * 1.25, `${least.map((one) => one.toFixed(3)).join(', ')} µs`)
  access.close()
})
