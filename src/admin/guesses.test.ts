import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuditEvent } from '../core/audit.ts'
import { anonymous } from '../core/principal.ts'
import { createDoor } from './door.ts'
import { createGuesses } from './guesses.ts'

const HERE = '192.0.2.1'

function clock() {
  let at = Date.parse('2026-03-04T12:00:00Z')
  return {
    now: () => at,
    pass(ms: number) {
      at += ms
    },
  }
}

test('after ten different keys in a minute others are told to wait, until the minute is over', () => {
  const { now, pass } = clock()
  const guesses = createGuesses({ now })
  for (let guess = 0; guess < 10; guess++) assert.equal(guesses.failed(HERE, `guess-${guess}`), undefined)
  pass(20_000)
  const refusal = guesses.failed(HERE, 'guess-10')
  assert.equal(refusal?.id, 'rate-limited')
  assert.equal(refusal?.retryAfterMs, 40_000)
  assert.ok(!refusal?.message.includes('guess-'))
  assert.equal(guesses.failed('192.0.2.2', 'guess-10'), undefined)
  pass(40_000)
  assert.equal(guesses.failed(HERE, 'guess-11'), undefined)
})

test('one stale key again and again is no guess, until it is a flood', () => {
  const guesses = createGuesses({ failures: 50 })
  for (let time = 0; time < 50; time++) assert.equal(guesses.failed(HERE, 'stale'), undefined)
  assert.equal(guesses.failed(HERE, 'stale')?.id, 'rate-limited')
})

test('one network of IPv6 counts as one address; both spellings of an IPv4 address do', () => {
  const guesses = createGuesses({ different: 2 })
  assert.equal(guesses.failed('2001:db8::1', 'a'), undefined)
  assert.equal(guesses.failed('2001:db8::2', 'b'), undefined)
  assert.equal(guesses.failed('2001:db8::3', 'c')?.id, 'rate-limited')
  assert.equal(guesses.failed('2001:db8:0:1::3', 'c'), undefined)
  assert.equal(guesses.failed('::ffff:192.0.2.1', 'a'), undefined)
  assert.equal(guesses.failed(HERE, 'b'), undefined)
  assert.equal(guesses.failed(HERE, 'c')?.id, 'rate-limited')
})

test('so many addresses are remembered and no more: the oldest is forgotten', () => {
  const guesses = createGuesses({ different: 1, addresses: 3 })
  for (let host = 1; host <= 4; host++) assert.equal(guesses.failed(`192.0.2.${host}`, 'a'), undefined)
  assert.equal(guesses.failed('192.0.2.4', 'b')?.id, 'rate-limited')
  assert.equal(guesses.failed('192.0.2.2', 'b')?.id, 'rate-limited')
  assert.equal(guesses.failed('192.0.2.1', 'b'), undefined)
})

function doorRig(entries?: number) {
  const { now, pass } = clock()
  const events: AuditEvent[] = []
  const door = createDoor({ now, audit: (event) => events.push(event), ...(entries !== undefined && { entries }) })
  return { door, events, pass }
}

test('the log is told of the first refusal of each kind in an hour, from each address', () => {
  const { door, events, pass } = doorRig()
  const principal = { ...anonymous, kind: 'key' as const, id: 'key_1', tenant: { organisation: 'acme' } }
  for (let guess = 0; guess < 100; guess++) door.unknown(HERE, `guess-${guess}`)
  for (let time = 0; time < 5; time++) door.forbidden(principal, HERE, 'keys.create')
  assert.deepEqual(events, [
    { actor: 'anonymous', action: 'admin.unauthenticated', subject: 'admin', ip: HERE },
    { actor: 'anonymous', action: 'admin.guessed', subject: 'admin', ip: HERE },
    { actor: 'key_1', action: 'admin.forbidden', subject: 'keys.create', organisation: 'acme', ip: HERE },
  ])
  pass(3_600_000)
  door.unknown(HERE, 'guess')
  assert.equal(events.length, 4)
})

test('however many addresses are turned away, the log cannot be flooded', () => {
  const { door, events } = doorRig(20)
  for (let host = 0; host < 5_000; host++) door.unknown(`10.0.${host >> 8}.${host & 255}`, 'guess')
  assert.equal(events.length, 21)
  assert.deepEqual(events.at(-1)?.detail, { more: 'over 20 in this hour' })
})

test('of calls the log is told of guessing, once an hour from each address, and not of a wrong key', () => {
  const { door, events, pass } = doorRig()
  for (let time = 0; time < 50; time++) door.stranger(HERE, 'stale')
  assert.deepEqual(events, [])
  for (let guess = 0; guess < 100; guess++) door.stranger(HERE, `guess-${guess}`)
  assert.deepEqual(events, [{ actor: 'anonymous', action: 'key.guessed', subject: 'calls', ip: HERE }])
  pass(3_600_000)
  for (let guess = 0; guess < 100; guess++) door.stranger(HERE, `guess-${guess}`)
  assert.equal(events.length, 2)
})
