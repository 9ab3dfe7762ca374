/** Where a call comes from: the caller's address, seen through proxies that are trusted, and the class it belongs to. */

import { type Address, type AddressRange, addressText, parseAddress, parseRange } from '../../core/address.ts'
import type { Caller } from '../../core/policy.ts'
import { boundedMap } from './bounded-map.ts'

export interface OriginSettings {
  /** Proxies whose word about the caller's address is taken: CIDR ranges. Default: none. */
  readonly trustedProxies?: readonly string[]
  /**
   * The header they write. Only one is read: a proxy that writes one lets the caller's own other one through. Default `x-forwarded-for`.
   */
  readonly proxyHeader?: 'x-forwarded-for' | 'forwarded'
  /** Classes of addresses, by name; the first that fits holds, else `external`. Default: `internal` for loopback and private networks. */
  readonly ipClasses?: Readonly<Record<string, readonly string[]>>
}

export interface Origin {
  /** Undefined: there is no socket, or a proxy would not say. */
  readonly ip: string | undefined
  readonly address: Address | undefined
  readonly ipClass: string
}

export const EXTERNAL = 'external'
export const privateNetworks = [
  '127.0.0.0/8',
  '::1',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  'fc00::/7',
  'fe80::/10',
] as const

/** A longer one is no list of hops. */
const LONGEST_HEADER = 2_000
const REMEMBERED = 10_000
/** Callers can write what they like into a header: what is remembered of it stays small. */
const LONGEST_REMEMBERED = 200

export function createOrigins({
  trustedProxies = [],
  proxyHeader = 'x-forwarded-for',
  ipClasses = { internal: privateNetworks },
}: OriginSettings): (caller: Pick<Caller, 'ip' | 'headers'>) => Origin {
  const trusted = trustedProxies.map(rangeOf)
  const classes = Object.entries(ipClasses).map(([name, ranges]) => ({ name, ranges: ranges.map(rangeOf) }))
  const remembered = boundedMap<Origin>(REMEMBERED)

  return ({ ip, headers }) => {
    if (ip === undefined) return nowhere
    const told = trusted.length > 0 ? headers[proxyHeader] : undefined
    const memo = told === undefined ? ip : `${ip} ${told}`
    const known = remembered.get(memo)
    if (known) return known
    const origin = originOf(ip, told)
    if (memo.length < LONGEST_REMEMBERED) remembered.set(memo, origin)
    return origin
  }

  function originOf(ip: string, told: string | undefined): Origin {
    const address = behindProxies(parseAddress(ip), told)
    if (address === undefined) return nowhere
    const found = classes.find(({ ranges }) => within(ranges, address))
    return { ip: addressText(address), address, ipClass: found?.name ?? EXTERNAL }
  }

  /** From right to left, for as long as the one who speaks is trusted: whoever stands further left can write what they like. */
  function behindProxies(socket: Address | undefined, told: string | undefined): Address | undefined {
    let address = socket
    if (told === undefined || told.length > LONGEST_HEADER) return address
    const hops = proxyHeader === 'forwarded' ? forwardedHops(told) : told.split(',')
    for (let place = hops.length - 1; place >= 0 && address !== undefined && within(trusted, address); place--)
      address = hopAddress(hops[place] ?? '')
    return address
  }
}

const nowhere: Origin = { ip: undefined, address: undefined, ipClass: EXTERNAL }

const within = (ranges: readonly AddressRange[], address: Address): boolean => ranges.some(({ contains }) => contains(address))

/** The `for` of each element; an element without one is a hop that does not say. */
function forwardedHops(header: string): string[] {
  return header.split(',').map((element) => {
    const pair = element.split(';').find((one) => /^\s*for\s*=/i.test(one))
    return pair ? pair.slice(pair.indexOf('=') + 1) : ''
  })
}

/** `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]:4711`, each with quotes or without. Undefined: `unknown`, `_hidden`, nonsense. */
function hopAddress(hop: string): Address | undefined {
  const text = hop.trim().replace(/^"(.*)"$/, '$1')
  const bracketed = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(text)
  if (bracketed) return parseAddress(bracketed[1] ?? '')
  const ported = /^(\d+\.\d+\.\d+\.\d+):\d{1,5}$/.exec(text)
  return parseAddress(ported?.[1] ?? text)
}

function rangeOf(text: string): AddressRange {
  const range = parseRange(text)
  if (!range) throw new Error(`not an address or CIDR range: ${text}`)
  return range
}
