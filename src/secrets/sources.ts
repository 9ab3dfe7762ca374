/** Which source reads which kind of reference. Each is loaded when the first reference of its kind is read. */
import { readFile as readFileFromDisk } from 'node:fs/promises'
import { GatewayError } from '../core/error.ts'
import type { RecordStore } from '../core/records.ts'
import { isProblem, parseSecretReference, type SecretReference, type SecretScheme } from '../core/secret-reference.ts'
import type { BuiltIn } from './built-in.ts'
import { type AskerOptions, createAsker } from './http.ts'
import type { Keyring } from './keyring.ts'
import type { Wrapping } from './kms/wrapping.ts'
import type { MasterKey } from './master-key.ts'
import { SecretError, type SecretReading, type SecretSource } from './source.ts'
import type { AwsOptions } from './sources/aws-call.ts'
import type { AzureOptions } from './sources/azure.ts'
import type { SourceContext } from './sources/context.ts'
import type { GcpOptions } from './sources/gcp.ts'
import type { KubernetesOptions } from './sources/kubernetes.ts'
import { environmentSource, fileSource } from './sources/local.ts'
import type { VaultOptions } from './sources/vault-call.ts'

/** From the configuration. */
export interface SourceSettings {
  /** A reference: `env:`, `file:`, or the key of a KMS. */
  readonly masterKey?: string | undefined
  /** Keys that were in use before, as references. */
  readonly previousMasterKeys?: readonly string[] | undefined
  /** Absent: `VAULT_ADDR`, with `VAULT_TOKEN` and `VAULT_NAMESPACE`. */
  readonly vault?: VaultOptions | undefined
  readonly aws?: AwsOptions | undefined
  readonly gcp?: GcpOptions | undefined
  readonly azure?: AzureOptions | undefined
  readonly kubernetes?: KubernetesOptions | undefined
}

export interface SourceSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Throws or rejects when it cannot be read. Default: from the disk, relative to the working directory. */
  readonly readFile?: (path: string) => string | Promise<string>
  /** Where the built-in store keeps what it encrypts. Absent: there is none. */
  readonly records?: RecordStore | undefined
  readonly http?: AskerOptions | undefined
  /** What a KMS has opened: given on, so that other settings do not need the KMS again. */
  readonly masterKeys?: Map<string, MasterKey>
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number
}

export interface Sources {
  readonly hasBuiltIn: boolean
  of(scheme: SecretScheme): Promise<SecretSource>
  /** Rejects with a SecretError when no store or no master key is configured. */
  builtIn(): Promise<{ readonly store: BuiltIn; readonly keyring: Keyring }>
  close(): Promise<void>
}

export function createSources(options: SourceSettings & SourceSurroundings): Sources {
  const { env, readFile = (path) => readFileFromDisk(path, 'utf8'), records, masterKey, previousMasterKeys = [], now = Date.now } = options
  const asker = createAsker(options.http)
  const files = fileSource({ readFile: async (path) => await readFile(path) })
  const variables = environmentSource({ env })
  const opened = new Map<SecretScheme, Promise<SecretSource>>([
    ['env', Promise.resolve(variables)],
    ['file', Promise.resolve(files)],
  ])
  const context: SourceContext = {
    asker,
    env,
    now,
    readFile: async (path) => await readFile(path),
    async credential(reference) {
      const parsed = parseSecretReference(reference)
      if (parsed && isProblem(parsed)) throw new SecretError(parsed.fault, parsed.message, parsed.remedy)
      if (parsed?.scheme === 'env') return (await variables.read(parsed)).value
      if (parsed?.scheme === 'file') return (await files.read(parsed)).value
      throw new SecretError(
        'malformed',
        'a credential of a secret store is no `env:` or `file:` reference',
        'write `env:NAME` or `file:PATH`',
      )
    },
  }

  const open: Readonly<Record<Exclude<SecretScheme, 'env' | 'file'>, () => Promise<SecretSource>>> = {
    secret: async () => (await builtIn()).store,
    vault: async () => (await import('./sources/vault.ts')).vaultSource(vaultOptions(), context),
    aws: async () => (await import('./sources/aws.ts')).awsSource(options.aws ?? {}, context),
    gcp: async () => (await import('./sources/gcp.ts')).gcpSource(options.gcp ?? {}, context),
    azure: async () => (await import('./sources/azure.ts')).azureSource(options.azure ?? {}, context),
    k8s: async () => (await import('./sources/kubernetes.ts')).kubernetesSource(options.kubernetes ?? {}, context),
  }

  function vaultOptions(): VaultOptions {
    if (options.vault) return options.vault
    const { VAULT_ADDR: url, VAULT_NAMESPACE: namespace } = env
    if (!url) throw new SecretError('unset', 'the address of Vault is not known', 'set `secrets.vault.url`, or VAULT_ADDR and VAULT_TOKEN')
    return { url, auth: { token: 'env:VAULT_TOKEN' }, namespace }
  }

  let wrapping: Wrapping | undefined
  let made: ReturnType<Sources['builtIn']> | undefined
  function builtIn(): ReturnType<Sources['builtIn']> {
    made ??= make()
    return made
  }
  async function make(): ReturnType<Sources['builtIn']> {
    if (!records) throw new SecretError('later', 'there is no store for secrets here', 'use a gateway with a `store`')
    if (masterKey === undefined)
      throw new SecretError(
        'malformed',
        'there is no master key for the stored secrets',
        'set `secrets: { masterKey: "env:SIGNALBOX_MASTER_KEY" }`; make one with `openssl rand -base64 32`',
      )
    const [{ createBuiltIn }, { createKeyring }, { createWrapping }, { openKms }] = await Promise.all([
      import('./built-in.ts'),
      import('./keyring.ts'),
      import('./kms/wrapping.ts'),
      import('./kms/kms.ts'),
    ])
    const { aws = {}, gcp = {}, azure = {}, http, masterKeys = new Map() } = options
    wrapping = createWrapping({
      open: (reference) => openKms(reference, { aws, gcp, azure, vault: vaultOptions }, context),
      opened: masterKeys,
      believedMs: (http?.backoffMs ?? 200) * 10,
    })
    const keyring = createKeyring({
      records,
      masterKey,
      previousMasterKeys,
      wrapping,
      async credential(reference) {
        try {
          return await context.credential(reference)
        } catch (error) {
          // Not the secret is missing, but what opens it.
          throw error instanceof SecretError ? new SecretError('malformed', `the master key: ${error.message}`, error.remedy) : error
        }
      },
    })
    return { keyring, store: createBuiltIn({ records, keyring, now }) }
  }

  return {
    hasBuiltIn: records !== undefined && masterKey !== undefined,
    async of(scheme) {
      let source = opened.get(scheme)
      if (!source) {
        source = open[scheme as keyof typeof open]().then(told)
        // What could not be opened is tried again.
        source.catch(() => opened.delete(scheme))
        opened.set(scheme, source)
      }
      return await source
    },
    builtIn,
    async close() {
      for (const source of await Promise.allSettled(opened.values())) if (source.status === 'fulfilled') await source.value.close?.()
      await wrapping?.close()
      await asker.close()
    },
  }
}

/** Faults of the store and of the unexpected in the words of secrets, without what may stand in their messages. */
function told(source: SecretSource): SecretSource {
  const faultOf = (error: unknown): SecretError => {
    if (error instanceof SecretError) return error
    if (error instanceof GatewayError && error.id === 'store-unavailable')
      return new SecretError('unreachable', 'the store of the gateway does not answer', 'look at the database')
    return new SecretError('unreachable', `the ${source.scheme} source failed`, 'look at the state of that service')
  }
  const { write } = source
  return {
    ...source,
    async read(reference: SecretReference, organisation?: string): Promise<SecretReading> {
      try {
        return await source.read(reference, organisation)
      } catch (error) {
        throw faultOf(error)
      }
    },
    ...(write && {
      async write(reference: SecretReference, value: string): Promise<void> {
        try {
          await write(reference, value)
        } catch (error) {
          throw faultOf(error)
        }
      },
    }),
  }
}
