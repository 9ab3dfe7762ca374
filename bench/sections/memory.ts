import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { StreamPlan } from '../payloads.ts'
import { freePort, ROOT, ready, scratch, sleep, startNode, treeRss } from '../processes.ts'
import { type Measure, median } from '../report.ts'
import { type CallKind, hasServer, PLAIN_CHAT, SERVER, type Subject, startSignalbox } from '../subjects.ts'
import type { Bench, Section } from './section.ts'

const MB = 1_048_576
const STREAM: StreamPlan = { events: 20, paceMs: 0, burst: 2 }
const MIX: readonly [CallKind, number][] = [
  [PLAIN_CHAT, 3_000],
  [{ client: 'openai-chat', upstream: 'openai-chat', stream: STREAM }, 600],
  [{ client: 'openai-chat', upstream: 'anthropic-messages', stream: STREAM }, 600],
  [{ client: 'anthropic-messages', upstream: 'openai-chat', stream: STREAM }, 600],
  [{ client: 'anthropic-messages', upstream: 'openai-chat' }, 200],
]
const BLOCK = MIX.reduce((sum, [, calls]) => sum + calls, 0)

/** Keys in the environment would bring providers: the start without any configuration is the one that all machines share. */
const withoutKeys = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.keys(process.env).flatMap((name) => (/_(API_KEY|TOKEN)$/.test(name) ? [[name, undefined]] : [])))

async function idle(bench: Bench): Promise<readonly Measure[]> {
  const section = 'Memory, idle, no configuration'
  const measures: Measure[] = []
  const forms: [string, string, boolean][] = [
    ['server process', SERVER, true],
    ['bootstrap and server', join(ROOT, 'scripts/bootstrap.mjs'), false],
  ]
  for (const [what, script, own] of forms) {
    if (!existsSync(script)) continue
    const values: number[] = []
    // The first start fills the compile cache.
    for (let round = 0; round < 3; round++) {
      bench.say(`memory: idle, ${what}, round ${round} of 2`)
      const cwd = join(scratch, `idle-${round}-${own}`)
      mkdirSync(cwd)
      const port = await freePort()
      const child = startNode({ name: 'idle', args: [script, 'serve', '--port', String(port)], probe: own, env: withoutKeys(), cwd })
      await ready(child, `http://127.0.0.1:${port}/readyz`)
      await sleep(3_000)
      const bytes = own ? (await child.read()).rss : treeRss(child.process.pid ?? 0)
      if (round > 0 && bytes !== undefined) values.push(bytes / MB)
      await child.stop()
    }
    if (values.length > 0) measures.push({ section, what, value: median(values), unit: 'MB', ...(own ? { budget: 120 } : {}) })
  }
  return measures
}

/** RSS over many mixed calls, then after many streams that the client left. */
async function underLoad(bench: Bench): Promise<readonly Measure[]> {
  const { rig } = bench
  const total = bench.long ? 200_000 : 60_000
  const subject = await startSignalbox(rig, 'signalbox-memory')
  try {
    return await grow(bench, subject, total)
  } finally {
    await subject.child?.stop()
  }
}

async function grow({ rig, say }: Bench, subject: Subject, total: number): Promise<readonly Measure[]> {
  const rss: number[] = []
  const block = async (): Promise<number> => {
    for (const [kind, calls] of MIX) await rig.load({ shot: subject.shot(kind), calls, connections: 16 })
    const reading = await subject.child?.read()
    return (reading?.rss ?? Number.NaN) / MB
  }
  for (let done = 0; done < total; done += BLOCK) {
    say(`memory: ${done} of ${total} calls`)
    rss.push(await block())
  }
  // The first quarter fills pools, caches and the heap's own size.
  const quarter = Math.max(1, Math.floor(rss.length / 4))
  const early = median(rss.slice(quarter, 2 * quarter))
  const late = median(rss.slice(-quarter))
  say('memory: aborted streams')
  const endless: CallKind = { client: 'openai-chat', upstream: 'anthropic-messages', stream: { events: 2_000, paceMs: 5, burst: 1 } }
  await rig.load({ shot: subject.shot(endless), calls: 1_000, connections: 32, abort: true })
  const after = await block()
  const section = `Memory over ${total.toLocaleString('en')} calls, a third of them streams`
  return [
    { section, what: 'growth, last quarter over second', value: (late / early - 1) * 100, unit: '%', budget: 5 },
    { section, what: 'growth after 1,000 aborted streams', value: (after / late - 1) * 100, unit: '%', budget: 5 },
    { section, what: 'RSS, second quarter', value: early, unit: 'MB' },
    { section, what: 'RSS, last quarter', value: late, unit: 'MB' },
  ]
}

export const memory: Section = async (bench) => {
  if (!hasServer()) {
    bench.note('memory: the server is not there')
    return []
  }
  const measures = [...(await idle(bench))]
  try {
    measures.push(...(await underLoad(bench)))
  } catch (error) {
    bench.fail('memory under load', error)
  }
  return measures
}
