import { join } from 'node:path'
import { scratch } from '../processes.ts'
import { type Measure, median, ratio } from '../report.ts'
import { PLAIN_CHAT, SIGNALBOX_ENV, type Subject, spend, startSignalbox } from '../subjects.ts'
import { type Bench, rotated, type Section, Series, TURNS, warmUp } from './section.ts'

const CONNECTIONS = 16
const CALLS = 3_000
/** Until the last entries of the ledger are in the database. */
const SHIPPED_MS = 700

/** A key with three limits and a budget, under another budget of everybody's: none of them is ever reached. */
const GOVERNED = {
  access: { mode: 'keys' },
  budgets: [{ name: 'company', limit: '1000000', window: 'month' }],
  models: {
    governed: { targets: [{ provider: 'mock', model: 'bench-plain', price: { input: 1, output: 2 } }] },
  },
}
const KEY = {
  alias: 'bench',
  limits: [
    { what: 'requests', limit: 1_000_000_000, window: '1m' },
    { what: 'tokens', limit: 1_000_000_000_000, window: '1m' },
    { what: 'concurrent', limit: 100_000 },
  ],
  budgets: [{ limit: '1000000', window: 'day' }],
}

/** The same subject, called with a key made for it. */
async function governed(bench: Bench, id: string, store: string): Promise<Subject> {
  const subject = await startSignalbox(bench.rig, id, { ...GOVERNED, store: { url: store } })
  const { port } = subject.shot(PLAIN_CHAT)
  const made = await fetch(`http://127.0.0.1:${port}/admin/v1/keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${SIGNALBOX_ENV.SIGNALBOX_ADMIN_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify(KEY),
  })
  if (made.status !== 201) throw new Error(`no key could be made: ${made.status} ${await made.text()}`)
  const { key } = (await made.json()) as { key: string }
  return {
    ...subject,
    shot(kind) {
      const shot = subject.shot(kind)
      const body = JSON.stringify({ ...(JSON.parse(shot.body) as object), model: 'governed' })
      return { ...shot, body, headers: { ...shot.headers, authorization: `Bearer ${key}` } }
    },
  }
}

/** CPU per plain call with a key, three limits, two budgets, the ledger and metrics. */
export const governedCalls: Section = async (bench) => {
  const { rig, rounds, say, bare } = bench
  const subjects = [bare]
  const forms: readonly [string, string][] = [
    ['memory', 'memory:'],
    ['SQLite', `sqlite:${join(scratch, 'governed.db')}`],
  ]
  const made: Subject[] = []
  const cpu = new Series()
  try {
    for (const [name, store] of forms) {
      const subject = await governed(bench, `governed-${name}`, store)
      made.push(subject)
      subjects.push(subject)
    }
    for (const subject of subjects) await warmUp(bench, 'governed', subject, CONNECTIONS)
    for (let round = 0; round < rounds * TURNS; round++) {
      say(`governed: turn ${round + 1} of ${rounds * TURNS}`)
      for (const subject of rotated(subjects, round)) {
        const spent = await spend(rig, subject, { calls: CALLS, connections: CONNECTIONS }, PLAIN_CHAT, SHIPPED_MS)
        cpu.add(subject.id, spent.cpuUs / CALLS)
      }
    }
  } finally {
    for (const { child } of made) await child?.stop()
  }
  const section = 'Call with key, 3 limits, 2 budgets, ledger, metrics'
  return forms.flatMap(([name]): Measure[] => {
    const series = cpu.of(`governed-${name}`)
    return [
      { section, what: `CPU, ${name} ÷ bare proxy`, value: ratio(series, cpu.of(bare.id)), unit: '×', budget: 2 },
      { section, what: `CPU per call, ${name}`, value: median(series), unit: 'µs' },
    ]
  })
}
