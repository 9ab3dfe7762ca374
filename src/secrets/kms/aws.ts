/** `aws-kms:ARN` and `aws-kms:alias/NAME`: AWS KMS, with a symmetric key. */
import { textAt } from '../http.ts'
import { SecretError } from '../source.ts'
import { type AwsOptions, awsCaller } from '../sources/aws-call.ts'
import type { SourceContext } from '../sources/context.ts'
import type { Kms } from './kms.ts'

export function awsKms(key: string, options: AwsOptions, context: SourceContext): Kms {
  const call = awsCaller(options, context)
  const [, region] = /^arn:[^:]+:kms:([^:]+):/.exec(key) ?? []
  // Shown in CloudTrail, and usable as a condition in the policy of the key: `kms:EncryptionContext:application`.
  const contextOf = (id: string) => ({ application: 'signalbox', purpose: 'master-key', key: id })
  const ask = (action: string, body: object): Promise<unknown> =>
    call({ service: 'kms', region, action: `TrentService.${action}`, body: JSON.stringify(body) })

  return {
    needs: 'be allowed kms:Encrypt and kms:Decrypt with this key',
    async wrap(bytes, id) {
      const told = await ask('Encrypt', { KeyId: key, Plaintext: bytes.toString('base64'), EncryptionContext: contextOf(id) })
      return { text: member(textAt(told, 'CiphertextBlob')), by: textAt(told, 'KeyId') ?? '' }
    },
    async unwrap({ text }, id) {
      // With the key named, another account's key cannot be put in its place.
      const told = await ask('Decrypt', { KeyId: key, CiphertextBlob: text, EncryptionContext: contextOf(id) })
      return Buffer.from(member(textAt(told, 'Plaintext')), 'base64')
    },
  }
}

function member(text: string | undefined): string {
  if (text !== undefined) return text
  throw new SecretError('unreachable', 'the answer of AWS KMS is not one of AWS KMS', 'check its address')
}
