/** UTF-8 text of bytes. Node's own conversion is several times faster than a TextDecoder; elsewhere there is only the latter. */
const lenient = new TextDecoder('utf-8', { ignoreBOM: true })
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const viewOf = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** What is no UTF-8 becomes U+FFFD. */
export const textOf: (bytes: Uint8Array) => string =
  typeof Buffer === 'undefined' ? (bytes) => lenient.decode(bytes) : (bytes) => viewOf(bytes).toString('utf8')

/** Undefined when the bytes are no UTF-8. A byte order mark is taken off. */
export function strictTextOf(bytes: Uint8Array): string | undefined {
  let text = textOf(bytes)
  // The replacement character may stand there on purpose: only then is a second look needed.
  if (text.includes('\uFFFD')) {
    try {
      text = strict.decode(bytes)
    } catch {
      return undefined
    }
  }
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
}

/** Pieces as one; a single piece is not copied. */
export function joinedBytes(pieces: readonly Uint8Array[], size = pieces.reduce((sum, piece) => sum + piece.length, 0)): Uint8Array {
  const [only] = pieces
  if (pieces.length === 1 && only) return only
  const whole = new Uint8Array(size)
  let position = 0
  for (const piece of pieces) {
    whole.set(piece, position)
    position += piece.length
  }
  return whole
}
