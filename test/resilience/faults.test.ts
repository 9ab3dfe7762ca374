/**
 * Every fault of a provider × plain and streamed × one target, three with one faulty, three with two faulty, the faulty ones
 * first. With a healthy target left, every call succeeds; without one, every call is refused in the caller's dialect; what
 * broke off in the middle never looks like success; and once a fault is known, it costs next to no extra requests.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Simulation } from '../../src/testing/index.ts'
import { type CallOptions, endingOf, faultRig } from './fault-rig.ts'

/** `mid`: a stream has begun well when it strikes. */
const faults: Readonly<Record<string, Simulation & { readonly mid?: boolean }>> = {
  '500': { status: 500 },
  '502': { status: 502 },
  '503': { status: 503 },
  '529': { status: 529 },
  '429 with seconds': { status: 429, retryAfter: 2 },
  '429 with a date': { status: 429, retryAfter: 3, retryForm: 'date' },
  '429 without words': { status: 429 },
  '401': { status: 401 },
  '403': { status: 403 },
  'no such model': { status: 404 },
  refused: { fault: 'refuse' },
  silence: { firstMs: 60_000 },
  'a web page': { fault: 'html' },
  'an empty body': { fault: 'empty' },
  'an error in a 200': { fault: 'error-in-200' },
  'a redirect': { fault: 'redirect' },
  'no JSON': { fault: 'garbage', mid: true },
  'a body that ends early': { fault: 'truncate', mid: true },
  'a connection that breaks': { fault: 'reset', mid: true },
  'a stall': { fault: 'stall', mid: true },
  'an error in mid-stream': { fault: 'error-mid-stream', mid: true },
}

const CALLS = 24

/** Those that only a time limit ends. For the others it is long, so that a slow machine changes nothing. */
const waits = new Set(['silence', 'a stall'])
const PATIENT = { firstToken: '10s', answer: '10s', idle: '10s', total: '30s' }

// Each has a gateway of its own, and waits more than it computes.
describe('with one fault at a time', { concurrency: 3 }, () => {
  for (const [name, { mid = false, ...simulation }] of Object.entries(faults)) {
    for (const stream of [false, true]) {
      for (const faulty of [0, 1, 2]) {
        const alone = faulty === 0
        const title = `${name}, ${stream ? 'streamed' : 'plain'}, ${alone ? 'one target' : `${faulty} of 3 targets`}`
        test(title, async () => {
          const hosts: Record<string, Simulation> = alone ? { a: simulation } : { a: simulation, b: faulty > 1 ? simulation : {}, c: {} }
          const { calls, sent } = faultRig(waits.has(name) ? { hosts } : { hosts, defaults: { timeouts: PATIENT } })
          const options: CallOptions = { stream }
          const answers = await calls(CALLS, options)
          const endings = answers.map((answer) => endingOf(answer, stream))
          const count = (ending: string): number => endings.filter((one) => one === ending).length
          if (mid && stream) {
            // The caller has part of the answer: what can be asked is that it shows, and that the target is left after five,
            // and those that were on their way by then.
            if (!alone) assert.ok(count('broken') <= 8 * faulty, `${count('broken')} of ${CALLS}`)
            assert.equal(count('refusal'), 0)
          } else assert.equal(count(alone ? 'refusal' : 'answer'), CALLS)
          if (/^40[13]$/.test(name)) assert.ok(answers.every(({ status }) => status !== 401 && status !== 403))

          sent.length = 0
          const later = await calls(CALLS, options)
          assert.ok(sent.length <= CALLS * 1.2, `${sent.length} requests for ${CALLS} calls once it was known`)
          if (!alone) assert.ok(later.every((answer) => endingOf(answer, stream) === 'answer'))
          assert.ok(
            alone || sent.filter((host) => host !== 'c' && (faulty > 1 || host !== 'b')).length <= 4,
            'the faulty ones are left alone',
          )
        })
      }
    }
  }
})
