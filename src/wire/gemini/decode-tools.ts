/** Tools and how they are to be chosen. */
import type { HostedTool, Tool, ToolChoice } from '../../core/call.ts'
import { invalid } from '../../core/error.ts'
import { isObject, type Json, type JsonObject, wordOf } from '../../core/json.ts'
import { type Fields, fieldsOf, type Member } from './fields.ts'
import { jsonSchemaOf } from './schema.ts'

const FAMILIES: Readonly<Record<string, HostedTool['family']>> = {
  googleSearch: 'web-search',
  googleSearchRetrieval: 'web-search',
  codeExecution: 'code',
  urlContext: 'url',
  mcpServers: 'mcp',
  fileSearch: 'file-search',
}

export function toolsOf(members: readonly Member[]): Tool[] {
  return members.flatMap((member) => {
    const fields = fieldsOf(member)
    const functions = (fields.list('functionDeclarations') ?? []).map(functionOf)
    return [...functions, ...fields.names.flatMap((name) => hostedOf(name, fields.take(name)))]
  })
}

function functionOf(member: Member): Tool {
  const fields = fieldsOf(member)
  const name = fields.string('name')
  if (!name) throw invalid('A function declaration needs a name.', `${fields.path}.name`)
  const description = fields.string('description')
  const found = schemaOf(fields, 'parametersJsonSchema', 'parameters')
  const schema = found?.schema
  return {
    type: 'function',
    path: fields.path,
    name,
    ...(description !== undefined && { description }),
    ...(schema && { schema }),
    ...(found?.own && { own: { parameters: found.own } }),
    ...fields.extras(),
  }
}

interface Schema {
  readonly schema: JsonObject
  readonly path: string
  /** As the client wrote it in Google's own dialect. */
  readonly own?: JsonObject
}

/** A schema under either of its two names: JSON Schema as it is, Google's own dialect translated. */
export function schemaOf(fields: Fields, json: string, own: string): Schema | undefined {
  for (const name of [json, own]) {
    const member = fields.take(name)
    if (!member) continue
    if (!isObject(member.value)) throw invalid(`${name} must be a schema object.`, member.path)
    if (name === json) return { schema: member.value, path: member.path }
    return { schema: jsonSchemaOf(member.value), path: member.path, own: member.value }
  }
  return undefined
}

function hostedOf(name: string, member: Member | undefined): HostedTool[] {
  if (!member) return []
  const family = Object.hasOwn(FAMILIES, name) ? FAMILIES[name] : undefined
  return [{ type: 'hosted', path: member.path, wire: 'gemini', kind: name, ...(family && { family }), value: member.value }]
}

/** The choice, and what of `toolConfig` has no meaning here, under its whole path. */
export function toolConfigOf(config: Fields): { choice?: ToolChoice; rest: [string, Json][] } {
  const calling = config.object('functionCallingConfig')
  if (!calling) return { rest: config.rest(`${config.path}.`) }
  const { path } = calling
  const mode = calling.take('mode')
  const names = (calling.list('allowedFunctionNames') ?? []).map(({ value, path: where }) => {
    if (typeof value !== 'string') throw invalid('allowedFunctionNames must be names.', where)
    return value
  })
  const choice = choiceOf(mode, names, path)
  const rest = [...calling.rest(`${path}.`), ...config.rest(`${config.path}.`)]
  // Checked arguments without a forced call: no other vendor has that, so it goes back here only.
  if (wordOf(mode?.value).toUpperCase() === 'VALIDATED' && names.length === 0 && mode) rest.push([mode.path, mode.value])
  return { ...(choice && { choice }), rest }
}

function choiceOf(mode: Member | undefined, names: readonly string[], path: string): ToolChoice | undefined {
  if (!mode) return names.length > 0 ? { type: 'allowed', names, required: false, path } : undefined
  const [first] = names
  switch (wordOf(mode.value).toUpperCase()) {
    case 'ANY':
      if (names.length > 1) return { type: 'allowed', names, required: true, path }
      return first === undefined ? { type: 'required', path } : { type: 'named', name: first, path }
    case 'NONE':
      return { type: 'none', path }
    case 'AUTO':
    case 'VALIDATED':
    case 'MODE_UNSPECIFIED':
      return names.length > 0 ? { type: 'allowed', names, required: false, path } : { type: 'auto', path }
    default:
      throw invalid('mode must be AUTO, ANY, NONE or VALIDATED.', mode.path)
  }
}
