import type { BenchWire, StreamPlan } from '../payloads.ts'
import { type Measure, median, ratio } from '../report.ts'
import { type CallKind, type Subject, spend } from '../subjects.ts'
import { type Bench, rotated, type Section, Series } from './section.ts'

interface Case {
  readonly name: string
  readonly subject: Subject
  readonly kind: CallKind
  /** The bare proxy piping the same upstream stream. */
  readonly against: string
  /** Largest ratio that passes, for events that arrive one by one. */
  readonly budget?: number
}

const STREAMS = 128

/** Events come one by one, as a model writes them: the cost of an event is mostly that of a small read and a small write. */
const PACED: StreamPlan = { events: 150, paceMs: 8, burst: 1 }
/** Everything at once: what is left is the cost of reading and writing events. */
const FLOOD: StreamPlan = { events: 500, paceMs: 0, burst: 1 }

const WIRES: readonly BenchWire[] = ['openai-chat', 'anthropic-messages']
const SHORT: Record<BenchWire, string> = { 'openai-chat': 'chat', 'anthropic-messages': 'messages' }

function casesOf({ bare, signalbox, peer }: Bench): readonly Case[] {
  const cases: Case[] = []
  const bareOf = (wire: BenchWire): string => `bare, ${SHORT[wire]}`
  for (const wire of WIRES) cases.push({ name: bareOf(wire), subject: bare, kind: { client: wire, upstream: wire }, against: bareOf(wire) })
  for (const subject of [signalbox, peer]) {
    if (subject === undefined) continue
    for (const client of WIRES) {
      for (const upstream of WIRES) {
        // The peer's Messages front reaches Anthropic only.
        if (subject === peer && client === 'anthropic-messages') continue
        const same = client === upstream
        const name = `${subject.id}, ${same ? SHORT[client] : `${SHORT[client]} client on ${SHORT[upstream]} upstream`}`
        cases.push({
          name,
          subject,
          kind: { client, upstream },
          against: bareOf(upstream),
          ...(subject === signalbox ? { budget: same ? 1.3 : 2.5 } : {}),
        })
      }
    }
  }
  return cases
}

/** CPU per streamed event, one by one and at once, same wire and translated. */
export const stream: Section = async (bench) => {
  const { rig, rounds, say } = bench
  const paced = new Series()
  const flood = new Series()
  const allocated = new Series()
  const kindOf = (each: Case, plan: StreamPlan): CallKind => ({ ...each.kind, stream: plan })
  const cases: Case[] = []
  for (const each of casesOf(bench)) {
    say(`stream: warming up ${each.name}`)
    try {
      await rig.load({ shot: each.subject.shot(kindOf(each, { events: 100, paceMs: 0, burst: 1 })), calls: 300, connections: 16 })
      await rig.load({ shot: each.subject.shot(kindOf(each, { ...PACED, events: 40 })), calls: STREAMS, connections: STREAMS })
      cases.push(each)
    } catch (error) {
      bench.fail(`stream, ${each.name}`, error)
    }
  }
  for (let round = 0; round < rounds; round++) {
    say(`stream: round ${round + 1} of ${rounds}`)
    for (const each of rotated(cases, round)) {
      const one = await spend(rig, each.subject, { calls: STREAMS, connections: STREAMS }, kindOf(each, PACED))
      paced.add(each.name, one.cpuUs / (STREAMS * PACED.events))
      allocated.add(each.name, (one.allocated ?? Number.NaN) / (STREAMS * PACED.events))
      const all = await spend(rig, each.subject, { calls: 60, connections: 4 }, kindOf(each, FLOOD))
      flood.add(each.name, all.cpuUs / (60 * FLOOD.events))
    }
  }

  const measures: Measure[] = []
  const single = `Streamed event, one by one (${STREAMS} streams, ${PACED.events} events ${PACED.paceMs} ms apart)`
  for (const each of cases) {
    if (each.budget === undefined) continue
    measures.push({
      section: single,
      what: `CPU, ${each.name} ÷ bare`,
      value: ratio(paced.of(each.name), paced.of(each.against)),
      unit: '×',
      budget: each.budget,
    })
  }
  for (const each of cases)
    measures.push({ section: single, what: `CPU per event, ${each.name}`, value: median(paced.of(each.name)), unit: 'µs' })
  for (const each of cases)
    measures.push({ section: single, what: `heap allocated per event, ${each.name}`, value: median(allocated.of(each.name)), unit: 'B' })
  const section = `Streamed event, all at once (${FLOOD.events} events)`
  for (const each of cases) measures.push({ section, what: `CPU per event, ${each.name}`, value: median(flood.of(each.name)), unit: 'µs' })
  return measures
}
