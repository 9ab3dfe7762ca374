/** `azure-kms:VAULT/KEY[@VERSION]`: an RSA key of Azure Key Vault or of a managed HSM. */
import { textAt } from '../http.ts'
import { SecretError } from '../source.ts'
import { API_VERSION, type AzureOptions, azureBase, azureToken } from '../sources/azure.ts'
import type { SourceContext } from '../sources/context.ts'
import type { Kms } from './kms.ts'

const ALGORITHM = 'RSA-OAEP-256'

export function azureKms(name: string, options: AzureOptions, context: SourceContext): Kms {
  const [, vault = '', key = '', version = ''] = /^([^/]+)\/([^@]+)(?:@(.+))?$/.exec(name) ?? []
  const token = azureToken(options, context)

  /** Without a version: the newest one. */
  async function ask(action: string, of: string, value: Buffer): Promise<{ value: Buffer; version: string }> {
    let told: unknown
    try {
      told = await context.asker.json({
        who: 'Azure Key Vault',
        url: `${azureBase(options, vault)}/keys/${key}/${of}/${action}?api-version=${API_VERSION}`,
        method: 'POST',
        headers: { authorization: `Bearer ${await token.get()}`, 'content-type': 'application/json' },
        body: JSON.stringify({ alg: ALGORITHM, value: value.toString('base64url') }),
        codeOf: (answer) => textAt(answer, 'error', 'code'),
      })
    } catch (error) {
      if (error instanceof SecretError && error.fault === 'refused') token.drop()
      throw error
    }
    const used = textAt(told, 'kid')?.split('/').at(-1) ?? ''
    const bytes = Buffer.from(textAt(told, 'value') ?? '', 'base64url')
    if (bytes.length === 0 || !/^[A-Za-z0-9]+$/.test(used))
      throw new SecretError('unreachable', 'the answer of Azure Key Vault is not one of Azure Key Vault', 'check its address')
    return { value: bytes, version: used }
  }

  return {
    needs: 'be allowed wrapKey and unwrapKey with this key',
    async wrap(bytes) {
      const told = await ask('wrapkey', version, bytes)
      return { text: told.value.toString('base64'), by: told.version }
    },
    // What an RSA key wraps carries no further data: that it is the key of that id is looked at afterwards.
    async unwrap({ text, by }) {
      return (await ask('unwrapkey', encodeURIComponent(by), Buffer.from(text, 'base64'))).value
    },
  }
}
