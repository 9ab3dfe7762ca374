/** `signalbox serve`: reads the flags, and serves. */
import { parseArgs } from 'node:util'
import { closest } from '../../config/suggest.ts'

export interface ServeFlags {
  readonly config?: string
  readonly host?: string
  readonly port?: number
}

export const serveHelp = `Usage: signalbox serve [--config FILE] [--port N] [--host H]

Starts the gateway.

Options:
  --config FILE  configuration (YAML, JSON or TypeScript); default: signalbox.{yaml,json,ts} here, else none
  --port N       port to listen on, over the configuration's; 0 takes a free one
  --host H       address to listen on, over the configuration's
  --help         this text
`

const options = {
  config: { type: 'string' },
  port: { type: 'string' },
  host: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

/** The flags, a request for help, or a sentence about what is wrong with them. */
export function readServeFlags(args: readonly string[]): ServeFlags | 'help' | { readonly problem: string } {
  let values: { config?: string; port?: string; host?: string; help?: boolean }
  try {
    values = parseArgs({ args: [...args], options, allowPositionals: false }).values
  } catch (error) {
    return { problem: explain(error, args) }
  }
  if (values.help) return 'help'
  if (values.config === '') return { problem: '--config needs a file' }
  if (values.host === '') return { problem: '--host needs an address' }
  const port = values.port === undefined ? undefined : Number(values.port)
  if (port !== undefined && (!/^\d+$/.test(values.port ?? '') || port > 65_535))
    return { problem: `--port ${JSON.stringify(values.port)} is not a port: use a number from 0 to 65535` }
  return {
    ...(values.config !== undefined && { config: values.config }),
    ...(values.host !== undefined && { host: values.host }),
    ...(port !== undefined && { port }),
  }
}

function explain(error: unknown, args: readonly string[]): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const known = Object.keys(options).map((name) => `--${name}`)
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
    const unknown = args.map((arg) => arg.split('=')[0] ?? '').find((arg) => arg.startsWith('-') && !known.includes(arg)) ?? ''
    const near = closest(unknown, known)
    return `unknown option ${unknown}: ${near ? `did you mean ${near}?` : `there are ${known.join(', ')}`}`
  }
  if (code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL') return 'serve takes options only; a configuration is given as --config FILE'
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
}

/** Undefined while it serves; else the exit code. */
export async function serveCommand(args: readonly string[]): Promise<number | undefined> {
  const flags = readServeFlags(args)
  if (flags === 'help') {
    process.stdout.write(serveHelp)
    return 0
  }
  if ('problem' in flags) {
    process.stderr.write(`signalbox serve: ${flags.problem}\n`)
    return 2
  }
  const { serve } = await import('../serve.ts')
  return await serve(flags)
}
