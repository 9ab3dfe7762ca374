/** Ids that are cheap to make, unique in a fleet, and sort by time. */
const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz'

const randomWord = (length: number): string => {
  let word = ''
  for (let index = 0; index < length; index++) word += ALPHABET[Math.floor(Math.random() * 36)]
  return word
}

const processWord = randomWord(6)
// Four letters each, without padding.
const FIRST = 36 ** 3
const LAST = 36 ** 4 - 1
let counter = FIRST + Math.floor(Math.random() * FIRST)
let lastMs = 0
let lastWord = ''

/** `req_` + time + process + counter: no two alike in one process, and none alike in two but by a one in 2 billion chance a millisecond. */
export function newId(prefix: string): string {
  counter = counter === LAST ? FIRST : counter + 1
  const now = Date.now()
  if (now !== lastMs) {
    lastMs = now
    lastWord = now.toString(36) + processWord
  }
  return prefix + lastWord + counter.toString(36)
}

/** When an id was made, in milliseconds since 1970. Undefined: it is none of these. */
export function timeOfId(id: string): number | undefined {
  const word = /^[a-z]+_([0-9a-z]{8})[0-9a-z]{10}$/.exec(id)?.[1]
  return word === undefined ? undefined : Number.parseInt(word, 36)
}

/** A stable short word of a text (FNV-1a, 53 bits), for ids that must be the same each time. */
export function digestWord(text: string, length = 9): string {
  let high = 0xcbf29ce4
  let low = 0x84222325
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    low = Math.imul(low ^ unit, 0x01000193) >>> 0
    high = Math.imul(high ^ (unit + (low >>> 13)), 0x85ebca6b) >>> 0
  }
  return (high.toString(36) + low.toString(36)).padStart(length, '0').slice(-length)
}
