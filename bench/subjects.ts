import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LoadPlan, LoadResult, Shot } from './load.ts'
import { type BenchWire, modelOf, PLAIN_MODEL, requestBody, type StreamPlan } from './payloads.ts'
import { installPeer } from './peer.ts'
import type { Reading } from './probe.ts'
import { type Child, freePort, RIG_CORE, ROOT, ready, SUBJECT_CORE, scratch, sleep, startNode } from './processes.ts'

/** One kind of call: the client's dialect, the provider's wire, and the stream's plan (none: a plain answer). */
export interface CallKind {
  readonly client: BenchWire
  readonly upstream: BenchWire
  readonly stream?: StreamPlan
}

export interface Subject {
  readonly id: string
  readonly child: Child | undefined
  shot(kind: CallKind): Shot
}

export interface Rig {
  readonly upstreamPort: number
  readonly child: Child
  load(plan: LoadPlan): Promise<LoadResult>
}

export const SERVER = join(ROOT, 'src/server/cli.ts')
export const EMBED = join(ROOT, 'src/index.ts')
const KEY = 'bench-key-of-the-client'
const PATHS: Record<BenchWire, string> = { 'openai-chat': '/v1/chat/completions', 'anthropic-messages': '/v1/messages' }

export async function startRig(): Promise<Rig> {
  const child = startNode({ name: 'rig', args: [join(ROOT, 'bench/rig.ts')], core: RIG_CORE })
  const { port } = (await child.hello) as { port: number }
  return {
    upstreamPort: port,
    child,
    async load(plan) {
      const result = await child.ask<LoadResult>({ plan })
      const { expect, path } = plan.shot
      if (result.wrong.length > 0)
        throw new Error(`wrong answers from ${path} (${JSON.stringify(expect)}):\n  ${result.wrong.join('\n  ')}`)
      return result
    },
  }
}

const credentialOf = (wire: BenchWire): Record<string, string> =>
  wire === 'openai-chat' ? { authorization: `Bearer ${KEY}` } : { 'x-api-key': KEY, 'anthropic-version': '2023-06-01' }

interface Address {
  readonly id: string
  readonly port: number
  /** What goes before the model's name. */
  prefix?(upstream: BenchWire): string
  headers?(upstream: BenchWire): Record<string, string>
  /** Answers of the same wire are the provider's own bytes. */
  readonly bytes: boolean
}

function shotOf({ id, port, prefix, headers, bytes }: Address, kind: CallKind): Shot {
  const { client, upstream, stream } = kind
  const model = `${prefix?.(upstream) ?? ''}${stream === undefined ? PLAIN_MODEL : modelOf(stream)}`
  return {
    port,
    // A proxy that does not translate passes the client's path on, so it must be the upstream's own.
    path: PATHS[client],
    headers: { ...credentialOf(client), 'user-agent': `bench (${id})`, ...headers?.(upstream) },
    wire: client,
    body: requestBody(client, model, stream !== undefined).toString(),
    expect: { stream: stream !== undefined, events: stream?.events ?? 0, bytes: bytes && client === upstream },
  }
}

export const direct = (rig: Rig): Subject => ({
  id: 'direct',
  child: undefined,
  shot: (kind) => shotOf({ id: 'direct', port: rig.upstreamPort, bytes: true }, kind),
})

export async function startBare(rig: Rig): Promise<Subject> {
  const port = await freePort()
  const args = [join(ROOT, 'bench/bare-proxy.ts'), `http://127.0.0.1:${rig.upstreamPort}`, String(port)]
  const child = startNode({ name: 'bare', args, core: SUBJECT_CORE, probe: true })
  const shot = (kind: CallKind): Shot => shotOf({ id: 'bare', port, bytes: true }, kind)
  await ready(child, `http://127.0.0.1:${port}${PATHS['openai-chat']}`, { post: shot(PLAIN_CHAT).body })
  return { id: 'bare', child, shot }
}

export const PLAIN_CHAT: CallKind = { client: 'openai-chat', upstream: 'openai-chat' }

const PROVIDER: Record<BenchWire, string> = { 'openai-chat': 'mock', 'anthropic-messages': 'mocka' }

/** A plain route: two providers, everything optional at its default. Extra sections go over it. */
export function signalboxConfig(rig: Rig, extra: object = {}): object {
  const baseUrl = `http://127.0.0.1:${rig.upstreamPort}/v1`
  return {
    store: { url: 'memory:' },
    access: { mode: 'open' },
    providers: {
      mock: { preset: 'openai-compatible', baseUrl, keys: ['env:BENCH_KEY'] },
      mocka: { preset: 'anthropic-compatible', baseUrl, keys: ['env:BENCH_KEY'] },
    },
    ...extra,
  }
}

export const SIGNALBOX_ENV = { BENCH_KEY: 'upstream-key', SIGNALBOX_ADMIN_KEY: 'bench-owner-key' }

export function writeConfig(name: string, config: object): string {
  const file = join(scratch, `${name}.json`)
  writeFileSync(file, JSON.stringify(config, null, 2))
  return file
}

export const hasServer = (): boolean => existsSync(SERVER)
export const hasEmbed = (): boolean => existsSync(EMBED)

/** `core`: null for a subject of several threads, which is to have all cores. */
export async function startSignalbox(rig: Rig, id = 'signalbox', extra: object = {}, core: number | null = SUBJECT_CORE): Promise<Subject> {
  const port = await freePort()
  const config = writeConfig(id, signalboxConfig(rig, extra))
  const args = [SERVER, 'serve', '--config', config, '--port', String(port)]
  const child = startNode({ name: id, args, ...(core !== null && { core }), probe: true, env: SIGNALBOX_ENV, cwd: scratch })
  await ready(child, `http://127.0.0.1:${port}/readyz`)
  return { id, child, shot: (kind) => shotOf({ id, port, bytes: true, prefix: (upstream) => `${PROVIDER[upstream]}/` }, kind) }
}

/** The peer answers streams and plain calls in its own bytes, so only their text is compared. */
export async function startPeer(rig: Rig): Promise<Subject> {
  const script = await installPeer()
  const port = await freePort()
  const env = { TRUSTED_CUSTOM_HOSTS: '127.0.0.1,localhost' }
  const child = startNode({
    name: 'portkey',
    args: [script, `--port=${port}`, '--headless'],
    core: SUBJECT_CORE,
    probe: true,
    env,
    cwd: scratch,
  })
  await ready(child, `http://127.0.0.1:${port}/`)
  const headers = (upstream: BenchWire): Record<string, string> => ({
    'x-portkey-provider': upstream === 'openai-chat' ? 'openai' : 'anthropic',
    'x-portkey-custom-host': `http://127.0.0.1:${rig.upstreamPort}/v1`,
  })
  return { id: 'portkey', child, shot: (kind) => shotOf({ id: 'portkey', port, bytes: false, headers }, kind) }
}

/** What a subject's process spent on a plan. */
export interface Spent {
  readonly cpuUs: number
  readonly allocated: number | undefined
  readonly load: LoadResult
}

/** `lagMs`: what a subject does in the background for its calls comes that long after them, and counts. */
export async function spend(rig: Rig, subject: Subject, plan: Omit<LoadPlan, 'shot'>, kind: CallKind, lagMs = 0): Promise<Spent> {
  const before = await subject.child?.read()
  const load = await rig.load({ ...plan, shot: subject.shot(kind) })
  await sleep(lagMs)
  const after = await subject.child?.read()
  return { ...difference(before, after), load }
}

export function difference(before: Reading | undefined, after: Reading | undefined): { cpuUs: number; allocated: number | undefined } {
  if (before === undefined || after === undefined) return { cpuUs: Number.NaN, allocated: undefined }
  const allocated = before.allocated === undefined || after.allocated === undefined ? undefined : after.allocated - before.allocated
  return { cpuUs: after.cpuUs - before.cpuUs, allocated }
}
