import { z } from 'zod'
import { configSchema } from '../../src/config/schema.ts'

interface Schema {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly default?: unknown
  readonly implied?: string
  readonly enum?: readonly unknown[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: Schema | boolean
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly minimum?: number
  readonly maximum?: number
  readonly pattern?: string
  readonly $ref?: string
}

// Draft 7 is what editors read everywhere.
const schemaOf = (): Schema => z.toJSONSchema(configSchema, { io: 'input', target: 'draft-7' }) as Schema

/** The JSON Schema that editors complete and check with. */
export function configSchemaFile(): string {
  const tidy = (_key: string, value: unknown): unknown => {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !('implied' in value)) return value
    const { implied, description = '', ...rest } = value as { implied: string; description?: string }
    return { ...rest, description: `${description} Default: ${implied}.` }
  }
  const { $schema, ...rest } = schemaOf() as Schema & { $schema?: string }
  return `${JSON.stringify({ $schema, title: 'Signalbox configuration', ...rest }, tidy, 2)}\n`
}

/** Every key with its kind, default and sentence. */
export function configPage(): string {
  const { properties = {} } = schemaOf()
  const sections = Object.entries(properties).filter(([name]) => name !== '$schema')
  const body = sections.map(([name, schema]) => {
    const rows = rowsOf(name, schema).map(({ path, kind, fallback, text }) => `| \`${path}\` | ${kind} | ${fallback} | ${text} |`)
    const table = rows.length > 0 ? `\n| key | kind | default | |\n|---|---|---|---|\n${rows.join('\n')}\n` : ''
    return `## ${name}\n\n${schema.description ?? ''}\n${table}`
  })
  return `<!-- Made by \`npm run docs\` from src/config/schema.ts. -->

# Configuration reference

YAML, JSON or TypeScript; every key is optional unless its default says *required*. The [guide](../guide/configuration.md) explains by example;
[config.schema.json](config.schema.json) is the same as a JSON Schema, for completion in editors:

\`\`\`yaml
# yaml-language-server: $schema=./docs/reference/config.schema.json
\`\`\`

Durations and sizes are strings with a unit (\`250ms\`, \`8s\`, \`5m\`, \`1h\`; \`16KB\`, \`64MB\`). \`<name>\` stands for a name of your choice, \`[]\` for each
item of a list. A section whose engine does not exist yet is checked all the same, and \`signalbox check\` says so.

${body.join('\n')}`
}

interface Row {
  readonly path: string
  readonly kind: string
  readonly fallback: string
  readonly text: string
}

function rowsOf(path: string, schema: Schema): Row[] {
  const map = mapOf(schema)
  if (map) return isSection(map) ? rowsOf(`${path}.<name>`, map) : [rowOf(path, schema, false)]
  if (schema.items && isSection(schema.items)) return rowsOf(`${path}[]`, schema.items)
  const required = new Set((schema as { required?: readonly string[] }).required)
  return Object.entries(schema.properties ?? {}).flatMap(([name, child]) => {
    const at = `${path}.${name}`
    const inner = isSection(child) || isSection(mapOf(child)) || isSection(child.items)
    return inner ? rowsOf(at, child) : [rowOf(at, child, required.has(name))]
  })
}

function rowOf(path: string, schema: Schema, required: boolean): Row {
  const fallback = required
    ? '*required*'
    : (schema.implied ?? (schema.default === undefined ? '' : `\`${JSON.stringify(schema.default)}\``))
  return { path, kind: kindOf(schema), fallback: cell(fallback), text: cell(schema.description ?? '') }
}

const isSection = (schema: Schema | undefined): boolean => schema?.properties !== undefined
const mapOf = ({ additionalProperties }: Schema): Schema | undefined =>
  typeof additionalProperties === 'object' ? additionalProperties : undefined

function kindOf(schema: Schema): string {
  if (schema.enum) return schema.enum.map((value) => `\`${String(value)}\``).join(', ')
  if (schema.pattern?.includes('ms|s|m')) return 'duration'
  if (schema.pattern?.includes('KB|MB')) return 'size'
  if (schema.items) return `list of ${plural(kindOf(schema.items))}`
  const map = mapOf(schema)
  if (map) return map.$ref || map.anyOf ? 'fields' : `map of ${plural(kindOf(map))}`
  if (schema.anyOf) return 'amount'
  if (schema.type === 'integer' || schema.type === 'number') return range(schema)
  if (schema.type === 'boolean') return 'true or false'
  return schema.type === 'string' ? 'text' : 'any'
}

const plural = (kind: string): string => (kind === 'text' ? 'texts' : kind === 'number' ? 'numbers' : kind)
const range = ({ type, minimum, maximum }: Schema): string => {
  const name = type === 'integer' ? 'whole number' : 'number'
  const bounded = minimum !== undefined && maximum !== undefined && maximum < 1e9
  return bounded ? `${name}, ${minimum} to ${maximum}` : name
}
const cell = (text: string): string => text.replaceAll('|', '\\|')
