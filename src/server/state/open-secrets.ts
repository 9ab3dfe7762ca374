/** The credentials of a serving gateway: read at the start, kept current, and given to calls as lists that may change under them. */
import type { SecretAdmin } from '../../admin/parts.ts'
import type { Config } from '../../config/config.ts'
import type { Credentials } from '../../core/credentials.ts'
import { GatewayError } from '../../core/error.ts'
import type { RecordStore } from '../../core/records.ts'
import { createProviderKeys } from '../../secrets/provider-keys.ts'
import { createSecrets, type Wanted } from '../../secrets/secrets.ts'
import { problemOf } from '../../secrets/source.ts'

export interface SecretsParts {
  readonly config: Config
  readonly records: RecordStore
  readonly env: Readonly<Record<string, string | undefined>>
  readonly readFile: (path: string) => string
  tell(line: string): void
  /** The number of keys of some provider is another one now. */
  changed(counts: ReadonlyMap<string, number>): void
}

export interface OpenSecrets {
  readonly admin: SecretAdmin
  /** What a reference leads to, now. Rejects when there is nothing. */
  resolve(reference: string): Promise<string>
  /** Puts a value where the reference leads. Rejects where it cannot. */
  put(reference: string, value: string): Promise<void>
  credentialsOf(provider: string): Credentials | undefined
  /** How many could not be read lately. */
  withProblem(): number
  /** For the health of keys. */
  counts(): ReadonlyMap<string, number>
  /** Reads everything that another configuration names, and changes nothing until `commit`. Rejects where something has no value. */
  prepare(config: Config): Promise<{ commit(): Promise<void>; abandon(): Promise<void> }>
  close(): Promise<void>
}

export async function openSecrets({ config, records, env, readFile, tell, changed }: SecretsParts): Promise<OpenSecrets> {
  let current = config
  const secrets = createSecrets({ ...config.secrets, env, readFile, records, tell })
  const keys = createProviderKeys({
    secrets,
    overlapMs: () => current.secrets.overlapMs,
    changed: () => changed(keys.counts()),
  })
  const first = await prepared(config)
  await first.commit()

  return {
    admin: {
      list: (organisation) => secrets.list(organisation),
      put: (name, value, organisation) => secrets.put(name, value, organisation),
      remove: (name, organisation) => secrets.remove(name, organisation),
      rotateMaster(reference = current.secrets.masterKey, fresh?: boolean) {
        if (reference === undefined)
          throw new GatewayError('invalid-request', 'There is no master key: set `secrets.masterKey`, or name one here.', {
            path: 'reference',
          })
        return secrets.rotateMaster(reference, fresh)
      },
    },
    async resolve(reference) {
      const secret = await secrets.resolve(reference)
      if ('value' in secret) return secret.value
      throw new Error(`${secret.message} (${secret.remedy})`)
    },
    async put(reference, value) {
      try {
        await secrets.write(reference, value)
      } catch (error) {
        const { message, remedy } = problemOf(error)
        throw new Error(`${message} (${remedy})`)
      }
    },
    credentialsOf: (provider) => keys.of(provider),
    withProblem: () => secrets.state().filter(({ problem }) => problem !== undefined).length,
    counts: () => keys.counts(),
    prepare: prepared,
    async close() {
      keys.stop()
      await secrets.close()
    },
  }

  /** What can never be read refuses the configuration; what lies elsewhere may come back, and is only told. */
  async function prepared(next: Config): Promise<{ commit(): Promise<void>; abandon(): Promise<void> }> {
    const { problems, commit, abandon } = await secrets.prepare(wantedBy(next), next.secrets)
    const fatal = problems.find((problem) => problem.fatal)
    if (fatal) {
      await abandon()
      throw new GatewayError('invalid-request', `${fatal.path}: ${fatal.message} (${fatal.remedy})`, { path: fatal.path })
    }
    for (const { path, message, remedy } of problems) tell(`${path}: ${message} (${remedy})`)
    return {
      async commit() {
        // Values are in force at once: lists of keys must not lag behind them.
        const done = commit()
        keys.configure(referencesOf(next))
        current = next
        await done
      },
      abandon,
    }
  }
}

const referencesOf = ({ providers }: Config): ReadonlyMap<string, readonly string[]> =>
  new Map([...providers].map(([id, { keys }]) => [id, keys]))

const wantedBy = ({ providers }: Config): readonly Wanted[] =>
  [...providers].flatMap(([id, { keys }]) => keys.map((reference, index) => ({ reference, path: `providers.${id}.keys[${index}]` })))
