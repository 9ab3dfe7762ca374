/** `gcp-kms:projects/…/cryptoKeys/KEY`: Google Cloud KMS, with a symmetric key. */
import { at, textAt } from '../http.ts'
import { SecretError } from '../source.ts'
import type { SourceContext } from '../sources/context.ts'
import { crc32c, type GcpOptions, gcpHost, gcpToken } from '../sources/gcp.ts'
import { boundTo, type Kms } from './kms.ts'

export function gcpKms(key: string, options: GcpOptions, context: SourceContext): Kms {
  const token = gcpToken(options, context)

  async function ask(action: string, body: object): Promise<unknown> {
    try {
      return await context.asker.json({
        who: 'Google Cloud KMS',
        url: `${gcpHost(options, 'cloudkms')}/v1/${key}:${action}`,
        method: 'POST',
        headers: { authorization: `Bearer ${await token.get()}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        codeOf: (answer) => textAt(answer, 'error', 'status'),
      })
    } catch (error) {
      if (error instanceof SecretError && error.fault === 'refused') token.drop()
      throw error
    }
  }

  return {
    needs: 'have the role roles/cloudkms.cryptoKeyEncrypterDecrypter for this key',
    async wrap(bytes, id) {
      const additional = boundTo(id)
      const told = await ask('encrypt', {
        plaintext: bytes.toString('base64'),
        plaintextCrc32c: String(crc32c(bytes)),
        additionalAuthenticatedData: additional.toString('base64'),
        additionalAuthenticatedDataCrc32c: String(crc32c(additional)),
      })
      for (const seen of ['verifiedPlaintextCrc32c', 'verifiedAdditionalAuthenticatedDataCrc32c'])
        if (at(told, seen) !== true) throw broken()
      return { text: checked(told, 'ciphertext').toString('base64'), by: textAt(told, 'name') ?? '' }
    },
    async unwrap({ text }, id) {
      const additional = boundTo(id)
      const told = await ask('decrypt', {
        ciphertext: text,
        ciphertextCrc32c: String(crc32c(Buffer.from(text, 'base64'))),
        additionalAuthenticatedData: additional.toString('base64'),
        additionalAuthenticatedDataCrc32c: String(crc32c(additional)),
      })
      return checked(told, 'plaintext')
    },
  }
}

function checked(told: unknown, member: 'plaintext' | 'ciphertext'): Buffer {
  const bytes = Buffer.from(textAt(told, member) ?? '', 'base64')
  const sum = at(told, `${member}Crc32c`)
  if (bytes.length === 0 || (sum !== undefined && String(sum) !== String(crc32c(bytes)))) throw broken()
  return bytes
}

const broken = (): SecretError =>
  new SecretError('unreachable', 'what Google Cloud KMS got or answered does not match its checksum', 'look at what stands between')
