/** `signalbox drill`: breaks the first targets of routes on purpose, and tells whether calls still get their answer. */
import { readFileSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import type { Catalog } from '../../catalog/catalog.ts'
import { type Config, type DrillFault, drillFaultNames } from '../../config/config.ts'
import { defaultConfig } from '../../config/defaults.ts'
import { findConfigFile, loadConfigFile } from '../../config/load.ts'
import type { SecretSources } from '../../config/secrets.ts'
import { didYouMean } from '../../config/suggest.ts'
import { parseDuration } from '../../core/units.ts'
import { runDrill } from '../../drills/drill.ts'
import { isDrillFault } from '../../drills/faults.ts'
import { reportText } from '../../drills/report.ts'
import { postTo } from '../../drills/schedule.ts'
import { nodeTransport } from '../../egress/transport-node.ts'
import { createSimulator } from '../../testing/simulator/simulator.ts'
import { simulatorTransport } from '../../testing/simulator/transport.ts'
import { type CommandArgs, catalogFrom, catalogPathOf } from './catalog-file.ts'
import { problemText } from './check.ts'

/** 0 when every path held, 1 when one did not, 2 for a bad question. */
export async function drillCommand({ positionals, options, write }: CommandArgs): Promise<number> {
  const named = options['config']
  const file = typeof named === 'string' ? named : findConfigFile(process.cwd())
  const catalog = catalogFrom(catalogPathOf(file))
  const config = await configOf(file, catalog)
  if (typeof config === 'string') return told(config)
  const asked = askedOf(positionals, options, config)
  if (typeof asked === 'string') return told(asked)
  const readFile = (path: string): string => readFileSync(isAbsolute(path) || file === undefined ? path : join(dirname(file), path), 'utf8')
  const secrets: SecretSources = { env: process.env, readFile, allowPlaintext: config.secrets.allowPlaintext }
  const live = options['live'] === true ? { transport: nodeTransport(), secrets } : undefined
  const simulator = simulatorTransport(createSimulator({ maxCalls: 0 }))
  try {
    const report = await runDrill({ config, catalog, ...asked, live, simulator: () => simulator })
    write(options['json'] === true ? `${JSON.stringify(report, null, 2)}\n` : reportText(report))
    const webhook = config.drills?.webhook
    if (webhook && (webhook.when === 'always' || !report.held)) {
      const problem = await postTo(webhook, report, secrets)
      if (problem !== undefined) process.stderr.write(`drill: ${problem}\n`)
    }
    return report.held ? 0 : 1
  } finally {
    await live?.transport.close()
  }

  function told(text: string): number {
    write(`drill: ${text}\n`)
    return 2
  }
}

async function configOf(file: string | undefined, catalog: Catalog): Promise<Config | string> {
  if (file === undefined) return defaultConfig({ env: process.env, catalog: () => catalog })
  const { config, problems } = await loadConfigFile(file, { env: process.env, catalog: () => catalog })
  return config ?? `${file} has problems\n${problems.map((problem) => problemText(file, problem)).join('')}`
}

interface Asked {
  readonly routes: readonly string[] | undefined
  readonly faults: readonly DrillFault[] | undefined
  readonly waitMs: number | undefined
}

function askedOf(positionals: readonly string[], options: CommandArgs['options'], { models, drills }: Config): Asked | string {
  const given = [...positionals, ...(wordsOf(options['route']) ?? [])]
  const routes = given.length > 0 ? [...new Set(given)] : drills?.routes
  const known = [...models.keys()]
  if (known.length === 0) return 'there are no routes: write some under `models:` in signalbox.yaml'
  const strange = routes?.find((name) => !models.has(name))
  if (strange !== undefined)
    return `there is no route ${strange}: ${didYouMean(strange, known) ?? `there are ${known.slice(0, 12).join(', ')}`}`
  const faults = wordsOf(options['fault']) ?? drills?.faults
  const unknown = faults?.find((name) => !isDrillFault(name))
  if (unknown !== undefined) return `there is no fault ${unknown}: there are ${drillFaultNames.join(', ')}`
  const wait = options['wait']
  const waitMs = typeof wait === 'string' ? parseDuration(wait) : drills?.waitMs
  if (typeof wait === 'string' && !waitMs) return `--wait ${wait} is not a duration: write 500ms or 5s`
  return { routes, faults: faults?.filter(isDrillFault), waitMs }
}

const wordsOf = (value: string | boolean | undefined): string[] | undefined =>
  typeof value === 'string'
    ? value
        .split(',')
        .map((word) => word.trim())
        .filter(Boolean)
    : undefined
