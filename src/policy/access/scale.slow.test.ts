/** What 100,000 keys cost, and what the time of a refusal tells. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Caller } from '../../core/policy.ts'
import { createMemoryRecords } from '../../store/memory/records.ts'
import { createAccess, type GatewayAccess } from './access.ts'
import { callerWith, ownerKey, plainKey } from './fixtures/rig.ts'
import { keyRecord } from './key-record.ts'
import { nodeCrypto } from './node-crypto.ts'

async function accessWith(count: number): Promise<{ access: GatewayAccess; secrets: readonly string[]; loadMs: number }> {
  const records = createMemoryRecords()
  const secrets: string[] = []
  for (let made = 0; made < count; made++) {
    const { record, secret } = keyRecord({ ...plainKey, alias: `key ${made}`, scopes: { models: ['fast'] } }, 'key', nodeCrypto)
    await records.create(record)
    secrets.push(secret)
  }
  const access = createAccess({ settings: { mode: 'keys', ownerKey }, crypto: nodeCrypto, records })
  const began = performance.now()
  await access.load()
  return { access, secrets, loadMs: performance.now() - began }
}

/** Microseconds of one call, the least of several rounds: what disturbs a measurement only ever adds. */
function costOf(calls: readonly (() => unknown)[], rounds = 15): number {
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round++) {
    const began = performance.now()
    for (const call of calls) call()
    least = Math.min(least, ((performance.now() - began) * 1_000) / calls.length)
  }
  return least
}

/** A text of its own each time, as headers of real requests are. */
const fresh = (text: string): string => Buffer.from(text).toString('latin1')

test('100,000 keys are loaded within a second, and one is found as fast as among ten', async () => {
  const few = await accessWith(10)
  const many = await accessWith(100_000)
  assert.equal(many.access.status().keys, 100_000)
  assert.ok(many.loadMs < 1_000, `${many.loadMs} ms`)
  const callers = (secrets: readonly string[], step: number): Caller[] =>
    Array.from({ length: 2_000 }, (_, index) => callerWith(fresh(secrets[(index * step) % secrets.length] ?? '')))
  const cost = ({ access, secrets }: typeof few): number => costOf(callers(secrets, 1).map((caller) => () => access.authenticate(caller)))
  const [small, large] = [cost(few), cost(many)]
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
  const refusals = guesses.map((guess) => {
    const calls = Array.from({ length: 500 }, () => {
      const caller = callerWith(fresh(guess))
      return () => {
        access.known(caller)
      }
    })
    return calls
  })
  // In turns, so that what slows the machine slows all of them.
  const least = refusals.map(() => Number.POSITIVE_INFINITY)
  for (let round = 0; round < 60; round++)
    for (const [index, calls] of refusals.entries()) least[index] = Math.min(least[index] ?? 0, costOf(calls, 1))
  const [slowest, fastest] = [Math.max(...least), Math.min(...least)]
  assert.ok(slowest < fastest * 1.25, `${least.map((one) => one.toFixed(3)).join(', ')} µs`)
  access.close()
})
