/** The grammar of `x-signalbox-require`: `context>=128k, json_schema, vision, region=eu|ch`. */
import { invalid } from './error.ts'
import { type Feature, featureOf, features } from './features.ts'
import { retentions } from './steering.ts'
import { parseDuration } from './units.ts'

export type Requirement =
  | { readonly kind: 'feature'; readonly text: string; readonly feature: Feature }
  | { readonly kind: 'caching'; readonly text: string }
  | { readonly kind: 'number'; readonly text: string; readonly quantity: Quantity; readonly compare: Comparison; readonly value: number }
  | { readonly kind: 'word'; readonly text: string; readonly subject: Subject; readonly not: boolean; readonly values: readonly string[] }

/** Tokens, USD per million tokens, or milliseconds. */
export type Quantity = 'context' | 'output' | 'input_price' | 'output_price' | 'latency'
export type Comparison = '>=' | '<=' | '>' | '<'
export type Subject = 'region' | 'trust' | 'provider' | 'model' | 'retention'

const quantities: readonly Quantity[] = ['context', 'output', 'input_price', 'output_price', 'latency']
const subjects: readonly Subject[] = ['region', 'trust', 'provider', 'model', 'retention']
const MOST = 50

/** Throws `invalid-request` that names the word which is none. */
export function parseRequirements(text: string, path = 'x-signalbox-require'): readonly Requirement[] {
  const parts = text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)
  if (parts.length > MOST) throw invalid(`\`${path}\` has more than ${MOST} requirements.`, path)
  return parts.map((part) => requirementOf(part, path))
}

function requirementOf(text: string, path: string): Requirement {
  const [, word = '', operator, given = ''] = /^([a-z_-]+)\s*(?:(>=|<=|!=|>|<|=)\s*(.+))?$/i.exec(text) ?? []
  const name = word.toLowerCase().replaceAll('-', '_')
  if (operator === undefined) {
    if (name === 'caching' || name === 'prompt_caching') return { kind: 'caching', text }
    const feature = featureOf(name)
    if (feature) return { kind: 'feature', text, feature }
  } else if (quantities.includes(name as Quantity) && operator !== '=' && operator !== '!=') {
    const quantity = name as Quantity
    const value = numberOf(quantity, given)
    if (value === undefined) throw invalid(`\`${path}\`: \`${shown(text)}\` needs ${expected[quantity]}.`, path)
    return { kind: 'number', text, quantity, compare: operator as Comparison, value }
  } else if (subjects.includes(name as Subject) && (operator === '=' || operator === '!=')) {
    const values = given.split('|').map((value) => value.trim().toLowerCase())
    if (name === 'retention' && !values.every((value) => (retentions as readonly string[]).includes(value)))
      throw invalid(`\`${path}\`: \`${shown(text)}\`: retention is one of ${retentions.join(', ')}.`, path)
    return { kind: 'word', text, subject: name as Subject, not: operator === '!=', values }
  }
  throw invalid(
    `\`${path}\`: \`${shown(text)}\` is not a requirement. Known: ${features.join(', ')}, caching; ${quantities.join(', ')} with >= or <=; ${subjects.join(', ')} with = or !=.`,
    path,
  )
}

const expected: Readonly<Record<Quantity, string>> = {
  context: 'a number of tokens, such as `128k`',
  output: 'a number of tokens, such as `8k`',
  input_price: 'USD per million tokens, such as `0.5`',
  output_price: 'USD per million tokens, such as `2`',
  latency: 'a duration, such as `800ms`',
}

function numberOf(quantity: Quantity, text: string): number | undefined {
  if (quantity === 'latency') return parseDuration(text)
  const [, digits, unit = ''] = /^\$?(\d+(?:\.\d+)?)\s*([km]?)$/i.exec(text.trim()) ?? []
  if (digits === undefined) return undefined
  const scale = unit === '' ? 1 : unit.toLowerCase() === 'k' ? 1_000 : 1_000_000
  return Number(digits) * scale
}

const shown = (text: string): string => text.slice(0, 100)
