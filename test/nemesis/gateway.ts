/** A gateway's process, as an operator has it: started, killed, frozen, started again in the same directory. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '../free-port.ts'

const cli = fileURLToPath(new URL('../../src/server/cli.ts', import.meta.url))
export const OWNER = 'owner-key-of-the-nemesis'

export interface GatewayProcess {
  readonly name: string
  readonly url: string
  /** Resolves when it is ready to serve. */
  start(): Promise<void>
  /** The same without waiting: what it depends on may be down. */
  launch(): void
  /** `kill -9`; resolves when it is gone. */
  kill(): Promise<void>
  freeze(): void
  thaw(): void
  readonly alive: boolean
  /** Waits for `/readyz`. */
  ready(): Promise<void>
  /** The last of what it wrote. */
  output(): string
  stop(): Promise<void>
}

export async function gatewayProcess(name: string, directory: string, config: Readonly<Record<string, unknown>>): Promise<GatewayProcess> {
  const port = await freePort()
  const home = join(directory, name)
  mkdirSync(home, { recursive: true })
  const file = join(home, 'signalbox.json')
  const server = { ...(config['server'] as object | undefined), port, drain: '5s' }
  writeFileSync(file, JSON.stringify({ ...config, server }))
  const url = `http://127.0.0.1:${port}`
  let child: ChildProcess | undefined
  let ended: Promise<void> = Promise.resolve()
  let output = ''
  const keep = (text: unknown): void => {
    output = (output + String(text)).slice(-20_000)
  }

  const gateway: GatewayProcess = {
    name,
    url,
    get alive() {
      return child !== undefined && child.exitCode === null && child.signalCode === null
    },
    async start() {
      gateway.launch()
      await gateway.ready()
    },
    launch() {
      if (gateway.alive) return
      const started = spawn(process.execPath, [cli, 'serve', '--config', file], {
        cwd: home,
        env: { ...process.env, SIGNALBOX_ADMIN_KEY: OWNER, NEMESIS_KEY: 'upstream-key' },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      child = started
      started.stdout.on('data', keep)
      started.stderr.on('data', keep)
      ended = new Promise((resolve) => started.once('exit', () => resolve()))
    },
    async kill() {
      child?.kill('SIGKILL')
      await ended
    },
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    async ready() {
      const until = Date.now() + 20_000
      for (;;) {
        const answered = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(1_000) }).then(
          ({ status }) => status === 200,
          () => false,
        )
        if (answered) return
        if (!gateway.alive) throw new Error(`${name} ended:\n${output}`)
        if (Date.now() > until) throw new Error(`${name} is not ready:\n${output}`)
        await new Promise((resolve) => setTimeout(resolve, 25))
      }
    },
    output: () => output,
    async stop() {
      child?.kill('SIGCONT')
      child?.kill('SIGTERM')
      const limit = setTimeout(() => child?.kill('SIGKILL'), 10_000)
      await ended
      clearTimeout(limit)
    },
  }
  return gateway
}
