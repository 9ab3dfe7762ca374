/** The sources of statements that a configuration names. */
import { GatewayError } from '../../core/error.ts'
import { anthropicStatement } from './anthropic.ts'
import { type CsvColumns, csvStatement } from './csv.ts'
import { focusStatement } from './focus.ts'
import { openAiStatement } from './openai.ts'
import type { StatementSource } from './statement.ts'

export interface SourceConfig {
  readonly kind: 'openai' | 'anthropic' | 'csv' | 'focus'
  /** Default: the source's own name. */
  readonly providers?: readonly string[] | undefined
  /** A reference to the admin key, or to the credential for `url`. */
  readonly key?: string | undefined
  readonly baseUrl?: string | undefined
  readonly projects?: readonly string[] | undefined
  readonly workspaces?: readonly string[] | undefined
  readonly apiKeys?: readonly string[] | undefined
  readonly file?: string | undefined
  readonly url?: string | undefined
  readonly columns?: CsvColumns | undefined
  readonly unit?: 'usd' | 'cents' | undefined
  readonly cacheApart?: boolean | undefined
  readonly modelColumn?: string | undefined
  readonly costColumn?: string | undefined
  readonly where?: Readonly<Record<string, string>> | undefined
}

export interface SourcePorts {
  /** What a reference leads to, now. */
  secret(reference: string): string | Promise<string>
  /** Default: from the disk. */
  readText?(file: string): Promise<string>
  readonly fetch?: typeof fetch
}

const TIMEOUT_MS = 60_000

export const sourcesOf = (sources: Readonly<Record<string, SourceConfig>>, ports: SourcePorts): readonly StatementSource[] =>
  Object.entries(sources).map(([name, config]) => sourceOf(name, config, ports))

function sourceOf(name: string, config: SourceConfig, ports: SourcePorts): StatementSource {
  const { kind, providers = [name], baseUrl, projects, workspaces, apiKeys } = config
  const common = { name, providers, ...(ports.fetch && { fetch: ports.fetch }) }
  const adminKey = (): string | Promise<string> => ports.secret(config.key ?? '')
  const text = (): Promise<string> => textOf(name, config, ports)
  switch (kind) {
    case 'openai':
      return openAiStatement({ ...common, adminKey, projects, apiKeys, ...(baseUrl !== undefined && { baseUrl }) })
    case 'anthropic':
      return anthropicStatement({ ...common, adminKey, workspaces, apiKeys, ...(baseUrl !== undefined && { baseUrl }) })
    case 'csv':
      return csvStatement({
        name,
        providers,
        columns: config.columns ?? { day: 'day' },
        unit: config.unit,
        cacheApart: config.cacheApart,
        text,
      })
    case 'focus':
      return focusStatement({ name, providers, model: config.modelColumn, cost: config.costColumn, where: config.where, text })
    default:
      return kind satisfies never
  }
}

async function textOf(name: string, { file, url, key }: SourceConfig, ports: SourcePorts): Promise<string> {
  if (file !== undefined) {
    try {
      return await (ports.readText ?? fromDisk)(file)
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'it cannot be read'
      throw new GatewayError('invalid-request', `${name}: \`${file}\`: ${code === 'ENOENT' ? 'there is no such file' : code}.`, {
        cause: error,
      })
    }
  }
  if (url === undefined) throw new GatewayError('invalid-request', `${name}: names neither a \`file\` nor a \`url\`.`)
  const headers = key === undefined ? {} : { authorization: `Bearer ${await ports.secret(key)}` }
  const { host } = new URL(url)
  try {
    const response = await (ports.fetch ?? fetch)(url, { headers, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) })
    if (response.ok) return await response.text()
    throw new GatewayError('upstream-failed', `${name}: ${host} answered ${response.status}.`)
  } catch (error) {
    if (error instanceof GatewayError) throw error
    throw new GatewayError('upstream-unreachable', `${name}: ${host} cannot be reached.`, { cause: error })
  }
}

async function fromDisk(file: string): Promise<string> {
  const { readFile } = await import('node:fs/promises')
  return await readFile(file, 'utf8')
}
