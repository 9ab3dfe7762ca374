/** `signalbox check`: what is wrong with a configuration, what has no effect yet, and what it amounts to. */
import { readFileSync } from 'node:fs'
import { dirname, isAbsolute, join, relative } from 'node:path'
import type { Config, GroupConfig, Notice, Problem, RouteConfig, TargetConfig } from '../../config/config.ts'
import { defaultConfig } from '../../config/defaults.ts'
import { findConfigFile, type Loaded, loadConfigFile } from '../../config/load.ts'
import { findLocalServers } from '../../config/local-servers.ts'
import { type CommandArgs, catalogFrom, catalogPathOf } from './catalog-file.ts'

/** 0 when the configuration can be used, 1 when it has problems. */
export async function checkCommand({ positionals, options, write }: CommandArgs): Promise<number> {
  const named = positionals[0] ?? options['config']
  const file = typeof named === 'string' ? named : findConfigFile(process.cwd())
  const loaded =
    file === undefined
      ? await withoutFile()
      : await withMaterial(await loadConfigFile(file, { env: process.env, catalog: () => catalogFrom(catalogPathOf(file)) }))
  write(options['json'] === true ? `${JSON.stringify(reportOf(loaded), null, 2)}\n` : told(loaded))
  return loaded.problems.length === 0 ? 0 : 1
}

type Checked = Omit<Loaded, 'file'> & { readonly file?: string }

async function withoutFile(): Promise<Checked> {
  const config = defaultConfig({ env: process.env, catalog: () => catalogFrom(catalogPathOf(undefined)), local: await findLocalServers() })
  return { config, problems: [], notices: [] }
}

/** Certificates are no part of the configuration, but a start would fail without them. */
async function withMaterial(loaded: Loaded): Promise<Loaded> {
  const { file, config, problems, notices } = loaded
  if (!config?.server.tls) return loaded
  const { readMaterial, MaterialError } = await import('../tls/material.ts')
  const readFile = (path: string): string => readFileSync(isAbsolute(path) ? path : join(dirname(file), path), 'utf8')
  try {
    const { warning } = readMaterial(config.server.tls, { env: process.env, readFile })
    return warning === undefined ? loaded : { ...loaded, notices: [...notices, { path: 'server.tls.cert', message: warning }] }
  } catch (error) {
    if (!(error instanceof MaterialError)) throw error
    const { path, what: message, remedy } = error
    return { file, notices, problems: [...problems, { path, message, remedy }] }
  }
}

/** Without TLS as it always was: host and port. */
const listensOn = ({ server: { host, port, tls } }: Config): string =>
  tls ? `https://${host.includes(':') ? `[${host}]` : host}:${port}` : `${host}:${port}`

function tlsText({ server: { tls } }: Config): string {
  if (!tls) return ''
  const shown = { none: '', request: ", callers' certificates asked for", require: ", callers' certificates required" }[tls.clients]
  return `, TLS ${tls.minVersion} or newer${tls.http2 ? ', HTTP/2' : ''}${shown}`
}

function reportOf({ file, config, problems, notices }: Checked): object {
  return {
    ...(file !== undefined && { file }),
    valid: problems.length === 0,
    problems: problems.map(({ path, message, remedy, line, column }) => ({ path, message, remedy, line, column })),
    notices,
    ...(config && {
      listens: listensOn(config),
      access: config.access.mode,
      providers: [...config.providers].map(([id, { preset, baseUrl, wire, keys }]) => ({ id, preset, baseUrl, wire, keys: keys.length })),
      routes: [...config.models].map(([name, { strategy, targets, members, pool, fallback }]) => ({
        name,
        strategy: nameOf(strategy),
        targets: (members ?? targets).map(targetName),
        ...(pool && { pool: pool.category }),
        fallback,
      })),
    }),
  }
}

function told({ file, config, problems, notices }: Checked): string {
  const name = file === undefined ? 'no configuration file' : relative(process.cwd(), file) || file
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
  const head = problems.length > 0 ? `${name}: ${count}\n` : `${name}: ${file === undefined ? 'what runs without one' : 'good'}\n`
  return head + problems.map((problem) => problemText(name, problem)).join('') + (config ? summaryOf(config) : '') + noticesText(notices)
}

/** Where (as editors and terminals link it), what, and what to do. */
export function problemText(file: string, { path, message, remedy, line, column }: Problem): string {
  const place = line === undefined ? '' : `${file}:${line}${column === undefined ? '' : `:${column}`}  `
  return `\n  ${place}${path || '(file)'}\n    ${message}\n${remedy ? `    → ${remedy}\n` : ''}`
}

const noticesText = (notices: readonly Notice[]): string =>
  notices.length === 0 ? '' : `\nAccepted, but:\n${notices.map(({ path, message }) => `  ${path}: ${message}\n`).join('')}`

function nameOf(strategy: RouteConfig['strategy']): string {
  if (typeof strategy === 'string') return strategy
  return 'score' in strategy ? `score ${strategy.score}` : strategy.name
}

const targetName = (target: TargetConfig | GroupConfig): string =>
  'route' in target ? `the route ${target.route}` : `${target.provider}/${target.model}`

function summaryOf(config: Config): string {
  const lines = [`  listens on ${listensOn(config)}, access ${config.access.mode}${tlsText(config)}`]
  for (const [id, { preset, baseUrl, keys }] of config.providers) {
    const held = keys.length === 0 ? 'no key' : keys.length === 1 ? '1 key' : `${keys.length} keys`
    lines.push(`  provider ${id}${preset === id ? '' : ` (${preset})`}: ${[baseUrl, held].filter(Boolean).join(', ')}`)
  }
  for (const [name, { strategy, targets, members, pool, fallback }] of config.models) {
    const then = fallback.length > 0 ? `, then ${fallback.join(', ')}` : ''
    lines.push(
      `  route ${name}: ${nameOf(strategy)} of ${(members ?? targets).map(targetName).join(', ') || `the pool ${pool?.category}`}${then}`,
    )
  }
  return `${lines.join('\n')}\n`
}
