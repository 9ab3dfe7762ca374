/** `signalbox explain`: where a call would go and why. Asks a running gateway, or works it out from a configuration; nothing is sent. */
import { readFileSync } from 'node:fs'
import { assemble } from '../../config/assemble.ts'
import type { Config } from '../../config/config.ts'
import { defaultConfig } from '../../config/defaults.ts'
import { findConfigFile, loadConfigFile } from '../../config/load.ts'
import { GatewayError } from '../../core/error.ts'
import type { HttpReply, Transport } from '../../core/http.ts'
import { isObject, type JsonObject, parseJson } from '../../core/json.ts'
import { type CommandArgs, catalogFrom, catalogPathOf } from './catalog-file.ts'
import { problemText } from './check.ts'

const PATH = '/v1/route/explain'

/** 0 when the call would be sent, 1 when nothing could take it, 2 for a bad question. */
export async function explainCommand({ positionals, options, write }: CommandArgs): Promise<number> {
  const told = (text: string): number => {
    write(`explain: ${text}\n`)
    return 2
  }
  const body = bodyOf(positionals[0], options)
  if (typeof body === 'string') return told(body)
  const headers = headersOf(options)
  if (typeof headers === 'string') return told(headers)
  const answer = typeof options['url'] === 'string' ? await ask(options['url'], headers, body) : await workOut(options, headers, body)
  if (typeof answer === 'string') return told(answer)
  const { status, json } = answer
  const error = isObject(json) && isObject(json['error']) ? json['error'] : undefined
  if (status !== 200 || !isObject(json))
    return told(typeof error?.['message'] === 'string' ? error['message'] : `the gateway answered ${status}`)
  write(options['json'] === true ? `${JSON.stringify(json, null, 2)}\n` : textOf(json))
  return error ? 1 : 0
}

/** The request: a JSON file, `-` for standard input, or made of `--model` and `--prompt`. */
function bodyOf(file: string | undefined, options: CommandArgs['options']): JsonObject | string {
  const { model, prompt, dialect } = options
  let request: JsonObject
  if (file !== undefined) {
    let text: string
    try {
      text = readFileSync(file === '-' ? 0 : file, 'utf8')
    } catch (error) {
      return `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`
    }
    const read = parseJson(text)
    if (!isObject(read)) return `${file} is not the body of a call: it must be a JSON object`
    request = typeof model === 'string' ? { ...read, model } : read
  } else if (typeof model === 'string') {
    request = { model, messages: [{ role: 'user', content: typeof prompt === 'string' ? prompt : 'Hello' }] }
  } else return 'say what is asked: a file with the body of a call, or --model NAME'
  if (request['request'] !== undefined && isObject(request['request'])) return request
  return { request, ...(typeof dialect === 'string' && { dialect }) }
}

const headerOptions = ['require', 'prefer', 'region', 'max-cost', 'max-latency', 'metadata'] as const

function headersOf(options: CommandArgs['options']): Record<string, string> | string {
  const headers: Record<string, string> = { 'content-type': 'application/json' }
  for (const name of headerOptions) {
    const value = options[name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())]
    if (value === true) return `--${name} needs a value`
    if (typeof value === 'string') headers[`x-signalbox-${name}`] = value
  }
  const key = typeof options['key'] === 'string' ? options['key'] : process.env['SIGNALBOX_KEY']
  if (key) headers['authorization'] = `Bearer ${key}`
  return headers
}

interface Answer {
  readonly status: number
  readonly json: unknown
}

async function ask(url: string, headers: Record<string, string>, body: JsonObject): Promise<Answer | string> {
  const address = `${url.replace(/\/+$/, '').replace(/\/v1$/, '')}${PATH}`
  if (!URL.canParse(address)) return `${url} is not a URL: write http://127.0.0.1:8484`
  try {
    const response = await fetch(address, { method: 'POST', headers, body: JSON.stringify(body) })
    return { status: response.status, json: parseJson(await response.text()) }
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)
    return `no gateway answers at ${url}: ${cause}`
  }
}

async function workOut(options: CommandArgs['options'], headers: Record<string, string>, body: JsonObject): Promise<Answer | string> {
  const named = options['config']
  const file = typeof named === 'string' ? named : findConfigFile(process.cwd())
  const catalog = catalogFrom(catalogPathOf(file))
  let config: Config
  if (file === undefined) config = defaultConfig({ env: process.env, catalog: () => catalog })
  else {
    const loaded = await loadConfigFile(file, { env: process.env, catalog: () => catalog })
    if (!loaded.config) return `${file} has problems\n${loaded.problems.map((problem) => problemText(file, problem)).join('')}`
    config = loaded.config
  }
  const line = assemble({
    config,
    catalog,
    secrets: { env: process.env, readFile: (path) => readFileSync(path, 'utf8'), allowPlaintext: config.secrets.allowPlaintext },
    transport: unused,
    simulatorTransport: () => unused,
  })
  const reply = await line.handle({ method: 'POST', path: PATH, query: '', headers, body: new TextEncoder().encode(JSON.stringify(body)) })
  return { status: reply.status, json: parseJson(await textOfReply(reply)) }
}

/** Explaining sends nothing. */
const unused: Transport = {
  send: async () => {
    throw new GatewayError('internal', 'Explaining sends nothing.')
  },
  close: async () => {},
}

async function textOfReply({ body }: HttpReply): Promise<string> {
  if (body instanceof Uint8Array) return new TextDecoder().decode(body)
  let text = ''
  for await (const chunk of body) text += typeof chunk === 'string' ? chunk : new TextDecoder().decode(chunk)
  return text
}

function textOf(json: JsonObject): string {
  const list = (value: unknown): readonly JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : [])
  const nameOf = ({ provider, model }: JsonObject): string => `${String(provider)}/${String(model)}`
  const candidates = list(json['candidates'])
  const lines = [`${String(json['model'])} → route ${String(json['route'])}, strategy ${String(json['strategy'])}`]
  const order = list(json['order'])
  if (order.length > 0) lines.push('', `Tried in this order (${String(json['reason'])}):`)
  order.forEach((place, index) => {
    const judged = candidates.find((one) => nameOf(one) === nameOf(place)) ?? {}
    const known = Object.entries(isObject(judged['known']) ? judged['known'] : {}).map(
      ([name, value]) => `${name} ${typeof value === 'number' ? +value.toPrecision(4) : String(value)}`,
    )
    const scores = Object.entries(isObject(judged['scores']) ? judged['scores'] : {}).map(([name, value]) => `${name}=${String(value)}`)
    const lacks = Array.isArray(judged['lacks']) && judged['lacks'].length > 0 ? [`lacks ${judged['lacks'].join(', ')}`] : []
    const notes = [place['resting'] ? 'resting' : '', place['tier'] ? `tier ${String(place['tier'])}` : '', ...scores, ...lacks, ...known]
    lines.push(`  ${index + 1}. ${nameOf(place)}${notes.some(Boolean) ? `  (${notes.filter(Boolean).join('; ')})` : ''}`)
  })
  const removed = candidates.filter((one) => one['removed'] !== undefined)
  if (removed.length > 0) lines.push('', 'Left out:')
  for (const one of removed) lines.push(`  ${nameOf(one)}: ${String(one['removed'])}`)
  for (const one of candidates) if (one['warning'] !== undefined) lines.push('', `Warning: ${nameOf(one)}: ${String(one['warning'])}`)
  const notes = Array.isArray(json['notes']) ? json['notes'] : []
  if (notes.length > 0) lines.push('', 'Notes:', ...notes.map((note) => `  ${String(note)}`))
  if (isObject(json['error'])) lines.push('', String(json['error']['message']))
  return `${lines.join('\n')}\n`
}
