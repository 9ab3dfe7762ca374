/** Whether the ledger tells what really happened. */
import type { LedgerLine } from './admin.ts'
import type { CallMade } from './callers.ts'

/** What every call costs, in nano-dollars: a price per request, so that it does not hang on how much of the answer came. */
export const PRICE = 1_000_000

export interface Evidence {
  readonly calls: readonly CallMade[]
  /** How often a call reached the provider, by its name. */
  readonly received: ReadonlyMap<string, number>
  readonly ledger: readonly LedgerLine[]
  readonly usage: ReadonlyMap<string, { readonly requests: number; readonly cost: number }>
  /** Moments at which a gateway was killed. */
  readonly kills: readonly { readonly gateway: string; readonly at: number }[]
  /** What keys may spend, in nano-dollars, and by how much more they may have in the end. */
  readonly budgets: ReadonlyMap<string, { readonly limit: number; readonly bound: number }>
}

export interface Verdict {
  readonly faults: readonly string[]
  readonly charged: number
  readonly lost: number
  /** Lost entries of calls that never reached the provider: the gateway was killed between writing them down and sending them. */
  readonly lostUnsent: number
}

export function judge({ calls, received, ledger, usage, kills, budgets }: Evidence): Verdict {
  const faults: string[] = []
  const byName = new Map<string, LedgerLine[]>()
  for (const line of ledger) for (const tag of line.tags) byName.set(tag, [...(byName.get(tag) ?? []), line])
  const made = new Map(calls.map((call) => [call.name, call]))
  const killedDuring = ({ gateway, from, to }: CallMade): boolean =>
    kills.some((kill) => kill.gateway === gateway && kill.at >= from - 50 && kill.at <= to + 1_000)
  let charged = 0
  let lost = 0
  let lostUnsent = 0

  for (const [name, lines] of byName) {
    if (lines.length > 1) faults.push(`${name} stands ${lines.length} times in the ledger: ${lines.map(({ id }) => id).join(' ')}`)
    if (!made.has(name)) faults.push(`${name} stands in the ledger and was never made`)
  }
  for (const [name, times] of received) {
    const [line] = byName.get(name) ?? []
    if (times > 1) faults.push(`${name} reached the provider ${times} times`)
    if (!line) faults.push(`${name} reached the provider and is not in the ledger`)
    else if (line.charge === undefined) faults.push(`${name} has no charge (${line.state})`)
    else if (Number(line.charge) * 1e9 !== PRICE) faults.push(`${name} is charged ${line.charge}, not ${PRICE / 1e9} (${line.state})`)
  }
  const perKey = new Map<string, { requests: number; cost: number }>()
  for (const line of ledger) {
    const name = line.tags[0] ?? ''
    const call = made.get(name)
    const charge = Math.round(Number(line.charge ?? 0) * 1e9)
    if (line.state === 'running') faults.push(`${name} was never settled (${line.id})`)
    if (charge < 0) faults.push(`${name} has a negative charge`)
    charged += charge
    const sum = perKey.get(line.key) ?? { requests: 0, cost: 0 }
    perKey.set(line.key, { requests: sum.requests + 1, cost: sum.cost + charge })
    if (line.state === 'lost') {
      lost++
      if (call && !killedDuring(call)) {
        const nearest = kills.filter(({ gateway }) => gateway === call.gateway).map(({ at }) => at - call.to)
        const told = nearest.sort((a, b) => Math.abs(a) - Math.abs(b))[0]
        faults.push(
          `${name} is lost, though ${call.gateway} was not killed while it ran (${call.to - call.from} ms, status ${call.status}${call.aborted ? ', aborted' : ''}; the nearest kill came ${told} ms after its end)`,
        )
      }
    }
    if (!received.has(name) && charge > 0) {
      if (line.state === 'lost') lostUnsent++
      else faults.push(`${name} never reached the provider and is charged ${line.charge}`)
    }
  }
  for (const call of calls)
    if (call.whole && call.status === 200 && !received.has(call.name)) faults.push(`${call.name} was answered without its provider`)
  for (const [key, { requests, cost }] of perKey) {
    const told = usage.get(key)
    if (told?.requests !== requests || told.cost !== cost)
      faults.push(`the usage of ${key} is ${told?.requests} calls for ${told?.cost}, its entries are ${requests} for ${cost}`)
  }
  for (const [key, { limit, bound }] of budgets) {
    const spent = perKey.get(key)?.cost ?? 0
    if (spent > limit + bound) faults.push(`${key} has spent ${spent} of ${limit}, beyond the bound of ${bound}`)
  }
  return { faults, charged, lost, lostUnsent }
}
