/** `env:NAME` and `file:PATH`. */
import { rename, rm, writeFile } from 'node:fs/promises'
import { SecretError, type SecretSource } from '../source.ts'
import type { SourceContext } from './context.ts'

export const environmentSource = ({ env }: Pick<SourceContext, 'env'>): SecretSource => ({
  scheme: 'env',
  async read({ name }) {
    const value = Object.hasOwn(env, name) ? env[name]?.trim() : undefined
    if (value) return { value }
    throw new SecretError('unset', `the environment variable ${name} is not set`, `export ${name}=… before starting`)
  },
})

/** Read through the path each time, so that a link that leads elsewhere by now (Kubernetes mounts) is seen. */
export const fileSource = ({ readFile }: Pick<SourceContext, 'readFile'>): SecretSource => ({
  scheme: 'file',
  async read({ name }) {
    let text: string
    try {
      text = await readFile(name)
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
      throw new SecretError('unset', `the file ${name} cannot be read (${code})`, 'check the path and its permissions')
    }
    const value = text.trim()
    if (value) return { value }
    throw new SecretError('unset', `the file ${name} is empty`, 'put the credential into it, and nothing else')
  },
  async write({ name }, value) {
    try {
      await replaceFile(name, `${value}\n`)
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unwritable'
      throw new SecretError('refused', `the file ${name} cannot be written (${code})`, 'check the directory and its permissions')
    }
  },
})

/** In one step, and on the disk: who reads it meanwhile, or after a loss of power, finds the old one or the new one. For its owner's eyes only. */
async function replaceFile(path: string, text: string): Promise<void> {
  const fresh = `${path}.${process.pid}.new`
  try {
    await writeFile(fresh, text, { mode: 0o600, flush: true })
    await rename(fresh, path)
  } catch (error) {
    await rm(fresh, { force: true })
    throw error
  }
}
