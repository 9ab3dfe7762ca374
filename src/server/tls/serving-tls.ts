/** TLS of a running gateway: made at the start, renewed by a reload and when the files change. Loaded only where it is configured. */
import { isDeepStrictEqual } from 'node:util'
import type { TlsConfig } from '../../config/schema-server.ts'
import type { SecureListener } from '../http-server.ts'
import { watchFile } from '../watch-file.ts'
import { fileOf, type Material, type MaterialSources, readMaterial } from './material.ts'
import { secureListener } from './secure-listener.ts'

export interface ServingTlsOptions extends MaterialSources {
  readonly config: TlsConfig
  /** Where a file of the configuration lies, for the watch. */
  pathOf(file: string): string
  /** Tells the operator: one line. */
  tell(line: string): void
  /** Certificate and key are two files: how long to wait for the second. Milliseconds. */
  readonly restMs?: number
}

export interface ServingTls {
  readonly listener: SecureListener
  /** Reads anew. Throws MaterialError and changes nothing; what it returns puts it into force, for new connections. */
  prepare(next: TlsConfig): () => void
  stop(): void
}

/** Throws MaterialError. */
export function servingTls({ config, pathOf, tell, restMs = 500, ...sources }: ServingTlsOptions): ServingTls {
  let current = config
  let material = readMaterial(config, sources)
  let lastRefusal: string | undefined
  let unwatch = watched()
  const listener = secureListener({ config, material })
  warn()

  return {
    listener,
    prepare(next) {
      const read = readMaterial(next, sources)
      return () => {
        const moved = !isDeepStrictEqual(filesOf(next), filesOf(current))
        current = next
        lastRefusal = undefined
        renew(read)
        if (!moved) return
        unwatch()
        unwatch = watched()
      }
    },
    stop: () => unwatch(),
  }

  function watched(): () => void {
    const ends = filesOf(current).map((file) => watchFile(pathOf(file), changed, { debounceMs: restMs }))
    return () => {
      for (const end of ends) end()
    }
  }

  function changed(): void {
    try {
      const read = readMaterial(current, sources)
      lastRefusal = undefined
      renew(read)
    } catch (error) {
      const why = (error as Error).message
      if (why !== lastRefusal) tell(`certificate not renewed: ${why}; the one before stays in use`)
      lastRefusal = why
    }
  }

  function renew(read: Material): void {
    if (isDeepStrictEqual(read.options, material.options)) return
    material = read
    listener.renew(read)
    tell(`certificate renewed: ${read.told}`)
    warn()
  }

  function warn(): void {
    if (material.warning !== undefined) tell(`server.tls.cert: ${material.warning}`)
  }
}

const filesOf = ({ cert, key, passphrase, ca }: TlsConfig): readonly string[] => [
  ...new Set([cert, key, passphrase, ca].flatMap((reference) => (reference === undefined ? [] : (fileOf(reference) ?? [])))),
]
