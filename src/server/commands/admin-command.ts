/** What the commands that talk to a running gateway share: where it is, with which key, and how its answers and refusals are told. */
import { readFileSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { type AdminClient, createAdminClient } from '../../admin/client.generated.ts'
import { AdminError } from '../../admin/client-call.ts'
import type { Config } from '../../config/config.ts'
import { findConfigFile, loadConfigFile } from '../../config/load.ts'
import { resolveSecret } from '../../config/secrets.ts'
import { didYouMean } from '../../config/suggest.ts'
import { parseDuration } from '../../core/units.ts'
import { type CommandArgs, catalogFrom, catalogPathOf } from './catalog-file.ts'

/** A wrong question: told as it is, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export interface AdminCommand {
  readonly client: AdminClient
  readonly words: readonly string[]
  /** The value of an option; undefined when it is not given. */
  option(name: string): string | undefined
  /** The words of an option that is a list. */
  list(name: string): string[] | undefined
  /** The answer: as JSON with `--json`, else as told. */
  answer(value: unknown, text: () => string): void
  write(text: string): void
}

const EXIT_REFUSED = 1
const EXIT_USAGE = 2

/** Runs one of the command's actions. 0 done, 1 the gateway refuses or the answer is no, 2 the question was wrong. */
export async function adminCommand(
  command: string,
  { positionals, options, write }: CommandArgs,
  actions: Readonly<Record<string, (given: AdminCommand) => Promise<number | undefined>>>,
  usual?: string,
): Promise<number> {
  const told = (text: string, code: number): number => {
    write(`${command}: ${text}\n`)
    return code
  }
  const [name = usual, ...words] = positionals
  const names = Object.keys(actions)
  if (name === undefined) return told(`say what to do: ${names.join(', ')}`, EXIT_USAGE)
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined
  if (!action) return told(`there is no \`${command} ${name}\`: ${didYouMean(name, names) ?? `there are ${names.join(', ')}`}`, EXIT_USAGE)
  const option = (one: string): string | undefined => {
    // The parser of the command line names them in camel case.
    const value = options[one.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())]
    return typeof value === 'string' ? value : undefined
  }
  try {
    const { url, key } = await placeOf(option('url'), option('config'))
    const code = await action({
      client: createAdminClient({ url, key }),
      words,
      option,
      list: (one) =>
        option(one)
          ?.split(',')
          .map((word) => word.trim())
          .filter(Boolean),
      answer: (value, text) => write(options['json'] === true ? `${JSON.stringify(value, null, 2)}\n` : text()),
      write,
    })
    return code ?? 0
  } catch (error) {
    if (error instanceof UsageError) return told(error.message, EXIT_USAGE)
    if (!(error instanceof AdminError)) throw error
    if (options['json'] === true) {
      const { code, message, path } = error
      write(`${JSON.stringify({ error: { code, message, path } }, null, 2)}\n`)
      return EXIT_REFUSED
    }
    return told(`${error.message}${remedyOf(error)}`, EXIT_REFUSED)
  }
}

function remedyOf({ code, message }: AdminError): string {
  switch (code) {
    case 'unreachable':
      if (/certificate/.test(message))
        return "\n  → have the gateway's authority trusted, `NODE_EXTRA_CA_CERTS=ca.pem signalbox …`, and use a name that its certificate holds"
      return '\n  → start one with `signalbox serve`, or say where it is with --url'
    case 'unauthenticated':
      return "\n  → put the owner's key, or an admin's, into SIGNALBOX_ADMIN_KEY"
    case 'store_unavailable':
      // A KMS that is away says so itself.
      if (/^the master key/.test(message)) return ''
      return '\n  → the gateway runs, its database does not answer: try again when it does'
    default:
      return ''
  }
}

/** `--url`, else where the configuration says that it listens. The key comes from the environment, never from the command line. */
async function placeOf(url: string | undefined, named: string | undefined): Promise<{ url: string; key: string }> {
  if (url !== undefined && !/^https?:\/\/[^/]/.test(url)) throw new UsageError(`${url} is not a URL: write http://127.0.0.1:8484`)
  const given = process.env['SIGNALBOX_ADMIN_KEY']?.trim()
  const file = named ?? findConfigFile(process.cwd())
  const config = file !== undefined && (url === undefined || !given) ? await configOf(file) : undefined
  const key = given || (config && file !== undefined ? keyIn(config, file) : undefined)
  if (!key)
    throw new UsageError(
      "SIGNALBOX_ADMIN_KEY is not set\n  → export SIGNALBOX_ADMIN_KEY=… with the owner's key (shown at the first start) or an admin's",
    )
  return { url: url ?? urlOf(config), key }
}

async function configOf(file: string): Promise<Config | undefined> {
  const { config, problems } = await loadConfigFile(file, { env: process.env, catalog: () => catalogFrom(catalogPathOf(file)) })
  if (!config)
    throw new UsageError(
      `${file} cannot be used (${problems[0]?.message}): see \`signalbox check\`, or say where the gateway is with --url`,
    )
  return config
}

function urlOf(config: Config | undefined): string {
  const { host, port, tls } = config?.server ?? { host: '127.0.0.1', port: 8484 }
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `${tls ? 'https' : 'http'}://${reached.includes(':') ? `[${reached}]` : reached}:${port}`
}

/** The same reference that the gateway reads. */
function keyIn({ admin, secrets }: Config, file: string): string | undefined {
  const readFile = (path: string): string => readFileSync(isAbsolute(path) ? path : join(dirname(file), path), 'utf8')
  const secret = resolveSecret(admin.key, { env: process.env, readFile, allowPlaintext: secrets.allowPlaintext })
  return 'value' in secret ? secret.value : undefined
}

/** The word at this place, or what is missing. */
export function needed({ words }: AdminCommand, what: string, example: string): string {
  const [word] = words
  if (word === undefined) throw new UsageError(`${what} is missing: ${example}`)
  return word
}

/** A time: a date, a time, or so long ago (`7d`). */
export function timeFrom(written: string | undefined, name: string, now = Date.now()): string | undefined {
  if (written === undefined) return undefined
  const ago = parseDuration(written)
  if (ago !== undefined) return new Date(now - ago).toISOString()
  if (Number.isNaN(Date.parse(written)))
    throw new UsageError(`--${name} ${written} is not a time: write 2026-01-31, 2026-01-31T12:00:00Z or 7d`)
  return new Date(written).toISOString()
}

/** Columns of one width each; numbers to the right. */
export function tableOf(head: readonly string[], rows: readonly (readonly (string | number | undefined)[])[]): string {
  const cells = rows.map((row) => row.map((cell) => (cell === undefined ? '' : String(cell))))
  const widths = head.map((name, column) => Math.max(name.length, ...cells.map((row) => row[column]?.length ?? 0)))
  const right = head.map((_, column) => rows.length > 0 && rows.every((row) => /^-?[\d.]*$/.test(String(row[column] ?? ''))))
  const line = (row: readonly string[]): string =>
    `${row.map((cell, column) => (right[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0))).join('  ')}`.trimEnd()
  return `${[line(head), ...cells.map(line)].join('\n')}\n`
}

/** All pages of a list. */
export async function every<Item>(page: (after: string | undefined) => Promise<{ data: readonly Item[]; next?: string }>): Promise<Item[]> {
  const all: Item[] = []
  for (let after: string | undefined; ; ) {
    const { data, next } = await page(after)
    all.push(...data)
    if (next === undefined) return all
    after = next
  }
}
