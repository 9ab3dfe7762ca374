import { type Measure, median, ratio } from '../report.ts'
import { PLAIN_CHAT, type Subject, spend, startSignalbox } from '../subjects.ts'
import { rotated, type Section, Series, TURNS, warmUp } from './section.ts'

/** Enough for either: with half of the calls at a time a thread would wake twice as often. */
const CONNECTIONS = 64
const CALLS = 4_000

/** Calls that each thread has had. */
async function shares({ shot }: Subject): Promise<readonly number[]> {
  const page = await (await fetch(`http://127.0.0.1:${shot(PLAIN_CHAT).port}/metrics`)).text()
  return [...page.matchAll(/^signalbox_thread_calls_total\{thread="\d+"\} (\d+)$/gm)].map(([, calls]) => Number(calls))
}

/** CPU per plain call with two threads, against one; and how the calls are spread. */
export const threads: Section = async ({ rig, rounds, say }) => {
  const cpu = new Series()
  const subjects: Subject[] = []
  let spread = Number.NaN
  try {
    for (const count of [1, 2]) {
      const subject = await startSignalbox(rig, `threads-${count}`, { server: { threads: count } }, null)
      subjects.push(subject)
      // Each thread compiles for itself.
      for (let thread = 0; thread < count; thread++) await warmUp({ rig, say }, 'threads', subject, CONNECTIONS)
    }
    const before = await shares(subjects[1]!)
    for (let round = 0; round < rounds * TURNS; round++) {
      say(`threads: turn ${round + 1} of ${rounds * TURNS}`)
      for (const subject of rotated(subjects, round)) {
        const spent = await spend(rig, subject, { calls: CALLS, connections: CONNECTIONS }, PLAIN_CHAT)
        cpu.add(subject.id, spent.cpuUs / CALLS)
      }
    }
    const had = (await shares(subjects[1]!)).map((calls, index) => calls - (before[index] ?? 0))
    spread = Math.max(...had) / had.reduce((sum, calls) => sum + calls, 0)
  } finally {
    for (const { child } of subjects) await child?.stop()
  }
  const section = `Two threads (${CONNECTIONS} connections)`
  return [
    { section, what: 'CPU per call, two threads ÷ one', value: ratio(cpu.of('threads-2'), cpu.of('threads-1')), unit: '×', budget: 1.1 },
    { section, what: 'largest share of the calls of one thread', value: spread, unit: '×', budget: 0.65 },
    { section, what: 'CPU per call, one thread', value: median(cpu.of('threads-1')), unit: 'µs' },
    { section, what: 'CPU per call, two threads', value: median(cpu.of('threads-2')), unit: 'µs' },
  ] satisfies Measure[]
}
