/** From the catalogue's small form back to entries: the other direction of `compact.ts`. */
import type { Effort, WireId } from '../core/call.ts'
import { effortOf, modalityOf, PRICE_FIELDS, statusOf, wireOf } from './compact.ts'
import type { Lifecycle } from './presets/lifecycle.ts'
import type { ModelEntry, PriceFacts } from './types.ts'

export function expandModels(provider: string, text: string, lifecycle: Readonly<Record<string, Lifecycle>>, today: string): ModelEntry[] {
  if (text === '') return []
  return text.split('\n').map((line) => entryOf(provider, line, lifecycle, today))
}

function entryOf(provider: string, line: string, lifecycle: Readonly<Record<string, Lifecycle>>, today: string): ModelEntry {
  const [
    id = '',
    name = '',
    flags = '',
    modalities = '',
    limits = '',
    price = '',
    released = '',
    thinking = '',
    departure = '',
    family = '',
  ] = line.split('|')
  const [input = '', output = ''] = modalities.split('>')
  const [context, maxOutput, maxInput] = limits.split(',').map(countOf)
  const dates = Object.hasOwn(lifecycle, id) ? lifecycle[id] : undefined
  const priced = price === '' ? undefined : priceOf(price)
  return {
    id,
    provider,
    name: name || id,
    inputModalities: [...input].flatMap((letter) => modalityOf.get(letter) ?? []),
    outputModalities: [...output].flatMap((letter) => modalityOf.get(letter) ?? []),
    status: statusNow(flags, dates, today),
    aliases: aliasesOf(provider, id),
    ...(family && { family }),
    ...(context !== undefined && { contextWindow: context }),
    ...(maxOutput !== undefined && { maxOutput }),
    ...(maxInput !== undefined && { maxInput }),
    ...flagged('tools', flags, 't', 'T'),
    ...flagged('reasoning', flags, 'r', 'R'),
    ...flagged('jsonSchema', flags, 's', 'S'),
    ...flagged('sampling', flags, 'p', 'P'),
    ...(flags.includes('o') && { openWeights: true }),
    ...(flags.includes('c') && { reasoningField: 'reasoning_content' }),
    ...(flags.includes('d') && { reasoningField: 'reasoning_details' }),
    ...(priced && { price: priced }),
    ...(released && { released: released.replace(/^(\d\d)(\d\d)(\d\d)$/, '20$1-$2-$3') }),
    ...(dates?.deprecated && { deprecated: dates.deprecated }),
    ...(dates?.shutdown && { shutdown: dates.shutdown }),
    ...thinkingOf(thinking),
    ...departureOf(departure),
  }
}

function flagged(key: string, flags: string, yes: string, no: string): Record<string, boolean> {
  return flags.includes(yes) ? { [key]: true } : flags.includes(no) ? { [key]: false } : {}
}

const countOf = (text: string): number | undefined =>
  text === '' ? undefined : text.endsWith('k') ? Number(text.slice(0, -1)) * 1000 : Number(text)

function statusNow(flags: string, dates: Lifecycle | undefined, today: string): ModelEntry['status'] {
  if (dates?.shutdown && dates.shutdown <= today) return 'retired'
  if (dates?.shutdown || (dates?.deprecated && dates.deprecated <= today)) return 'deprecated'
  for (const [letter, status] of statusOf) if (flags.includes(letter)) return status as ModelEntry['status']
  return 'active'
}

function priceOf(text: string): PriceFacts {
  const [base = '', ...bands] = text.split('@')
  const facts = ratesOf(base)
  if (bands.length === 0) return facts
  return {
    ...facts,
    bands: bands.map((band) => {
      const [above = '', rates = ''] = band.split(':')
      return { above: Number(above), ...ratesOf(rates) }
    }),
  }
}

function ratesOf(text: string): Omit<PriceFacts, 'bands'> {
  const rates: Record<string, number> = {}
  text.split(',').forEach((value, index) => {
    const field = PRICE_FIELDS[index]
    if (field && value !== '') rates[field] = Number(value)
  })
  return rates
}

function thinkingOf(text: string): Pick<ModelEntry, 'reasoningToggle' | 'efforts' | 'thinkingBudget'> {
  const result: { reasoningToggle?: boolean; efforts?: readonly Effort[]; thinkingBudget?: { min?: number; max?: number } } = {}
  for (const option of text.split(';')) {
    const rest = option.slice(1)
    if (option[0] === 'g') result.reasoningToggle = true
    else if (option[0] === 'e') result.efforts = [...rest].flatMap((letter) => (effortOf.get(letter) as Effort | undefined) ?? [])
    else if (option[0] === 'b') {
      const [min, max] = rest.split('-')
      result.thinkingBudget = { ...(min && { min: Number(min) }), ...(max && { max: Number(max) }) }
    }
  }
  return result
}

function departureOf(text: string): Pick<ModelEntry, 'wires' | 'baseUrl'> {
  if (text === '') return {}
  const wire = wireOf.get(text[0]!) as WireId | undefined
  // The letter is there or not: what begins a URL is `h` or `$`.
  const url = wire ? text.slice(1) : text
  return { ...(wire && { wires: [wire] }), ...(url && { baseUrl: url.replace(/\/+$/, '') }) }
}

/** Spellings that people use for the same model: with the provider before it, and with dots for dashes in a version or the other way round. */
export function aliasesOf(provider: string, id: string): readonly string[] {
  const other = /\d\.\d/.test(id) ? id.replace(/(\d)\.(?=\d)/g, '$1-') : id.replace(/(?<=[a-z]-\d)-(\d{1,2})(?=-|$)/, '.$1')
  return other === id ? [`${provider}/${id}`] : [other, `${provider}/${id}`, `${provider}/${other}`]
}
