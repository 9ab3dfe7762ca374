import { join } from 'node:path'
import { PLAIN_MODEL, requestBody } from '../payloads.ts'
import { type Child, ROOT, SUBJECT_CORE, scratch, startNode } from '../processes.ts'
import { type Measure, median, ratio } from '../report.ts'
import { difference, hasEmbed, PLAIN_CHAT, SIGNALBOX_ENV, signalboxConfig, spend } from '../subjects.ts'
import { type Bench, rotated, type Section, Series, subjectsOf, TURNS, warmUp } from './section.ts'

const CONNECTIONS = 16
const CALLS: Record<string, number> = { portkey: 600 }
const callsOf = (id: string): number => CALLS[id] ?? 3_000

/** An application's own process: it calls the provider with `fetch`, or through the embedded gateway. */
export type EmbeddedMode = 'fetch' | 'gateway'

async function startApplication({ rig }: Bench, mode: EmbeddedMode): Promise<Child> {
  const prefix = mode === 'gateway' ? 'mock/' : ''
  const job = {
    mode,
    config: signalboxConfig(rig),
    url: `http://127.0.0.1:${rig.upstreamPort}/v1/chat/completions`,
    body: requestBody('openai-chat', `${prefix}${PLAIN_MODEL}`, false).toString(),
    connections: CONNECTIONS,
  }
  const args = [join(ROOT, 'bench/application.ts'), JSON.stringify(job)]
  const child = startNode({ name: `application-${mode}`, args, core: SUBJECT_CORE, probe: true, env: SIGNALBOX_ENV, cwd: scratch })
  await child.hello
  return child
}

/** CPU per plain chat call, and calls per second on one core. */
export const plain: Section = async (bench) => {
  const { rig, rounds, say } = bench
  const subjects = subjectsOf(bench)
  const cpu = new Series()
  const perSecond = new Series()
  const allocated = new Series()
  for (const subject of subjects) await warmUp(bench, 'plain', subject, CONNECTIONS)
  for (let round = 0; round < rounds * TURNS; round++) {
    say(`plain: turn ${round + 1} of ${rounds * TURNS}`)
    for (const subject of rotated(subjects, round)) {
      const calls = callsOf(subject.id)
      const spent = await spend(rig, subject, { calls, connections: CONNECTIONS }, PLAIN_CHAT)
      cpu.add(subject.id, spent.cpuUs / calls)
      perSecond.add(subject.id, (calls * 1_000) / spent.load.wallMs)
      allocated.add(subject.id, (spent.allocated ?? Number.NaN) / calls)
    }
  }
  const embedded = await embeddedRounds(bench)

  const section = `Plain chat call (${CONNECTIONS} connections)`
  const measures: Measure[] = []
  const push = (what: string, value: number, unit: Measure['unit'], budget?: number): void => {
    measures.push({ section, what, value, unit, ...(budget === undefined ? {} : { budget }) })
  }
  if (bench.signalbox !== undefined) push('CPU, signalbox ÷ bare proxy', ratio(cpu.of('signalbox'), cpu.of('bare')), '×', 1.3)
  if (bench.signalbox !== undefined && bench.peer !== undefined)
    push('CPU, signalbox ÷ portkey', ratio(cpu.of('signalbox'), cpu.of('portkey')), '×', 1 / 8)
  for (const { id } of subjects) push(`CPU per call, ${id}`, median(cpu.of(id)), 'µs')
  for (const { id } of subjects) push(`calls per second, ${id}`, median(perSecond.of(id)), '/s')
  for (const { id } of subjects) push(`heap allocated per call, ${id}`, median(allocated.of(id)), 'B')
  for (const id of ['fetch', 'gateway']) {
    if (embedded.has(id))
      push(
        id === 'fetch' ? 'CPU per call in an application, its own fetch' : 'CPU per call in an application, embedded gateway',
        median(embedded.of(id)),
        'µs',
      )
  }
  if (embedded.has('gateway')) push('embedded gateway ÷ own fetch', ratio(embedded.of('gateway'), embedded.of('fetch')), '×')
  return measures
}

async function embeddedRounds(bench: Bench): Promise<Series> {
  const series = new Series()
  if (!hasEmbed()) {
    bench.note('embedded: src/index.ts is not there')
    return series
  }
  const modes: EmbeddedMode[] = ['fetch', 'gateway']
  const children = new Map<EmbeddedMode, Child>()
  try {
    for (const mode of modes) {
      const child = await startApplication(bench, mode)
      children.set(mode, child)
      await child.ask({ calls: 20_000 })
    }
    for (let round = 0; round < bench.rounds; round++) {
      for (const mode of rotated(modes, round)) {
        const child = children.get(mode)!
        const before = await child.read()
        await child.ask({ calls: 4_000 })
        series.add(mode, difference(before, await child.read()).cpuUs / 4_000)
      }
    }
  } catch (error) {
    bench.fail('embedded', error)
  } finally {
    for (const child of children.values()) await child.stop()
  }
  return series
}
