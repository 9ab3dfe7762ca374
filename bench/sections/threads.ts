import { type Measure, median, ratio } from '../report.ts'
import { difference, PLAIN_CHAT, type Rig, type Subject, startSignalbox } from '../subjects.ts'
import { type Bench, type Section, Series, TURNS, warmUp } from './section.ts'

/** Of each thread. */
const CONNECTIONS = 64
const CALLS = 4_000
/**
 * Two processes of the same code differ by a sixth for as long as they live: by what V8 made of it, and by where their pages lie. One of each
 * form says more about these two processes than about the forms.
 */
const PROCESSES = 3
/** Each thread compiles for itself. */
const WARM_UP = 45_000

interface Form {
  readonly subject: Subject
  readonly threads: number
}

/** Calls that each thread has had. */
async function shares({ subject }: Form): Promise<readonly number[]> {
  const page = await (await fetch(`http://127.0.0.1:${subject.shot(PLAIN_CHAT).port}/metrics`)).text()
  return [...page.matchAll(/^signalbox_thread_calls_total\{thread="\d+"\} (\d+)$/gm)].map(([, calls]) => Number(calls))
}

/** CPU of one call of each, µs, all of them under load at the same time. */
async function cpuOf(rig: Rig, forms: readonly Form[], connections: (form: Form) => number): Promise<readonly number[]> {
  const read = () => Promise.all(forms.map(({ subject }) => subject.child!.read()))
  const calls = (form: Form): number => (CALLS / CONNECTIONS) * connections(form)
  const before = await read()
  await Promise.all(
    forms.map((form) => rig.load({ calls: calls(form), connections: connections(form), shot: form.subject.shot(PLAIN_CHAT) })),
  )
  const after = await read()
  return forms.map((form, at) => difference(before[at], after[at]).cpuUs / calls(form))
}

async function startAll({ rig, say }: Bench, started: Subject[], threads: number): Promise<readonly Form[]> {
  const forms: Form[] = []
  for (let process = 1; process <= PROCESSES; process++) {
    const subject = await startSignalbox(rig, `threads-${threads}-${process}`, { server: { threads } }, null)
    started.push(subject)
    forms.push({ subject, threads })
    await warmUp({ rig, say }, 'threads', subject, CONNECTIONS, WARM_UP * threads)
  }
  return forms
}

/**
 * CPU per plain call with two threads, against one; and how the calls are spread. Side by side, each thread with the same load: on a small
 * machine two threads keep every core busy and share it with the load generator, one thread has a core for itself, and one after the
 * other they would be compared under different conditions.
 */
export const threads: Section = async (bench) => {
  const { rig, rounds, say } = bench
  const cpu = new Series()
  const started: Subject[] = []
  const spread: number[] = []
  try {
    const ones = await startAll(bench, started, 1)
    const twos = await startAll(bench, started, 2)
    const before = await Promise.all(twos.map(shares))
    for (let turn = 0; turn < rounds * TURNS; turn++) {
      say(`threads: turn ${turn + 1} of ${rounds * TURNS}`)
      const one = ones[turn % PROCESSES]!
      // Each with each of the others.
      const two = twos[(turn + Math.floor(turn / PROCESSES)) % PROCESSES]!
      const together = await cpuOf(rig, [one, two], ({ threads }) => threads * CONNECTIONS)
      cpu.add('one', together[0]!)
      cpu.add('two', together[1]!)
      for (const form of turn % 2 === 0 ? [one, two] : [two, one])
        cpu.add(`${form.threads} alone`, (await cpuOf(rig, [form], () => 2 * CONNECTIONS))[0]!)
    }
    for (const [at, two] of twos.entries()) {
      const had = (await shares(two)).map((calls, index) => calls - (before[at]?.[index] ?? 0))
      spread.push(Math.max(...had) / had.reduce((sum, calls) => sum + calls, 0))
    }
  } finally {
    for (const { child } of started) await child?.stop()
  }
  const section = `Two threads (${CONNECTIONS} connections for each, ${PROCESSES} processes of each form)`
  return [
    { section, what: 'CPU per call, two threads ÷ one', value: ratio(cpu.of('two'), cpu.of('one')), unit: '×', budget: 1.1 },
    { section, what: 'largest share of the calls of one thread', value: Math.max(...spread), unit: '×', budget: 0.65 },
    { section, what: 'CPU per call, one thread', value: median(cpu.of('one')), unit: 'µs' },
    { section, what: 'CPU per call, two threads', value: median(cpu.of('two')), unit: 'µs' },
    { section, what: 'CPU per call, one thread alone', value: median(cpu.of('1 alone')), unit: 'µs' },
    { section, what: 'CPU per call, two threads alone', value: median(cpu.of('2 alone')), unit: 'µs' },
    { section, what: '… two threads alone ÷ one alone', value: ratio(cpu.of('2 alone'), cpu.of('1 alone')), unit: '×' },
  ] satisfies Measure[]
}
