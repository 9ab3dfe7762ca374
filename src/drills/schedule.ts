/** Drills that nobody asks for: one at a time, every so often, while the gateway serves. */
import type { DrillsConfig } from '../config/config.ts'
import { resolveSecret, type SecretSources } from '../config/secrets.ts'
import { postReport } from './notify.ts'
import type { DrillReport } from './report.ts'

export interface ScheduleOptions {
  run(drills: DrillsConfig): Promise<DrillReport>
  /** Told of each report, and of what kept one from being made or posted. */
  tell(text: string): void
  secrets(): SecretSources
}

export interface Schedule {
  /** The configuration now in force. Its clock starts anew only when it says another time. */
  configure(drills: DrillsConfig | undefined): void
  stop(): void
}

/** A tenth more or less, so that replicas do not drill all at once. */
const JITTER = 0.1

export function drillSchedule({ run, tell, secrets }: ScheduleOptions): Schedule {
  let drills: DrillsConfig | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let running = false

  const arm = (): void => {
    clearTimeout(timer)
    timer = undefined
    if (!drills) return
    timer = setTimeout(() => void once(), drills.everyMs * (1 + JITTER * (2 * Math.random() - 1)))
    timer.unref()
  }

  async function once(): Promise<void> {
    const now = drills
    if (!now || running) return
    running = true
    try {
      const report = await run(now)
      tell(summaryOf(report))
      const problem = await posted(now, report)
      if (problem !== undefined) tell(`drill: ${problem}\n`)
    } catch (error) {
      tell(`drill: could not be made: ${error instanceof Error ? error.message : String(error)}\n`)
    } finally {
      running = false
      arm()
    }
  }

  async function posted({ webhook }: DrillsConfig, report: DrillReport): Promise<string | undefined> {
    if (!webhook || (webhook.when === 'failed' && report.held)) return undefined
    return await postTo(webhook, report, secrets())
  }

  return {
    configure(next) {
      const same = next?.everyMs === drills?.everyMs
      drills = next
      if (!same) arm()
    },
    stop() {
      drills = undefined
      clearTimeout(timer)
    },
  }
}

/** Posts it, with the secret read at this moment. Undefined when it was taken; else why not. */
export async function postTo(
  { url, secret }: NonNullable<DrillsConfig['webhook']>,
  report: DrillReport,
  sources: SecretSources,
): Promise<string | undefined> {
  if (secret === undefined) return await postReport({ url }, report)
  const found = resolveSecret(secret, sources)
  // An unsigned report would be thrown away by who checks signatures, and believed by who does not.
  return 'value' in found
    ? await postReport({ url, secret: found.value }, report)
    : `drills.webhook.secret: ${found.message} (${found.remedy})`
}

/** One line for the log. */
export function summaryOf({ id, held, cases, failed, mode, routes }: DrillReport): string {
  const broken = routes.filter((route) => !route.held).map(({ route }) => route)
  const found = held
    ? `every failover path of ${routes.length} routes held`
    : `${failed} of ${cases} cases failed, on ${broken.slice(0, 12).join(', ')}`
  return `drill ${id} (${mode}): ${found}\n`
}
