/** `vault-transit:MOUNT/KEY`: the transit engine of HashiCorp Vault or OpenBao, with a key of an AEAD type (`aes256-gcm96`, its default). */
import { at, textAt } from '../http.ts'
import { SecretError } from '../source.ts'
import type { SourceContext } from '../sources/context.ts'
import { type VaultOptions, vaultCaller } from '../sources/vault-call.ts'
import { boundTo, type Kms } from './kms.ts'

export function vaultTransit(name: string, options: VaultOptions, context: SourceContext): Kms {
  const { call, stop } = vaultCaller(options, context)
  const slash = name.lastIndexOf('/')
  const [mount, key] = [name.slice(0, slash), name.slice(slash + 1)]
  const additional = (id: string): string => boundTo(id).toString('base64')

  return {
    needs: `be allowed to update ${mount}/encrypt/${key} and ${mount}/decrypt/${key}`,
    async wrap(bytes, id) {
      const told = await call(`${mount}/encrypt/${key}`, { plaintext: bytes.toString('base64'), associated_data: additional(id) })
      const version = at(told, 'data', 'key_version')
      return { text: member(told, 'ciphertext'), by: typeof version === 'number' ? `v${version}` : '' }
    },
    async unwrap({ text }, id) {
      const told = await call(`${mount}/decrypt/${key}`, { ciphertext: text, associated_data: additional(id) })
      return Buffer.from(member(told, 'plaintext'), 'base64')
    },
    close: stop,
  }
}

function member(told: unknown, name: string): string {
  const text = textAt(told, 'data', name)
  if (text !== undefined) return text
  throw new SecretError('unreachable', 'the answer of Vault is not one of its transit engine', 'check its address and the mount')
}
