/** The operator's word over a listed price. Pure. */
import type { Band, HourRates, PriceOverride, Rates } from '../core/rates.ts'
import { type ScheduledRates, times } from './price.ts'

/** True when it says anything. */
export const saysSomething = (override: PriceOverride | undefined): override is PriceOverride =>
  override !== undefined && Object.values(override).some((said) => said !== undefined)

/**
 * What the operator says holds at every hour and length of input, so listed bands of the same kinds go; hours that the
 * operator names come last, and so count where they hold.
 */
export function overridden(
  listed: readonly ScheduledRates[],
  { hours = [], discount, ...rates }: PriceOverride,
): readonly ScheduledRates[] {
  const said = known(rates)
  const usual = listed.map((part): ScheduledRates => ({ ...part, rates: over(part.rates, said) }))
  const windows = hours.flatMap((window) =>
    usual
      .filter(({ daily }) => daily === undefined)
      .map((part): ScheduledRates => ({ ...part, daily: windowOf(window), rates: over(part.rates, kindsOf(window)) })),
  )
  const schedule = [...usual, ...windows]
  return discount ? schedule.map((part) => ({ ...part, rates: discounted(part.rates, 1 - discount) })) : schedule
}

function over(listed: Rates, said: Rates): Rates {
  const { bands = [], ...rates } = listed
  const kept = bands
    .map((band) => Object.fromEntries(Object.entries(band).filter(([kind]) => !(kind in said))) as unknown as Band)
    .filter((band) => Object.keys(band).length > 1)
  return { ...rates, ...(kept.length > 0 && { bands: kept }), ...said, ...tiersOf(rates, said) }
}

/** Classes of service add up: one that the operator names leaves the others as they are listed. */
const tiersOf = (listed: Rates, said: Rates): Pick<Rates, 'tiers'> =>
  listed.tiers || said.tiers ? { tiers: { ...listed.tiers, ...said.tiers } } : {}

const known = (rates: Rates): Rates => Object.fromEntries(Object.entries(rates).filter(([, rate]) => rate !== undefined)) as Rates

const kindsOf = ({ from: _from, to: _to, ...kinds }: HourRates): Rates => known(kinds)

function discounted({ minimum, bands, tiers, geos, ...kinds }: Rates, factor: number): Rates {
  const less = <T extends object>(rates: T): T =>
    Object.fromEntries(
      Object.entries(rates).map(([kind, rate]) => [kind, kind === 'above' || kind === 'factor' ? rate : times(rate, factor)]),
    ) as T
  return {
    ...less(kinds),
    ...(minimum !== undefined && { minimum }),
    ...(bands && { bands: bands.map(less) }),
    ...(geos && { geos }),
    ...(tiers && { tiers: Object.fromEntries(Object.entries(tiers).map(([name, tier]) => [name, less(tier)])) }),
  }
}

const windowOf = ({ from, to }: HourRates): { start: number; end: number } => ({ start: secondOf(from), end: secondOf(to) })

/** `01:30`, `01:30:00Z` in seconds since midnight. */
export function secondOf(time: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = time
    .replace(/[^\d:].*$/, '')
    .split(':')
    .map(Number)
  return hours * 3600 + minutes * 60 + seconds
}
