/** `signalbox models`: finds models in the catalogue and says what they can do, cost, and how long they will be there. */
import { type Price, type Rates, ratesAt } from '../../accounting/price.ts'
import { createPricing } from '../../accounting/pricing.ts'
import { capabilitiesOf } from '../../catalog/capabilities.ts'
import type { Catalog } from '../../catalog/catalog.ts'
import type { ModelEntry, ModelFilters } from '../../catalog/types.ts'
import { didYouMean } from '../../config/suggest.ts'
import type { Capabilities } from '../../core/target.ts'
import { type CommandArgs, catalogFrom, catalogPathOf } from './catalog-file.ts'

const SHOWN = 40

/** 0 when something was found, 1 when nothing was, 2 for a bad option. */
export async function modelsCommand({ positionals, options, write }: CommandArgs): Promise<number> {
  const read = filtersOf(options)
  if (typeof read === 'string') {
    write(`models: ${read}\n`)
    return 2
  }
  const path = typeof options['catalog'] === 'string' ? options['catalog'] : catalogPathOf(options['config'])
  let catalog: Catalog
  try {
    catalog = catalogFrom(path)
  } catch (error) {
    write(`models: ${error instanceof Error ? error.message : String(error)}\n`)
    return 2
  }
  if (read.provider !== undefined && !catalog.provider(read.provider)) {
    const names = catalog.providers().map(({ id }) => id)
    write(
      `models: no provider is called \`${read.provider}\`: ${didYouMean(read.provider, names) ?? '`signalbox models` lists them with their models'}\n`,
    )
    return 2
  }
  const { limit, ...filters } = read
  const found = catalog.search(positionals.join(' '), filters)
  const json = options['json'] === true
  const shown = found.slice(0, limit ?? (json ? found.length : SHOWN))
  const pricing = createPricing({ catalog })
  const now = new Date()
  const described = shown.map((model): Described => {
    const price = pricing.priceOf(model.provider, model.id)
    return { model, capabilities: capabilitiesOf(model.provider, model.id, catalog), price, rates: price && ratesAt(price, now) }
  })
  if (json) {
    write(`${JSON.stringify(described.map(plain), null, 2)}\n`)
    return found.length > 0 ? 0 : 1
  }
  if (found.length === 0) {
    write('No model fits. Fewer words or filters find more.\n')
    return 1
  }
  write(tableOf(described))
  write(
    `\n${shown.length} of ${found.length} models${shown.length < found.length ? ': narrow the search, or ask for more with --limit' : ''}\n`,
  )
  const limitation = read.provider === undefined ? undefined : catalog.provider(read.provider)?.limitation
  if (limitation) write(`${read.provider}: ${limitation}\n`)
  return 0
}

interface Described {
  readonly model: ModelEntry
  readonly capabilities: Capabilities
  readonly price: Price | undefined
  readonly rates: Rates | undefined
}

const plain = ({ model, capabilities, price, rates }: Described): object => ({
  ...model,
  capabilities,
  price: rates && { ...rates, source: price?.source },
})

/** The filters, or a sentence about the option that cannot be one. */
function filtersOf(options: CommandArgs['options']): ModelFilters | string {
  const filters: { -readonly [Name in keyof ModelFilters]: ModelFilters[Name] } = {}
  for (const name of ['provider', 'input', 'output'] as const) {
    const value = options[name]
    if (value === true) return `--${name} needs a value`
    if (typeof value === 'string') filters[name] = value
  }
  for (const name of ['tools', 'reasoning'] as const) if (options[name] === true) filters[name] = true
  if (options['schema'] === true) filters.jsonSchema = true
  if (options['current'] === true) filters.deprecated = false
  for (const [option, name] of [
    ['context', 'context'],
    ['maxPrice', 'maxInputPrice'],
    ['limit', 'limit'],
  ] as const) {
    const value = options[option]
    if (value === undefined || value === false) continue
    const number = Number(typeof value === 'string' ? value.replace(/k$/i, '000').replace(/m$/i, '000000') : Number.NaN)
    if (!Number.isFinite(number) || number < 0) return `--${option.replace(/[A-Z]/, (letter) => `-${letter.toLowerCase()}`)} needs a number`
    filters[name] = number
  }
  return filters
}

const HEADINGS = ['MODEL', 'CONTEXT', 'OUTPUT', 'TAKES', 'CAN', 'IN $/M', 'OUT $/M', 'CACHED', 'STATE'] as const

function tableOf(described: readonly Described[]): string {
  const rows = [HEADINGS, ...described.map(rowOf)]
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

function rowOf({ model, capabilities, rates }: Described): readonly string[] {
  const can = [capabilities.tools && 'tools', capabilities.jsonSchema && 'schema', capabilities.reasoning && 'reasoning']
  return [
    `${model.provider}/${model.id}`,
    countOf(capabilities.contextWindow),
    countOf(capabilities.maxOutput),
    (capabilities.inputModalities ?? []).filter((name) => name !== 'text').join(' ') || (capabilities.inputModalities ? 'text' : '?'),
    can.filter(Boolean).join(' '),
    dollars(rates?.input),
    dollars(rates?.output),
    dollars(rates?.cacheRead),
    stateOf(model),
  ]
}

const countOf = (tokens: number | undefined): string =>
  tokens === undefined
    ? '?'
    : tokens >= 1_000_000
      ? `${+(tokens / 1_000_000).toFixed(2)}M`
      : tokens >= 1000
        ? `${Math.round(tokens / 1000)}k`
        : String(tokens)

// Unknown is not free.
const dollars = (rate: number | undefined): string => (rate === undefined ? '?' : String(+rate.toFixed(4)))

function stateOf({ status, shutdown, deprecated }: ModelEntry): string {
  if (shutdown) return `${status === 'retired' ? 'gone since' : 'until'} ${shutdown}`
  return deprecated ? `deprecated since ${deprecated}` : status === 'active' ? '' : status
}
