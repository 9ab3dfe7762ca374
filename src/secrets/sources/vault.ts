/** `vault:MOUNT/PATH#FIELD`: HashiCorp Vault and OpenBao, KV version 1 and 2, and engines that give leases. */
import type { SecretReference } from '../../core/secret-reference.ts'
import { at, textAt } from '../http.ts'
import { memberOf, SecretError, type SecretReading, type SecretSource } from '../source.ts'
import type { SourceContext } from './context.ts'
import { type VaultOptions, vaultCaller } from './vault-call.ts'

interface Lease {
  readonly id: string
  readonly data: unknown
  until: number
}

interface Mount {
  readonly path: string
  /** Undefined: not a KV engine. */
  readonly kv: 1 | 2 | undefined
}

export function vaultSource(options: VaultOptions, context: SourceContext): SecretSource {
  const { call, stop } = vaultCaller(options, context)
  const { now } = context
  const mounts = new Map<string, Mount>()
  const leases = new Map<string, Lease>()

  async function mountOf(path: string): Promise<Mount> {
    const first = path.slice(0, path.indexOf('/') + 1)
    if (first === '') throw new SecretError('malformed', 'the path in Vault names no mount', 'write `vault:MOUNT/PATH#FIELD`')
    if (options.kv) return { path: first, kv: options.kv }
    const known = [...mounts.values()].find((mount) => path.startsWith(mount.path))
    if (known) return known
    const told = await call(`sys/internal/ui/mounts/${path}`)
    const mount = textAt(told, 'data', 'path') ?? first
    const isKv = ['kv', 'generic'].includes(textAt(told, 'data', 'type') ?? '')
    const kv = isKv ? (at(told, 'data', 'options', 'version') === '2' ? 2 : 1) : undefined
    const found: Mount = { path: mount, kv }
    mounts.set(mount, found)
    return found
  }

  async function read({ name, field }: SecretReference): Promise<SecretReading> {
    const mount = await mountOf(name)
    if (mount.kv !== 2) return await readLeased(name, field)
    const told = await call(dataPath(mount, name))
    const data = at(told, 'data', 'data')
    const version = at(told, 'data', 'metadata', 'version')
    if (data === null || data === undefined)
      throw new SecretError('unset', 'this version of the secret was deleted in Vault', 'write a new version, or undelete it')
    return { value: only(data, field), ...(typeof version === 'number' && { version: String(version) }) }
  }

  /** A lease that can be prolonged keeps its credential; else there is a new one. Several fields of one path share a lease. */
  async function readLeased(path: string, field: string | undefined): Promise<SecretReading> {
    const lease = leases.get(path)
    if (lease && now() < lease.until) {
      try {
        const told = await call('sys/leases/renew', { lease_id: lease.id })
        const seconds = Number(at(told, 'lease_duration'))
        if (seconds > 0) {
          lease.until = now() + seconds * 1_000
          return { value: only(lease.data, field), expiresAt: lease.until }
        }
      } catch {
        // At its end, or revoked: a new one.
      }
    }
    leases.delete(path)
    const told = await call(path)
    const data = at(told, 'data')
    const id = textAt(told, 'lease_id')
    const seconds = Number(at(told, 'lease_duration'))
    // KV version 1 names a duration too, but has no lease.
    const until = id !== undefined && seconds > 0 ? now() + seconds * 1_000 : undefined
    if (id !== undefined && until !== undefined && at(told, 'renewable') === true) leases.set(path, { id, data, until })
    return { value: only(data, field), expiresAt: until }
  }

  /** One member of the secret; the others stay. KV only: other engines make their credentials themselves. */
  async function write({ name, field = 'key' }: SecretReference, value: string): Promise<void> {
    const mount = await mountOf(name)
    if (mount.kv === undefined) throw new SecretError('malformed', `${mount.path} in Vault is no KV engine`, 'name a path in one')
    const path = mount.kv === 2 ? dataPath(mount, name) : name
    const told = await call(path).catch((error: unknown) => {
      if (error instanceof SecretError && error.fault === 'unset') return undefined
      throw error
    })
    const before = mount.kv === 2 ? at(told, 'data', 'data') : at(told, 'data')
    const data = { ...(typeof before === 'object' ? before : {}), [field]: value }
    // Who writes at the same time is not overwritten unseen.
    const version = at(told, 'data', 'metadata', 'version')
    await call(path, mount.kv === 2 ? { data, ...(version !== undefined && { options: { cas: version } }) } : data)
  }

  return { scheme: 'vault', read, write, close: async () => stop() }
}

/** Of KV version 2, whether the reference says `data/` or not. */
const dataPath = ({ path }: Mount, name: string): string => `${path}data/${name.slice(path.length).replace(/^data\//, '')}`

/** Without a field: the only member there is. */
function only(data: unknown, field: string | undefined): string {
  if (field !== undefined) return memberOf(data, field)
  const names = typeof data === 'object' && data !== null ? Object.keys(data) : []
  if (names.length === 1 && names[0] !== undefined) return memberOf(data, names[0])
  throw new SecretError('malformed', `the secret has ${names.length} members`, 'say which: `vault:MOUNT/PATH#FIELD`')
}
