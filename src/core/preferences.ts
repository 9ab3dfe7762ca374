/** The grammar of `x-signalbox-prefer`: weights as in HTTP content negotiation, `cost;q=0.8, latency;q=0.2`. */
import { invalid } from './error.ts'
import { type Feature, featureOf } from './features.ts'

export type Metric = 'cost' | 'latency' | 'throughput' | 'context' | 'nearby' | 'reliability'

export interface Preference {
  /** What is weighed: a metric, a feature, or a word that provider, region or trust must be (`region=eu`). */
  readonly on:
    | { readonly kind: 'metric'; readonly metric: Metric }
    | { readonly kind: 'feature'; readonly feature: Feature }
    | { readonly kind: 'word'; readonly subject: 'provider' | 'region' | 'trust'; readonly value: string }
  /** 0 to 1. */
  readonly q: number
  readonly text: string
}

const metrics: Readonly<Record<string, Metric>> = {
  cost: 'cost',
  price: 'cost',
  latency: 'latency',
  speed: 'latency',
  throughput: 'throughput',
  context: 'context',
  nearby: 'nearby',
  reliability: 'reliability',
}
const MOST = 20

/** Throws `invalid-request` that names the word which is none. */
export function parsePreferences(text: string, path = 'x-signalbox-prefer'): readonly Preference[] {
  const parts = text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)
  if (parts.length > MOST) throw invalid(`\`${path}\` has more than ${MOST} preferences.`, path)
  return parts.map((part) => preferenceOf(part, path))
}

function preferenceOf(part: string, path: string): Preference {
  const [word = '', ...parameters] = part.split(';').map((piece) => piece.trim())
  const name = word.toLowerCase().replaceAll('-', '_')
  let q = 1
  for (const parameter of parameters) {
    const [, value] = /^q\s*=\s*(0(?:\.\d{1,6})?|1(?:\.0{1,6})?)$/i.exec(parameter) ?? []
    if (value === undefined) throw invalid(`\`${path}\`: \`${part.slice(0, 100)}\`: a weight is \`q=\` and a number from 0 to 1.`, path)
    q = Number(value)
  }
  const metric = Object.hasOwn(metrics, name) ? metrics[name] : undefined
  if (metric) return { on: { kind: 'metric', metric }, q, text: word }
  const feature = featureOf(name)
  if (feature) return { on: { kind: 'feature', feature }, q, text: word }
  const [, subject, value] = /^(provider|region|trust)\s*=\s*(\S+)$/i.exec(word) ?? []
  if (subject && value)
    return {
      on: { kind: 'word', subject: subject.toLowerCase() as 'provider' | 'region' | 'trust', value: value.toLowerCase() },
      q,
      text: word,
    }
  throw invalid(
    `\`${path}\`: \`${part.slice(0, 100)}\` is not a preference. Known: ${[...new Set(Object.values(metrics))].join(', ')}, any feature, \`region=\`, \`trust=\`, \`provider=\`.`,
    path,
  )
}
