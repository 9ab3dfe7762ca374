/** How Google frames an answer: its first character tells, for errors come as plain JSON whatever the content type says. */

export interface Framing {
  readonly kind: 'events' | 'array' | 'object'
  /** Where it begins, after white space and a byte order mark. */
  readonly start: number
}

const BLANK = new Set([0x20, 0x09, 0x0a, 0x0d, 0xef, 0xbb, 0xbf])

/** Undefined while nothing but white space has come. */
export function framingOf(bytes: Uint8Array): Framing | undefined {
  for (let start = 0; start < bytes.length; start++) {
    const byte = bytes[start] as number
    if (BLANK.has(byte)) continue
    return { kind: byte === 0x7b ? 'object' : byte === 0x5b ? 'array' : 'events', start }
  }
  return undefined
}
