/** `signalbox serve`: finds the configuration, starts, and listens to signals. */
import type { Config } from '../config/config.ts'
import { findConfigFile } from '../config/load.ts'
import type { ServeFlags } from './commands/serve.ts'
import { startFrom } from './serve-from.ts'
import type { Serving } from './start.ts'
import { balanceBuffer } from './threads/balance.ts'
import type { ThreadOptions } from './threads/siblings.ts'
import { watchFile } from './watch-file.ts'

/** Undefined while it serves; else the exit code. */
export async function serve(flags: ServeFlags): Promise<number | undefined> {
  const file = flags.config ?? findConfigFile(process.cwd())
  const started = await startFrom(file, flags, firstOf)
  if ('problem' in started) {
    process.stderr.write(`signalbox: ${started.problem}\n`)
    return 1
  }
  const { serving, config } = started
  listenToSignals(serving)
  if (file !== undefined) watchFile(file, () => void serving.reload({ quietly: true }))
  if (config.server.threads > 1) {
    const { superviseThreads } = await import('./threads/supervisor.ts')
    serving.join((shared) => superviseThreads({ ...shared, flags, file }))
  }
  return undefined
}

/** What the first of several threads makes for all of them. */
async function firstOf({ server: { threads } }: Config): Promise<ThreadOptions | undefined> {
  if (threads === 1) return undefined
  const { sharedCountersBuffer } = await import('../store/counters/shared.ts')
  return { index: 0, threads, balance: balanceBuffer(threads), counters: sharedCountersBuffer() }
}

const SIGNAL_REST_MS = 50

function listenToSignals(serving: Serving): void {
  // Whoever read the log is gone: that ends the log, not the gateway.
  process.stdout.on('error', () => {})
  process.stderr.on('error', () => {})
  const end = (): void => {
    void serving.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  // A second signal while draining changes nothing: what runs may end.
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
  // npm and a terminal deliver it twice.
  let soon: ReturnType<typeof setTimeout> | undefined
  process.on('SIGHUP', () => {
    clearTimeout(soon)
    soon = setTimeout(() => void serving.reload(), SIGNAL_REST_MS)
  })
}
