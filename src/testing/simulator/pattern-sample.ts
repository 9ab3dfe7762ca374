/** A text that a simple regular expression accepts: literals, classes, groups, alternatives and quantifiers. */

/** The shortest obvious match; undefined when the pattern uses something else (look-around, back-references). */
export function samplePattern(pattern: string): string | undefined {
  const reader = { text: pattern, at: 0 }
  const sample = alternatives(reader)
  if (sample === undefined || reader.at < pattern.length) return undefined
  try {
    return new RegExp(pattern, 'u').test(sample) ? sample : undefined
  } catch {
    return undefined
  }
}

interface Reader {
  readonly text: string
  at: number
}

/** Reads all alternatives, keeps the first. */
function alternatives(reader: Reader): string | undefined {
  let first = sequence(reader)
  while (reader.text[reader.at] === '|') {
    reader.at++
    const next = sequence(reader)
    first ??= next
  }
  return first
}

function sequence(reader: Reader): string | undefined {
  let sample = ''
  while (reader.at < reader.text.length && !'|)'.includes(reader.text[reader.at] ?? '')) {
    const atom = atomOf(reader)
    if (atom === undefined) return undefined
    sample += atom.repeat(leastOf(reader))
  }
  return sample
}

function atomOf(reader: Reader): string | undefined {
  const character = reader.text[reader.at++]
  switch (character) {
    case '^':
    case '$':
      return ''
    case '.':
      return 'a'
    case '\\':
      return escaped(reader.text[reader.at++])
    case '[':
      return classOf(reader)
    case '(': {
      if (reader.text.startsWith('?:', reader.at)) reader.at += 2
      else if (reader.text[reader.at] === '?') return undefined
      const inner = alternatives(reader)
      return reader.text[reader.at++] === ')' ? inner : undefined
    }
    default:
      return character
  }
}

function escaped(character: string | undefined): string | undefined {
  const samples: Readonly<Record<string, string>> = { d: '1', w: 'a', s: ' ', D: 'a', W: '-', S: 'a', n: '\n', t: '\t', b: '' }
  if (character === undefined || /[1-9puxk]/.test(character)) return undefined
  return samples[character] ?? character
}

function classOf(reader: Reader): string | undefined {
  const end = reader.text.indexOf(']', reader.text[reader.at] === ']' ? reader.at + 1 : reader.at)
  if (end < 0) return undefined
  const source = reader.text.slice(reader.at, end)
  reader.at = end + 1
  for (const candidate of 'a1A-_ .') {
    try {
      if (new RegExp(`^[${source}]$`, 'u').test(candidate)) return candidate
    } catch {
      return undefined
    }
  }
  return source.startsWith('^') ? undefined : source.startsWith('\\') ? escaped(source[1]) : source[0]
}

/** How often the atom before must come at least: a `*` once, so that samples are not empty. */
function leastOf(reader: Reader): number {
  const [whole, quantifier, least] = /^(?:([*+?])|\{(\d+)(?:,\d*)?\})\??/.exec(reader.text.slice(reader.at)) ?? ['']
  reader.at += whole.length
  if (quantifier === '?') return 0
  return least === undefined ? 1 : Math.min(Number(least), 10_000)
}
