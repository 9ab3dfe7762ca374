// What Signalbox costs, against a bare proxy and a peer, measured in one run on one machine. docs/guide/benchmarks.md says how to read it.

import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { canPin, raisePriority, stopAll } from './processes.ts'
import { type Measure, machine, passes, save, table } from './report.ts'
import { governedCalls } from './sections/governed.ts'
import { latency } from './sections/latency.ts'
import { memory } from './sections/memory.ts'
import { plain } from './sections/plain.ts'
import type { Bench, Section } from './sections/section.ts'
import { start } from './sections/start.ts'
import { stream } from './sections/stream.ts'
import { threads } from './sections/threads.ts'
import { type Subject, startBare, startPeer, startRig, startSignalbox } from './subjects.ts'

const SECTIONS: Record<string, Section> = { plain, governed: governedCalls, threads, stream, latency, start, memory }

const USAGE = `npm run bench -- [options]
  --only LIST    sections, comma-separated: ${Object.keys(SECTIONS).join(', ')} (default: all)
  --rounds N     interleaved rounds whose median counts (default: 5)
  --no-peer      without the peer gateway, which is installed from npm on first use
  --long         the published form of the memory section: 200,000 calls
  --publish      write the figures to bench/results/<date>.json instead of the cache
  --priority     before the machine's other work, where the system allows it
  --strict       exit code 1 when a budget is missed`

function optionsOf() {
  const { values } = parseArgs({
    allowNegative: true,
    options: {
      only: { type: 'string', default: Object.keys(SECTIONS).join(',') },
      rounds: { type: 'string', default: '5' },
      peer: { type: 'boolean', default: true },
      long: { type: 'boolean', default: false },
      publish: { type: 'boolean', default: false },
      priority: { type: 'boolean', default: false },
      strict: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const only = values.only.split(',').map((name) => name.trim())
  const unknown = only.find((name) => SECTIONS[name] === undefined)
  if (unknown !== undefined) throw new Error(`unknown section: ${unknown}`)
  const rounds = Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds takes a whole number of 1 or more')
  return { ...values, only, rounds }
}

type Options = ReturnType<typeof optionsOf>

const say = (line: string): void => {
  process.stderr.write(process.stderr.isTTY ? `\x1b[2K\r${line}` : line === '' ? '' : `${line}\n`)
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

async function run({ only, rounds, peer, long, publish, priority, strict }: Options): Promise<number> {
  const notes: string[] = []
  const measures: Measure[] = []
  const note = (line: string): void => {
    notes.push(line)
  }
  const before = machine()
  // A rig that has both cores for itself starts from an idle machine.
  const busy = loadavg()[0] ?? 0
  if (busy > 0.5)
    note(`quiet: the load average was ${busy.toFixed(2)} at the start; other work moves latencies and absolute figures, ratios less`)
  if (!canPin) note('pinning: needs Linux, taskset and two cores; the figures of all processes share what there is')
  if (priority && !raisePriority()) note('priority: the system does not allow it')
  const rig = await startRig()
  const bare = await startBare(rig)
  const tried = async (name: string, start: () => Promise<Subject>): Promise<Subject | undefined> => {
    say(`starting ${name}`)
    try {
      return await start()
    } catch (error) {
      note(`${name}: ${messageOf(error)}`)
      return undefined
    }
  }
  const signalbox = await tried('signalbox', () => startSignalbox(rig))
  const needsPeer = peer && only.some((name) => name !== 'start' && name !== 'memory')
  const other = needsPeer ? await tried('portkey', () => startPeer(rig)) : undefined
  let failed = signalbox === undefined
  const fail = (what: string, error: unknown): void => {
    failed = true
    note(`${what}: ${messageOf(error)}`)
  }
  const bench: Bench = { rig, rounds, long, bare, signalbox, peer: other, note, fail, say }
  for (const name of only) {
    try {
      measures.push(...(await SECTIONS[name]!(bench)))
    } catch (error) {
      fail(name, error)
    }
  }
  say('')
  await stopAll()

  const report = { date: new Date().toISOString(), machine: { ...before, loadAverageAfter: loadavg()[0] }, measures, notes }
  if (measures.length > 0) console.log(table(measures))
  for (const line of notes) console.log(`\nnote: ${line}`)
  const missed = measures.filter((measure) => passes(measure) === false)
  const held = measures.filter((measure) => passes(measure) === true)
  console.log(`\n${held.length} of ${held.length + missed.length} budgets held. ${save(report, publish)}`)
  return failed || (strict && missed.length > 0) ? 1 : 0
}

try {
  const options = optionsOf()
  if (options.help) console.log(USAGE)
  else process.exitCode = await run(options)
} catch (error) {
  console.error(`${messageOf(error)}\n\n${USAGE}`)
  process.exitCode = 2
}
