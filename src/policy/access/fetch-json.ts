/** JSON of an issuer's documents, over the runtime's `fetch`. */
import { parseJson } from '../../core/json.ts'
import { joinedBytes, textOf } from '../../core/text.ts'
import type { FetchJson } from './key-set.ts'

const LIMIT_MS = 5_000
const LARGEST = 1_000_000

/** `send` is the runtime's `fetch`, or one that stands for it. */
export function fetchJsonWith(send: typeof fetch = fetch): FetchJson {
  return async (url) => {
    const response = await send(url, {
      headers: { accept: 'application/json' },
      redirect: 'manual',
      signal: AbortSignal.timeout(LIMIT_MS),
    })
    if (response.status !== 200 || !response.body) {
      await response.body?.cancel()
      throw new Error(`status ${response.status}`)
    }
    const pieces: Uint8Array[] = []
    let size = 0
    for await (const piece of response.body) {
      size += piece.length
      if (size > LARGEST) throw new Error(`more than ${LARGEST} bytes`)
      pieces.push(piece)
    }
    const json = parseJson(textOf(joinedBytes(pieces)))
    if (json === undefined) throw new Error('not JSON')
    return json
  }
}
