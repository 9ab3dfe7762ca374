/**
 * Imports a configuration that is code, and runs it anew when it has changed: it, or a file of its own that it imports.
 * Packages, and our own source, are the ones the process has already.
 */
import { statSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

const MARK = 'signalbox'
const ownSource = new URL('../', import.meta.url).href

/** The files that each configuration is made of. */
const graphs = new Map<string, Set<string>>()
/** A module that failed is remembered as failed: it is asked for by another name next time. */
let failures = 0
let hooked = false

export async function freshImport(file: string): Promise<Record<string, unknown>> {
  hook()
  const files = graphs.get(file) ?? new Set([file])
  graphs.set(file, files)
  const url = pathToFileURL(file)
  url.searchParams.set(MARK, `${Math.max(...[...files].map(changedAt))}-${failures}`)
  url.searchParams.set('of', file)
  try {
    return await import(url.href)
  } catch (error) {
    failures++
    throw error
  }
}

/** What a configuration imports gets its mark, so that it is another module too. */
function hook(): void {
  if (hooked) return
  hooked = true
  registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context)
      const parent = context.parentURL?.includes(`${MARK}=`) ? new URL(context.parentURL) : undefined
      const mark = parent?.searchParams.get(MARK)
      if (
        !parent ||
        !mark ||
        !resolved.url.startsWith('file:') ||
        resolved.url.includes('/node_modules/') ||
        resolved.url.startsWith(ownSource)
      )
        return resolved
      const url = new URL(resolved.url)
      const of = parent.searchParams.get('of') ?? ''
      graphs.get(of)?.add(fileURLToPath(url))
      url.searchParams.set(MARK, mark)
      url.searchParams.set('of', of)
      return { ...resolved, url: url.href }
    },
  })
}

function changedAt(file: string): number {
  try {
    return statSync(file).mtimeMs
  } catch {
    return 0
  }
}
