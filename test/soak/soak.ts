/**
 * Mixed streams for a long time over real sockets, some callers hanging up, some providers failing: afterwards the gateway
 * must hold what it held before. What is asked follows from the seed.
 */
import { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { createCatalog } from '../../src/catalog/catalog.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { startServing } from '../../src/server/start.ts'
import { numbersFrom } from '../random.ts'
import { dialects, type Ending, makeCall, type SoakCall } from './caller.ts'
import { type Footprint, footprints } from './footprint.ts'

export interface SoakOptions {
  readonly seconds: number
  readonly seed: number
  /** At a time. Default 24. */
  readonly callers?: number
  /** Of all calls. Default 0.05. */
  readonly aborts?: number
  /** Default: a tenth of `seconds`, at least 2. */
  readonly warmUpSeconds?: number
  tell?(line: string): void
}

export interface SoakResult {
  readonly calls: Readonly<Record<Ending, number>>
  /** What was not as it should be with the first calls of each kind. */
  readonly details: readonly string[]
  readonly baseline: Footprint
  readonly after: Footprint
  /** With callers at work, evenly spread over the time. */
  readonly samples: readonly Footprint[]
  /** When the gateway has stopped. */
  readonly stopped: Footprint
  readonly warnings: readonly string[]
}

const SAMPLES = 12
/** The provider closes idle connections after five seconds, and tells so. */
const SETTLE_MS = 8_000

export async function soak({
  seconds,
  seed,
  callers = 24,
  aborts = 0.05,
  warmUpSeconds,
  tell = () => {},
}: SoakOptions): Promise<SoakResult> {
  const upstream = new Worker(new URL('./upstream.ts', import.meta.url))
  const url = await new Promise<string>((resolve, reject) => upstream.once('message', resolve).once('error', reject))
  const warnings: string[] = []
  const warned = (warning: Error): void => void warnings.push(`${warning.name}: ${warning.message}`)
  process.on('warning', warned)
  const counter = footprints()
  const serving = await startServing({
    config: configFor(url),
    env: { SIGNALBOX_ADMIN_KEY: 'the-owner-of-the-soak' },
    write: () => {},
    quiet: true,
  })
  const random = numbersFrom(seed)
  const calls: Record<Ending, number> = { ok: 0, aborted: 0, error: 0, wrong: 0 }
  const details: string[] = []

  await load(warmUpSeconds ?? Math.max(2, seconds / 10))
  const baseline = await settled()
  tell(`baseline ${JSON.stringify(baseline)}`)
  for (const kind of Object.keys(calls) as Ending[]) calls[kind] = 0
  const samples: Footprint[] = []
  await load(seconds, () => {
    const sample = counter.take()
    if (samples.length < SAMPLES) samples.push(sample)
    tell(`${samples.length}/${SAMPLES} ${JSON.stringify(calls)} ${JSON.stringify(sample)}`)
  })
  const after = await settled()
  tell(`after    ${JSON.stringify(after)}`)
  await serving.stop()
  await sleep(100)
  const stopped = counter.take()
  counter.end()
  process.off('warning', warned)
  upstream.postMessage('close')
  await new Promise((resolve) => upstream.once('exit', resolve))
  return { calls, details, baseline, after, samples, stopped, warnings }

  async function load(forSeconds: number, sample?: () => void): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: callers })
    const end = performance.now() + forSeconds * 1_000
    const sampling = sample && setInterval(sample, (forSeconds * 1_000) / (SAMPLES + 1))
    const caller = async (): Promise<void> => {
      while (performance.now() < end) {
        const call = nextCall(random, aborts)
        const { ending, detail } = await makeCall(serving.url, agent, call)
        calls[ending]++
        if (detail !== '' && details.length < 20)
          details.push(`${call.dialect} ${call.streamed ? 'streamed' : 'plain'} ${ending}: ${detail}`)
      }
    }
    await Promise.all(Array.from({ length: callers }, caller))
    clearInterval(sampling)
    agent.destroy()
  }

  async function settled(): Promise<Footprint> {
    await sleep(SETTLE_MS)
    return counter.take()
  }
}

/** Two providers behind every route, one of each wire family, so that half the calls are translated. */
function configFor(url: string) {
  const target = (provider: string) => ({ provider, model: 'sim-1' })
  const { config, problems } = parseConfig(
    {
      server: { port: 0, drain: '5s' },
      store: { url: 'memory:' },
      telemetry: { log: 'off' },
      providers: {
        chat: { preset: 'openai-compatible', baseUrl: `${url}/v1` },
        messages: { preset: 'anthropic-compatible', baseUrl: `${url}/v1` },
      },
      models: { soak: { strategy: 'round-robin', targets: [target('chat'), target('messages')] } },
    },
    { env: {}, catalog: () => createCatalog() },
  )
  if (!config) throw new Error(problems.map(({ path, message }) => `${path}: ${message}`).join('\n'))
  return config
}

let marks = 0

function nextCall(random: () => number, aborts: number): SoakCall {
  const words = 5 + Math.floor(random() * 100)
  const text = Array.from({ length: words }, (_, index) => `w${index + 1}`).join(' ')
  const streamed = random() < 0.8
  const dialect = dialects[Math.floor(random() * dialects.length)] ?? 'openai-chat'
  const pace = { firstMs: Math.floor(random() * 30), eventMs: random() < 0.5 ? 0 : 1 + Math.floor(random() * 3) }
  // Each of these happens once: the next try, or the next target, answers.
  const fault = random() < 0.02 ? { fault: random() < 0.5 ? 'status' : 'refuse', times: 1, message: `soak ${++marks}` } : {}
  const abortAfter = random() < aborts ? Math.floor(random() * 4) : undefined
  return { dialect, streamed, text, simulate: { text, ...pace, ...fault }, abortAfter }
}

/** What is not as it was before; empty when all is well. */
export function leaksOf({ calls, details, baseline, after, samples, stopped, warnings }: SoakResult): string[] {
  const problems: string[] = []
  if (calls.wrong + calls.error > 0) problems.push(`${calls.wrong} wrong answers and ${calls.error} failed calls: ${details.join('; ')}`)
  if (calls.ok === 0 || calls.aborted === 0) problems.push(`nothing was tried: ${JSON.stringify(calls)}`)
  for (const kind of ['timers', 'sockets', 'listeners'] as const)
    if (after[kind] > baseline[kind]) problems.push(`${kind}: ${baseline[kind]} before, ${after[kind]} after`)
  if (stopped.sockets > 0) problems.push(`${stopped.sockets} sockets are left when it has stopped`)
  if (after.heapMB > baseline.heapMB * 1.1 + HEAP_SLACK_MB) problems.push(`heap: ${baseline.heapMB} MB before, ${after.heapMB} MB after`)
  if (after.rssMB > baseline.rssMB * 1.25 + RSS_SLACK_MB) problems.push(`RSS: ${baseline.rssMB} MB before, ${after.rssMB} MB after`)
  const third = Math.floor(samples.length / 3)
  const [early, late] = [meanHeap(samples.slice(0, third)), meanHeap(samples.slice(-third))]
  if (third > 0 && late > early * 1.15 + HEAP_SLACK_MB)
    problems.push(`heap under load grows: ${early.toFixed(1)} MB early, ${late.toFixed(1)} MB late`)
  problems.push(...warnings)
  return problems
}

const HEAP_SLACK_MB = 6
const RSS_SLACK_MB = 40
const meanHeap = (some: readonly Footprint[]): number => some.reduce((sum, { heapMB }) => sum + heapMB, 0) / Math.max(1, some.length)
