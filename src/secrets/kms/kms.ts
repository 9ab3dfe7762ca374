/** A key of a KMS that wraps the master key. The KMS sees those 32 bytes, and never what is encrypted with them. */
import type { KmsReference } from '../../core/master-key-reference.ts'
import type { AwsOptions } from '../sources/aws-call.ts'
import type { AzureOptions } from '../sources/azure.ts'
import type { SourceContext } from '../sources/context.ts'
import type { GcpOptions } from '../sources/gcp.ts'
import type { VaultOptions } from '../sources/vault-call.ts'

/** What the KMS made of the master key: it may lie in the database. */
export interface WrappedForm {
  readonly text: string
  /** As the KMS calls the key, or the version of it, that wrapped. */
  readonly by: string
}

export interface Kms {
  /** Which rights it asks for: `be allowed …`. */
  readonly needs: string
  /** `id` of the master key is authenticated with it, where the KMS can. Both reject with SecretErrors. */
  wrap(key: Buffer, id: string): Promise<WrappedForm>
  unwrap(form: WrappedForm, id: string): Promise<Buffer>
  close?(): void
}

export interface KmsSettings {
  readonly aws: AwsOptions
  readonly gcp: GcpOptions
  readonly azure: AzureOptions
  /** Throws a SecretError where it is not known. */
  vault(): VaultOptions
}

export async function openKms({ scheme, name }: KmsReference, settings: KmsSettings, context: SourceContext): Promise<Kms> {
  switch (scheme) {
    case 'aws-kms':
      return (await import('./aws.ts')).awsKms(name, settings.aws, context)
    case 'gcp-kms':
      return (await import('./gcp.ts')).gcpKms(name, settings.gcp, context)
    case 'azure-kms':
      return (await import('./azure.ts')).azureKms(name, settings.azure, context)
    case 'vault-transit':
      return (await import('./vault.ts')).vaultTransit(name, settings.vault(), context)
    default:
      return scheme satisfies never
  }
}

/** What is authenticated with a wrapped master key, as text where a KMS takes bytes. */
export const boundTo = (id: string): Buffer => Buffer.from(JSON.stringify(['signalbox', 1, 'kms-master-key', id]))
