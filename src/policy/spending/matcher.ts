/** Finds the rules that hold for a call by what it is, so that a call looks at no rule of somebody else's. */
import type { PricedCandidate } from '../../core/policy.ts'
import type { Attribution } from './attribution.ts'
import type { Meter, Slot, Where } from './meter.ts'

/** A rule that holds for a call, and the counter it holds at. */
export interface Applied {
  readonly meter: Meter
  readonly slot: Slot
  /** It holds for these places only: indexes of candidates. Undefined: wherever the call goes. */
  readonly only: readonly number[] | undefined
}

/** What a call is, as far as rules ask. */
export interface Subject {
  readonly who: Attribution
  /** Names it is known by: as the client asked, and its route. */
  readonly asked: readonly string[]
  readonly route: string | undefined
  readonly candidates: readonly PricedCandidate[]
  readonly now: number
}

type Shelf = { readonly each: Meter[]; readonly byValue: Map<string, Meter[]> }

export interface Matcher {
  readonly size: number
  readonly meters: readonly Meter[]
  /** Adds what applies. */
  collect(subject: Subject, into: Applied[]): void
}

export function matcherOf(meters: readonly Meter[]): Matcher {
  const shelves = new Map<Meter['by'], Shelf>()
  for (const meter of meters) {
    let shelf = shelves.get(meter.by)
    if (!shelf) {
      shelf = { each: [], byValue: new Map() }
      shelves.set(meter.by, shelf)
    }
    if (meter.value === undefined || meter.by === 'all') shelf.each.push(meter)
    else {
      const same = shelf.byValue.get(meter.value)
      if (same) same.push(meter)
      else shelf.byValue.set(meter.value, [meter])
    }
  }
  const dimensions = [...shelves]

  return {
    size: meters.length,
    meters,
    collect(subject, into) {
      for (const [by, shelf] of dimensions) collectBy(by, shelf, subject, into)
    },
  }
}

function collectBy(by: Meter['by'], shelf: Shelf, subject: Subject, into: Applied[]): void {
  const { who, route } = subject
  switch (by) {
    case 'all':
      take(shelf.each, '', subject, into)
      break
    case 'key':
      take(shelf.each, who.key, subject, into)
      take(shelf.byValue.get(who.key), who.key, subject, into)
      if (who.alias !== undefined && who.alias !== who.key) take(shelf.byValue.get(who.alias), who.key, subject, into)
      break
    case 'user':
    case 'team':
    case 'project':
      takeValue(shelf, who[by], scoped(who, who[by]), subject, into)
      break
    case 'organisation':
      takeValue(shelf, who.organisation, who.organisation, subject, into)
      break
    case 'tag':
      for (const tag of who.tags) takeValue(shelf, tag, scoped(who, tag), subject, into)
      break
    case 'route':
      takeValue(shelf, route, route, subject, into)
      break
    case 'ip-class':
      takeValue(shelf, who.ipClass, who.ipClass, subject, into)
      break
    case 'provider':
    case 'model':
      takePlaces(by, shelf, subject, into)
      break
    default:
      by satisfies never
  }
}

/** Names of users, teams and tags mean something within one organisation only. */
const scoped = ({ organisation }: Attribution, value: string | undefined): string | undefined =>
  organisation === undefined || value === undefined ? value : `${organisation}/${value}`

function takeValue(shelf: Shelf, value: string | undefined, counted: string | undefined, subject: Subject, into: Applied[]): void {
  if (value === undefined || counted === undefined) return
  take(shelf.each, counted, subject, into, value)
  take(shelf.byValue.get(value), counted, subject, into, value)
}

function take(meters: readonly Meter[] | undefined, counted: string, subject: Subject, into: Applied[], raw = counted): void {
  if (!meters) return
  for (const meter of meters) {
    const only = placesOf(meter, subject)
    if (only === NOWHERE) continue
    const slot = meter.slot(counted, subject.now, () => whereOf(meter.by, raw, subject.who))
    into.push({ meter, slot, only })
  }
}

/** Each place that the call may go to has a count of its own. */
function takePlaces(by: 'provider' | 'model', shelf: Shelf, subject: Subject, into: Applied[]): void {
  const { candidates, now } = subject
  const found = new Map<Meter, Map<string, { readonly places: number[]; readonly where: Where }>>()
  const note = (meters: readonly Meter[] | undefined, value: string, index: number, where: Where): void => {
    for (const meter of meters ?? []) {
      const may = placesOf(meter, subject)
      if (may === NOWHERE || (may && !may.includes(index))) continue
      const counts = found.get(meter) ?? new Map<string, { places: number[]; where: Where }>()
      found.set(meter, counts)
      const count = counts.get(value)
      if (count) count.places.push(index)
      else counts.set(value, { places: [index], where })
    }
  }
  candidates.forEach(({ provider, model }, index) => {
    if (by === 'provider') {
      note(shelf.each, provider, index, { provider })
      note(shelf.byValue.get(provider), provider, index, { provider })
      return
    }
    const name = `${provider}/${model}`
    note(shelf.each, name, index, { provider, model })
    note(shelf.byValue.get(name), name, index, { provider, model })
    note(shelf.byValue.get(model), model, index, { model })
  })
  for (const [meter, counts] of found)
    for (const [value, { places, where }] of counts)
      into.push({
        meter,
        slot: meter.slot(value, now, () => where),
        only: places.length === candidates.length ? undefined : places,
      })
}

const NOWHERE: readonly number[] = []

/** Where the rule holds: undefined for everywhere. */
function placesOf({ models, tiers, organisation }: Meter, { who, asked, candidates }: Subject): readonly number[] | undefined {
  if (organisation !== undefined && organisation !== who.organisation) return NOWHERE
  if (tiers && (who.tier === undefined || !tiers.has(who.tier))) return NOWHERE
  if (!models || asked.some(models.asked)) return undefined
  const places: number[] = []
  candidates.forEach(({ provider, model }, index) => {
    if (models.place(provider, model)) places.push(index)
  })
  if (places.length === 0) return NOWHERE
  return places.length === candidates.length ? undefined : places
}

function whereOf(by: Meter['by'], value: string, { organisation, key }: Pick<Attribution, 'organisation' | 'key'>): Where {
  const tenant = organisation === undefined ? {} : { organisation }
  switch (by) {
    case 'all':
      return {}
    case 'key':
      return { key }
    case 'ip-class':
      return undefined
    case 'organisation':
      return { organisation: value }
    case 'user':
    case 'team':
    case 'project':
    case 'tag':
      return { ...tenant, [by]: value }
    default:
      return { [by]: value }
  }
}

/** Rates first: who calls too often hears of that, and not of money. */
export function rulesFor(subject: Subject, matcher: Matcher, own: Matcher | undefined, credit: Meter | undefined): readonly Applied[] {
  const found: Applied[] = []
  if (matcher.size > 0) matcher.collect(subject, found)
  own?.collect(subject, found)
  const { organisation = '' } = subject.who
  if (credit) found.push({ meter: credit, slot: credit.slot(organisation, subject.now, () => ({ organisation })), only: undefined })
  if (found.length < 2) return found
  const money = found.filter(({ meter }) => meter.kind !== 'rate')
  return money.length === 0 || money.length === found.length ? found : [...found.filter(({ meter }) => meter.kind === 'rate'), ...money]
}

/** A value of a rule: names of users, teams, projects and tags are those of an organisation, where there are any. */
export interface RuleValue {
  /** A key's id, a user, a team, a tag, a route, `provider/model` … Absent for rules of everybody, or for the rule's own. `organisation/team` will do. */
  readonly value?: string | undefined
  readonly organisation?: string | undefined
}

/** The counter at which a call of this value would be held. */
export function slotOf(meter: Meter, of: RuleValue, now: number): Slot {
  const { by } = meter
  const inside = by === 'user' || by === 'team' || by === 'project' || by === 'tag'
  let { value = meter.value ?? '', organisation = meter.organisation } = of
  const slash = value.indexOf('/')
  if (inside && organisation === undefined && slash > 0) [organisation, value] = [value.slice(0, slash), value.slice(slash + 1)]
  const counted = inside && organisation !== undefined ? `${organisation}/${value}` : value
  return meter.slot(by === 'all' ? '' : counted, now, () => {
    if (by !== 'model') return whereOf(by, value, { organisation, key: value })
    return slash < 0 ? { model: value } : { provider: value.slice(0, slash), model: value.slice(slash + 1) }
  })
}
