/** The schedule of drills in a process that serves. What makes them is loaded when the first is due. */
import type { Catalog } from '../catalog/catalog.ts'
import type { Config } from '../config/config.ts'
import type { SecretSources } from '../config/secrets.ts'
import type { Transport } from '../core/http.ts'
import { drillSchedule, type Schedule } from '../drills/schedule.ts'

export interface ScheduledDrillsOptions {
  /** The one in force. */
  config(): Config
  catalog(): Catalog
  readonly transport: Transport
  readonly env: SecretSources['env']
  readonly readFile: (path: string) => string
  write(text: string): void
}

/** Few at a time: calls come first. */
const CONCURRENCY = 2

export function scheduledDrills({ config, catalog, transport, env, readFile, write }: ScheduledDrillsOptions): Schedule {
  const secrets = (): SecretSources => ({ env, readFile, allowPlaintext: config().secrets.allowPlaintext })
  return drillSchedule({
    secrets,
    tell: write,
    async run({ routes, faults, live, waitMs }) {
      const [{ runDrill }, { createSimulator }, { simulatorTransport }] = await Promise.all([
        import('../drills/drill.ts'),
        import('../testing/simulator/simulator.ts'),
        import('../testing/simulator/transport.ts'),
      ])
      const simulator = simulatorTransport(createSimulator({ maxCalls: 0 }))
      return await runDrill({
        config: config(),
        catalog: catalog(),
        routes,
        faults,
        waitMs,
        live: live ? { transport, secrets: secrets() } : undefined,
        simulator: () => simulator,
        concurrency: CONCURRENCY,
      })
    },
  })
}
