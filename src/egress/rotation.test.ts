/** Keys that change under running calls. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Credentials } from '../core/credentials.ts'
import { GatewayError } from '../core/error.ts'
import { createProvider, type Provider } from './provider.ts'

interface Changing extends Credentials {
  keys: readonly string[]
  version: number
  known: readonly string[]
  readonly told: [number, number][]
  theirs: Credentials | undefined
}

function changing(...keys: string[]): Changing {
  const told: [number, number][] = []
  const credentials: Changing = {
    keys,
    version: 1,
    known: keys,
    told,
    theirs: undefined,
    worked: (place, version) => void told.push([place, version]),
    of: (organisation) => (organisation === 'acme' ? credentials.theirs : undefined),
  }
  return credentials
}

const providerWith = (keys: Credentials | readonly string[]): Provider =>
  createProvider({ id: 'p', baseUrlOf: () => 'http://p.test/v1', auth: { header: 'authorization', prefix: 'Bearer ' }, keys })

const sent = (provider: Provider, place: number): string | undefined => provider.headers('openai-chat', place, false)['authorization']

test('another list is in force with the next call, headers and number of keys included', () => {
  const credentials = changing('secret-one')
  const provider = providerWith(credentials)
  assert.equal(sent(provider, 0), 'Bearer secret-one')
  Object.assign(credentials, { keys: ['secret-new', 'secret-one'], version: 2 })
  assert.equal(provider.keyCount, 2)
  assert.equal(provider.keysVersion, 2)
  assert.equal(sent(provider, 0), 'Bearer secret-new')
  assert.equal(sent(provider, 1), 'Bearer secret-one')
  Object.assign(credentials, { keys: ['secret-new'], version: 3, known: ['secret-new', 'secret-one'] })
  // A place that was chosen just before the list became shorter.
  assert.equal(sent(provider, 1), 'Bearer secret-new')
  // Answers to earlier calls may repeat the old one.
  assert.equal(provider.scrubbed('no: secret-one, secret-new'), 'no: ***, ***')
})

test('without any key at the moment nothing is sent unauthenticated', () => {
  const provider = providerWith(changing())
  assert.equal(provider.keyCount, 1)
  assert.throws(
    () => sent(provider, 0),
    (error) => error instanceof GatewayError && error.id === 'upstream-credential' && error.unsent,
  )
  // A provider that needs none is another matter.
  assert.equal(sent(providerWith([]), 0), undefined)
})

test('an organisation with keys of its own is sent with those, and its list changes by itself', () => {
  const credentials = changing('secret-shared')
  const provider = providerWith(credentials)
  assert.equal(provider.for('acme'), provider)
  const theirs = changing('secret-acme')
  credentials.theirs = theirs
  const own = provider.for('acme')
  assert.equal(sent(own, 0), 'Bearer secret-acme')
  assert.equal(own.ownKeys, true)
  assert.equal(provider.ownKeys, false)
  assert.equal(provider.for('acme'), own)
  assert.equal(sent(provider.for('other'), 0), 'Bearer secret-shared')
  Object.assign(theirs, { keys: ['secret-acme-2'], version: 2, known: ['secret-acme-2'] })
  assert.equal(sent(provider.for('acme'), 0), 'Bearer secret-acme-2')
})
