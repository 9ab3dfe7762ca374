import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chanceOf, runSeed } from '../../../test/random.ts'
import type { RecordStore } from '../../core/records.ts'
import { plainKey, type Rig, refusal, who, withRig } from './fixtures/rig.ts'
import { nodeCrypto } from './node-crypto.ts'
import { type RotationSchedule, rotationSchedule } from './scheduled-rotation.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const ROUNDS = 60
const settings = { to: 'file:/keys/{id}', overlapMs: DAY }
const monthly = { ...plainKey, rotateEveryMs: 30 * DAY }

interface Place {
  readonly schedule: RotationSchedule
  /** What was put where, the last one last. */
  readonly put: [string, string][]
  readonly told: string[]
  /** Before and after a value is put: throw to fail. */
  before: () => void
  after: (secret: string) => void
}

async function placeOf(
  one: Rig,
  { records = one.records, ...hooks }: Partial<Place> & { readonly records?: RecordStore } = {},
): Promise<Place> {
  const place: Omit<Place, 'schedule'> = { put: [], told: [], before() {}, after() {}, ...hooks }
  const schedule = rotationSchedule({
    records,
    crypto: nodeCrypto,
    async deliver(destination, secret) {
      place.before()
      place.put.push([destination, secret])
      place.after(secret)
    },
    audit: (event) => one.audited.push(event),
    tell: (line) => place.told.push(line),
    now: one.now,
    settleMs: 0,
  })
  schedule.configure(settings)
  // The look that comes with it.
  await schedule.run()
  return Object.assign(place, { schedule })
}

const opens = async (one: Rig, secret: string): Promise<boolean> =>
  who(one, secret).then(
    () => true,
    (error: unknown) => {
      refusal('unauthenticated')(error)
      return false
    },
  )

/** As long as changes take to be told. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('a key that is due has a successor where its holder looks, and works on for a while', () =>
  withRig(async (one) => {
    const place = await placeOf(one)
    const { key, secret } = await one.keys.create(monthly)
    const other = await one.keys.create(plainKey)
    const expired = await one.keys.create({ ...monthly, expiresAt: one.now() + HOUR })
    assert.equal(key.rotatesAt, one.now() + 30 * DAY)
    one.pass(30 * DAY - 1)
    await place.schedule.run()
    assert.deepEqual(place.put, [])
    one.pass(1)
    await place.schedule.run()
    const [[destination, successor] = ['', '']] = place.put
    assert.equal(place.put.length, 1)
    assert.equal(destination, `file:/keys/${key.id}`)
    await turn()
    assert.deepEqual([await opens(one, secret), await opens(one, successor)], [true, true])
    assert.equal((await who(one, successor)).id, key.id)
    const after = await one.keys.get(key.id)
    assert.deepEqual([after?.rotatedAt, after?.rotatesAt, after?.previousValidUntil], [one.now(), one.now() + 30 * DAY, one.now() + DAY])
    assert.ok(successor.startsWith(after?.prefix ?? '-'))
    assert.deepEqual(
      one.audited.filter(({ action }) => action.startsWith('key.rot')).map(({ actor, action, subject }) => [actor, action, subject]),
      [['system', 'key.rotate', `key/${key.id}`]],
    )
    // Not again, and nothing for those without a schedule or at their end.
    await place.schedule.run()
    assert.equal(place.put.length, 1)
    assert.equal((await one.keys.get(other.key.id))?.rotatedAt, undefined)
    assert.equal((await one.keys.get(expired.key.id))?.rotatedAt, undefined)
    one.pass(DAY + 1)
    assert.deepEqual([await opens(one, secret), await opens(one, successor)], [false, true])
    one.pass(29 * DAY)
    await place.schedule.run()
    assert.equal(place.put.length, 2)
  }))

test('what cannot be delivered ends nothing: it is told, and the same successor is tried again', () =>
  withRig(async (one) => {
    const place = await placeOf(one)
    const { key, secret } = await one.keys.create(monthly)
    one.pass(30 * DAY)
    const tried: string[] = []
    place.before = () => {
      throw new Error('Vault is away')
    }
    for (let day = 0; day < 20; day++) {
      await place.schedule.run()
      one.pass(DAY)
      assert.ok(await opens(one, secret))
    }
    assert.equal(place.told.length, 1)
    assert.match(place.told[0] ?? '', new RegExp(`^the key ${key.id} is due for rotation, .*Vault is away$`))
    assert.ok(one.audited.some(({ action }) => action === 'key.rotation-failed'))
    place.before = () => {}
    await place.schedule.run()
    tried.push(...place.put.map(([, value]) => value))
    await turn()
    assert.equal(tried.length, 1)
    assert.ok((await opens(one, tried[0] ?? '')) && (await opens(one, secret)))
    one.pass(DAY + 1)
    assert.ok(!(await opens(one, secret)))
    const said = JSON.stringify([place.told, one.audited, await one.keys.get(key.id)])
    assert.ok(!said.includes(tried[0] ?? '-') && !said.includes(secret))
  }))

test('of several replicas one rotates a key', () =>
  withRig(async (one) => {
    const places = [await placeOf(one), await placeOf(one), await placeOf(one)]
    const keys = await Promise.all(Array.from({ length: 20 }, () => one.keys.create(monthly)))
    one.pass(30 * DAY)
    await Promise.all(places.map(({ schedule }) => schedule.run()))
    const put = places.flatMap((place) => place.put)
    assert.deepEqual(put.map(([to]) => to).toSorted(), keys.map(({ key }) => `file:/keys/${key.id}`).toSorted())
    await turn()
    for (const [, value] of put) assert.ok(await opens(one, value))
  }))

test('a process that stood still puts nothing over what another one has put', () =>
  withRig(async (one) => {
    const { key } = await one.keys.create(monthly)
    const other = await placeOf(one)
    let still = true
    const slow = await placeOf(one, {
      records: {
        ...one.records,
        async update(record) {
          const updated = await one.records.update(record)
          if (still) {
            still = false
            one.pass(16 * 60_000)
            await other.schedule.run()
          }
          return updated
        },
      },
    })
    one.pass(30 * DAY)
    await slow.schedule.run()
    assert.deepEqual([other.put.length, slow.put.length], [1, 0])
    await turn()
    assert.equal((await who(one, other.put[0]?.[1])).id, key.id)
  }))

test('a rotation by hand and a revocation meanwhile are the last word', () =>
  withRig(async (one) => {
    const place = await placeOf(one)
    const [rotated, revoked] = [await one.keys.create(monthly), await one.keys.create(monthly)]
    one.pass(30 * DAY)
    let byHand = ''
    const meanwhile: Promise<void>[] = []
    place.before = () => {
      place.before = () => {}
      meanwhile.push(
        one.keys.rotate(rotated.key.id, { overlapMs: HOUR }).then(({ secret }) => {
          byHand = secret
        }),
        one.keys.revoke(revoked.key.id).then(() => {}),
      )
      throw new Error('not now')
    }
    await place.schedule.run()
    await Promise.all(meanwhile)
    await place.schedule.run()
    await turn()
    assert.ok(await opens(one, byHand))
    assert.ok(await opens(one, rotated.secret))
    one.pass(HOUR + 1)
    assert.deepEqual([await opens(one, byHand), await opens(one, rotated.secret), await opens(one, revoked.secret)], [true, false, false])
    for (const [to, value] of place.put) if (to.endsWith(revoked.key.id)) assert.ok(!(await opens(one, value)))
  }))

test('a change of the key meanwhile keeps its successor', () =>
  withRig(async (one) => {
    const place = await placeOf(one)
    const { key } = await one.keys.create(monthly)
    one.pass(30 * DAY)
    place.before = () => {
      throw new Error('not now')
    }
    await place.schedule.run()
    const { version } = (await one.keys.get(key.id))!
    await one.keys.update(key.id, version, { ...monthly, alias: 'renamed' })
    place.before = () => {}
    await place.schedule.run()
    await turn()
    assert.equal((await who(one, place.put[0]?.[1])).alias, 'renamed')
  }))

test('without a place no key is rotated', () =>
  withRig(async (one) => {
    const place = await placeOf(one)
    await one.keys.create(monthly)
    one.pass(30 * DAY)
    place.schedule.configure(undefined)
    await place.schedule.run()
    assert.deepEqual(place.put, [])
    await place.schedule.stop()
  }))

/** Processes that end in the midst of it, stores and places that fail before or after they have done what they were asked. */
test('whatever breaks off, the key that its holder last found opens', async () => {
  const seed = runSeed()
  let rotated = 0
  for (let round = 0; round < ROUNDS; round++)
    await withRig(async (one) => {
      const { one: chance } = chanceOf(seed + round)
      const { key, secret } = await one.keys.create(monthly)
      let atPlace = secret
      const faulty: RecordStore = {
        ...one.records,
        async update(record) {
          if (chance(0.15)) throw new Error('lost on the way there')
          const done = await one.records.update(record)
          if (chance(0.15)) throw new Error('lost on the way back')
          return done
        },
      }
      const places: Place[] = []
      const begin = async (): Promise<Place> => {
        const place = await placeOf(one, {
          records: faulty,
          before() {
            if (chance(0.2)) throw new Error('not there')
          },
          after(secret) {
            atPlace = secret
            if (chance(0.2)) throw new Error('there, but not said')
          },
        })
        places.push(place)
        return place
      }
      let place = await begin()
      for (let step = 0; step < 30; step++) {
        await place.schedule.run()
        await turn()
        assert.ok(await opens(one, atPlace), `seed ${seed}, round ${round}, step ${step}`)
        if (chance(0.3)) {
          await place.schedule.stop()
          place = await begin()
        }
        // Holders look at least once in the time that keys work on.
        one.pass(chance(0.2) ? 30 * DAY : 20 * 60_000)
        assert.ok(await opens(one, atPlace), `seed ${seed}, round ${round}, step ${step}, later`)
      }
      if ((await one.keys.get(key.id))?.rotatedAt) rotated++
      for (const { schedule } of places) await schedule.stop()
    })
  assert.ok(rotated > ROUNDS / 2, `seed ${seed}: ${rotated} of ${ROUNDS} were ever rotated`)
})
