import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cancellation } from '../core/cancellation.ts'
import { GatewayError } from '../core/error.ts'
import type { Priority } from '../core/priority.ts'
import { type Admission, type AdmissionOptions, createAdmission, type Place } from './admission.ts'
import type { Clock } from './loop-delay.ts'

interface FakeClock extends Clock {
  /** Lets so many milliseconds pass; what is due comes in order. */
  pass(ms: number): void
  /** The same in one turn of the loop: what is due comes late, with the next `pass`. */
  stall(ms: number): void
  readonly pending: number
}

function fakeClock(): FakeClock {
  let at = 0
  const timers = new Set<{ due: number; run: () => void }>()
  return {
    now: () => at,
    after(ms, run) {
      const timer = { due: at + ms, run }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    pass(ms) {
      const end = at + ms
      for (;;) {
        const next = [...timers].filter(({ due }) => due <= end).sort((one, other) => one.due - other.due)[0]
        if (!next) break
        at = Math.max(at, next.due)
        timers.delete(next)
        next.run()
      }
      at = Math.max(at, end)
    },
    stall(ms) {
      at += ms
    },
    get pending() {
      return timers.size
    },
  }
}

const rig = (options: AdmissionOptions = {}): { admission: Admission; clock: FakeClock } => {
  const clock = fakeClock()
  return { clock, admission: createAdmission({ clock, random: () => 0, ...options }) }
}

const enter = (
  admission: Admission,
  priority: Priority = 'interactive',
  bytes = 10,
  cancellation = new Cancellation(),
): Place | Promise<Place> => admission.enter({ priority, bytes, cancellation })

/** Keeps a rejection from being unhandled before it is looked at. */
function later(place: Place | Promise<Place>): Promise<Place> {
  const promise = Promise.resolve(place)
  promise.catch(() => {})
  return promise
}

const taken = (place: Place | Promise<Place>): Place => {
  assert.ok(!(place instanceof Promise), 'there was no place at once')
  return place
}

const isOverloaded = (error: unknown): boolean =>
  error instanceof GatewayError && error.id === 'overloaded' && (error.retryAfterMs ?? 0) >= 1_000

test('where there is a place it is given at once, and nothing runs in an idle process', () => {
  const { admission, clock } = rig({ calls: 3 })
  const place = taken(enter(admission))
  assert.equal(admission.report().inFlight, 1)
  assert.equal(clock.pending, 0)
  place.leave()
  place.leave()
  assert.equal(admission.report().inFlight, 0)
  assert.equal(admission.report().heldBytes, 0)
})

test('who finds none waits for the next one that is free', async () => {
  const { admission, clock } = rig({ calls: 1 })
  const first = taken(enter(admission))
  const second = later(enter(admission))
  clock.pass(300)
  first.leave()
  assert.equal((await second).waitedMs, 300)
  assert.deepEqual(admission.report().waited, { count: 1, sumMs: 300 })
})

test('nobody waits for longer than a second: the refusal says when to come back', async () => {
  const { admission, clock } = rig({ calls: 1 })
  taken(enter(admission))
  const second = later(enter(admission))
  clock.pass(999)
  assert.equal(admission.report().waiting, 1)
  clock.pass(1)
  await assert.rejects(second, isOverloaded)
  assert.deepEqual([admission.report().waiting, admission.report().shed.waited], [0, 1])
})

test('work whose caller has gone is dropped, and its place goes to the next', async () => {
  const { admission } = rig({ calls: 1 })
  const first = taken(enter(admission))
  const gone = new Cancellation()
  const second = later(enter(admission, 'interactive', 10, gone))
  const third = later(enter(admission))
  gone.cancel(new GatewayError('client-closed', 'gone'))
  await assert.rejects(second, (error: GatewayError) => error.id === 'client-closed')
  first.leave()
  await third
  assert.equal(admission.report().left, 1)
})

test('the line is as long as it may be, and who would stand behind it is refused at once', () => {
  const { admission } = rig({ calls: 1 })
  taken(enter(admission))
  for (let i = 0; i < 100; i++) {
    assert.equal(admission.closed(), undefined)
    void later(enter(admission))
  }
  assert.ok(admission.closed())
  assert.throws(() => enter(admission), isOverloaded)
})

test('of calls that have arrived and wait to be begun there may be as many as will be begun soon', () => {
  const { admission, clock } = rig()
  // Before the pace is known.
  assert.equal(admission.closed(999), undefined)
  assert.ok(admission.closed(1_000))
  assert.equal(admission.report().waiting, 1_000)
  clock.pass(300)
  assert.equal(admission.report().waiting, 0)
  // Ten calls a millisecond: 2,500 in a quarter of a second.
  for (let ms = 0; ms < 5_000; ms++) {
    const places = Array.from({ length: 10 }, () => taken(enter(admission)))
    admission.closed(20)
    clock.pass(1)
    for (const place of places) place.leave()
  }
  assert.equal(admission.closed(2_000), undefined)
  assert.ok(admission.closed(2_600))
})

test('the most urgent goes first, and sends the least urgent away where the line is full', async () => {
  const { admission } = rig({ calls: 1 })
  const first = taken(enter(admission))
  const order: string[] = []
  const waits = (priority: Priority, name: string): Promise<void> =>
    later(enter(admission, priority)).then(
      (place) => {
        order.push(name)
        place.leave()
      },
      () => void order.push(`${name} refused`),
    )
  const all = [waits('batch', 'b1'), waits('agent', 'a1'), waits('batch', 'b2'), waits('interactive', 'i1')]
  for (let i = 0; i < 96; i++) all.push(waits('interactive', 'more'))
  // The line is full: the last of the least urgent makes room.
  all.push(waits('agent', 'a2'))
  assert.equal(admission.closed(), undefined)
  await Promise.resolve()
  first.leave()
  await Promise.all(all)
  assert.deepEqual(
    order.filter((name) => name !== 'more'),
    ['b2 refused', 'i1', 'a1', 'a2', 'b1'],
  )
})

test('a fifth of the places is kept for interactive calls', () => {
  const { admission } = rig({ calls: 10 })
  for (let i = 0; i < 8; i++) taken(enter(admission, 'batch'))
  void later(enter(admission, 'batch'))
  assert.equal(admission.report().waiting, 1)
})

test('what calls hold is bounded, but one alone may be as large as it is', async () => {
  const { admission } = rig({ bytes: 100 })
  const large = taken(enter(admission, 'interactive', 500))
  const small = later(enter(admission, 'interactive', 20))
  assert.throws(() => enter(admission, 'interactive', 90), isOverloaded)
  large.leave()
  await small
  assert.equal(admission.report().heldBytes, 20)
})

test('where memory runs short there are fewer places, and at the end none', () => {
  let used = 0.5
  const { admission, clock } = rig({ calls: 100, memory: () => used })
  taken(enter(admission))
  assert.equal(admission.report().limit, 100)
  used = 0.9
  clock.pass(600)
  taken(enter(admission))
  assert.equal(admission.report().limit, 49)
  used = 0.96
  clock.pass(600)
  assert.throws(() => enter(admission), isOverloaded)
  assert.ok(admission.closed())
  used = 0.5
  clock.pass(600)
  assert.equal(admission.closed(), undefined)
  taken(enter(admission))
})

test('a reload changes the bounds for those who wait', async () => {
  const { admission } = rig({ calls: 1 })
  taken(enter(admission))
  const second = later(enter(admission))
  admission.configure({ calls: 5 })
  await second
})

/** Callers who come until one is refused. */
function crowd(admission: Admission): void {
  for (;;) {
    try {
      void later(enter(admission))
    } catch {
      return
    }
  }
}

test('where calls wait and the loop is calm the places grow at once; quick turns between long ones are no calm', () => {
  const calm = rig()
  crowd(calm.admission)
  const before = calm.admission.report().limit
  calm.clock.pass(60)
  assert.ok(calm.admission.report().limit > before * 1.5)

  const { admission, clock } = rig()
  for (let turn = 0; turn < 20; turn++) {
    crowd(admission)
    clock.stall(95)
    clock.pass(45)
  }
  // Until the second long one it may have been a lone pause. With each quick turn for calm they would be 2,000 by now.
  assert.ok(admission.report().limit < before * 3, `${admission.report().limit} places`)
})

test('in 2,000 random schedules no place is lost or given twice, and nobody waits for ever', async () => {
  for (let seed = 1; seed <= 2_000; seed++) {
    let state = seed
    const random = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return state / 2 ** 32
    }
    const calls = 1 + Math.floor(random() * 30)
    const { admission, clock } = rig({ calls, bytes: 1_000, random })
    const running = new Set<Place>()
    let held = 0
    let waiting = 0
    let answered = 0
    let asked = 0
    for (let step = 0; step < 60; step++) {
      const what = random()
      if (what < 0.6) {
        asked++
        const priority = (['interactive', 'agent', 'batch'] as const)[Math.floor(random() * 3)] ?? 'batch'
        const bytes = Math.floor(random() * 200)
        const cancellation = new Cancellation()
        let place: Place | Promise<Place>
        try {
          place = enter(admission, priority, bytes, cancellation)
        } catch {
          answered++
          continue
        }
        waiting++
        void Promise.resolve(place).then(
          (got) => {
            waiting--
            answered++
            running.add(got)
          },
          () => {
            waiting--
            answered++
          },
        )
        if (random() < 0.2) cancellation.cancel(new GatewayError('client-closed', 'gone'))
      } else if (what < 0.85) {
        const [one] = running
        if (one) {
          running.delete(one)
          one.leave()
        }
      } else clock.pass(random() * 600)
      await Promise.resolve()
      await Promise.resolve()
      const report = admission.report()
      held = report.heldBytes
      assert.ok(report.inFlight <= calls, `seed ${seed}: ${report.inFlight} of ${calls}`)
      assert.ok(held <= 1_000, `seed ${seed}: ${held} bytes`)
    }
    clock.pass(1_001)
    await new Promise((resolve) => setImmediate(resolve))
    for (const place of running) place.leave()
    const { inFlight, heldBytes, waiting: left } = admission.report()
    assert.deepEqual(
      { seed, inFlight, heldBytes, left, waiting, answered },
      { seed, inFlight: 0, heldBytes: 0, left: 0, waiting: 0, answered: asked },
    )
  }
})
