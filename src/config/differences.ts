/** What a reload changes, told in the paths that operators write. */
import { isDeepStrictEqual } from 'node:util'
import type { Config } from './config.ts'

export interface Differences {
  readonly added: readonly string[]
  readonly changed: readonly string[]
  readonly removed: readonly string[]
}

/** Sections of which each member is told by its name. */
const named = new Set(['providers', 'models', 'server', 'later'])

export function differences(before: Config, after: Config): Differences {
  const result = { added: [] as string[], changed: [] as string[], removed: [] as string[] }
  const compare = (path: string, one: unknown, other: unknown): void => {
    if (isDeepStrictEqual(one, other)) return
    if (one === undefined) result.added.push(path)
    else if (other === undefined) result.removed.push(path)
    else result.changed.push(path)
  }
  for (const section of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [one, other] = [membersOf(before, section), membersOf(after, section)]
    if (!named.has(section)) compare(section, memberOf(before, section), memberOf(after, section))
    else
      for (const name of new Set([...one.keys(), ...other.keys()]))
        compare(section === 'later' ? name : `${section}.${name}`, one.get(name), other.get(name))
  }
  return result
}

const memberOf = (config: Config, section: string): unknown => (config as unknown as Record<string, unknown>)[section]

function membersOf(config: Config, section: string): ReadonlyMap<string, unknown> {
  const value = memberOf(config, section)
  return value instanceof Map ? value : new Map(Object.entries(value ?? {}))
}

export const isSame = ({ added, changed, removed }: Differences): boolean => added.length + changed.length + removed.length === 0

/** What a running process cannot change: kept as it is, and named. */
export function keepFixed(running: Config, next: Config): { readonly config: Config; readonly needsRestart: readonly string[] } {
  const needsRestart: string[] = []
  if (next.server.host !== running.server.host) needsRestart.push('server.host')
  if (next.server.port !== running.server.port) needsRestart.push('server.port')
  if (next.store.url !== running.store.url) needsRestart.push('store.url')
  const otherTls = handshakeOf(next) !== handshakeOf(running)
  if (otherTls) needsRestart.push('server.tls')
  const { host, port, tls } = running.server
  return {
    config: { ...next, server: { ...next.server, host, port, ...(otherTls && { tls }) }, store: running.store },
    needsRestart,
  }
}

/** What of TLS a listener is made with. Certificates and the oldest version are not: those may change. */
const handshakeOf = ({ server: { tls } }: Config): string => (tls ? `${tls.clients} ${tls.http2}` : '')
