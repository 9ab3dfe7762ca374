import type { StreamPlan } from '../payloads.ts'
import { type Measure, median } from '../report.ts'
import { type CallKind, direct, PLAIN_CHAT, type Subject } from '../subjects.ts'
import { rotated, type Section, Series, subjectsOf } from './section.ts'

const SECONDS = 1.5
const STREAM: StreamPlan = { events: 8, paceMs: 2, burst: 1 }
const STREAMS_PER_SECOND = 150
const CHAT_STREAM: CallKind = { ...PLAIN_CHAT, stream: STREAM }
const TRANSLATED_STREAM: CallKind = { client: 'openai-chat', upstream: 'anthropic-messages', stream: STREAM }

/** Added latency at half of each subject's own saturation, and time to first token added, both over calls straight to the upstream. */
export const latency: Section = async (bench) => {
  const { rig, rounds, say } = bench
  const straight = direct(rig)
  const subjects = subjectsOf(bench)
  const rates = new Series()
  /** Calls per second with 16 connections that are never idle. Measured in each round: on a shared machine it drifts. */
  const saturationOf = async (subject: Subject): Promise<number> => {
    const calls = subject.id === 'portkey' ? 800 : 6_000
    const { wallMs } = await rig.load({ shot: subject.shot(PLAIN_CHAT), calls, connections: 16 })
    return (calls * 1_000) / wallMs
  }
  for (const subject of subjects) {
    say(`latency: warming up ${subject.id}`)
    for (let i = 0; i < 2; i++) await saturationOf(subject)
  }

  const p50 = new Series()
  const p99 = new Series()
  const token50 = new Series()
  const token99 = new Series()
  const tokenCases: [string, Subject, CallKind][] = subjects.map((subject) => [subject.id, subject, CHAT_STREAM])
  if (bench.signalbox !== undefined) tokenCases.push(['signalbox, translated', bench.signalbox, TRANSLATED_STREAM])

  for (let round = 0; round < rounds; round++) {
    say(`latency: round ${round + 1} of ${rounds}`)
    for (const subject of rotated(subjects, round)) {
      const rate = (await saturationOf(subject)) / 2
      rates.add(subject.id, rate)
      const plan = { calls: Math.round(rate * SECONDS), connections: 256, rate }
      const base = await rig.load({ ...plan, shot: straight.shot(PLAIN_CHAT) })
      const seen = await rig.load({ ...plan, shot: subject.shot(PLAIN_CHAT) })
      p50.add(subject.id, seen.latency.p50 - base.latency.p50)
      p99.add(subject.id, seen.latency.p99 - base.latency.p99)
    }
    for (const [name, subject, kind] of rotated(tokenCases, round)) {
      const plan = { calls: 2 * STREAMS_PER_SECOND, connections: 256, rate: STREAMS_PER_SECOND }
      const base = await rig.load({ ...plan, shot: straight.shot({ ...kind, client: kind.upstream }) })
      const seen = await rig.load({ ...plan, shot: subject.shot(kind) })
      token50.add(name, seen.firstToken.p50 - base.firstToken.p50)
      token99.add(name, seen.firstToken.p99 - base.firstToken.p99)
    }
  }

  const measures: Measure[] = []
  const section = 'Added latency at half of its own saturation'
  for (const subject of subjects) {
    const ours = subject === bench.signalbox
    measures.push({ section, what: `p50, ${subject.id}`, value: median(p50.of(subject.id)), unit: 'ms', ...(ours ? { budget: 0.3 } : {}) })
    measures.push({ section, what: `p99, ${subject.id}`, value: median(p99.of(subject.id)), unit: 'ms', ...(ours ? { budget: 2 } : {}) })
    measures.push({ section, what: `rate, ${subject.id}`, value: median(rates.of(subject.id)), unit: '/s' })
  }
  const tokens = `Time to first token added (${STREAMS_PER_SECOND} streams per second)`
  for (const [name] of tokenCases) {
    measures.push({ section: tokens, what: `p50, ${name}`, value: median(token50.of(name)), unit: 'ms' })
    measures.push({ section: tokens, what: `p99, ${name}`, value: median(token99.of(name)), unit: 'ms' })
  }
  return measures
}
