/** IP addresses and ranges of them. IPv4 is its mapped IPv6 form (`::ffff:a.b.c.d`), so that both spellings are one address. */
export interface AddressRange {
  readonly text: string
  readonly contains: (address: Address) => boolean
  readonly first: Address
  /** Bits that are the same in all of it. */
  readonly bits: number
}

/** 128 bits. */
export type Address = bigint

const MAPPED = 0xffffn << 32n
const octet = /^(?:0|[1-9]\d{0,2})$/

/** Undefined when it is no address. A zone (`%eth0`) is left out. */
export function parseAddress(text: string): Address | undefined {
  const plain = text.includes('%') ? text.slice(0, text.indexOf('%')) : text
  if (!plain.includes(':')) {
    const four = parseFour(plain)
    return four === undefined ? undefined : MAPPED | four
  }
  return parseSixteen(plain)
}

/** Leading zeros are refused: some read them as octal. */
function parseFour(text: string): bigint | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  let value = 0
  for (const part of parts) {
    if (!octet.test(part) || Number(part) > 255) return undefined
    value = value * 256 + Number(part)
  }
  return BigInt(value)
}

function parseSixteen(text: string): Address | undefined {
  let rest = text
  const tail = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(rest)
  if (tail) {
    const four = parseFour(tail[2] ?? '')
    if (four === undefined) return undefined
    rest = `${tail[1]}${(four >> 16n).toString(16)}:${(four & 0xffffn).toString(16)}`
  }
  const halves = rest.split('::')
  if (halves.length > 2) return undefined
  const [head = [], end = []] = halves.map((half) => (half === '' ? [] : half.split(':')))
  const missing = 8 - head.length - end.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  let value = 0n
  for (const group of [...head, ...Array<string>(missing).fill('0'), ...end]) {
    if (!/^[0-9a-f]{1,4}$/i.test(group)) return undefined
    value = (value << 16n) | BigInt(Number.parseInt(group, 16))
  }
  return value
}

/** The usual spelling: IPv4 with dots, also when it came mapped. */
export function addressText(address: Address): string {
  if (address >> 32n === 0xffffn) return [24n, 16n, 8n, 0n].map((shift) => String((address >> shift) & 255n)).join('.')
  const groups = Array.from({ length: 8 }, (_, place) => ((address >> BigInt(112 - place * 16)) & 0xffffn).toString(16))
  const text = groups.join(':')
  const [longest] = [...text.matchAll(/(?:^|(?<=:))0(?::0)+(?=:|$)/g)].sort((one, other) => other[0].length - one[0].length)
  if (!longest) return text
  const before = text.slice(0, longest.index).replace(/:$/, '')
  const after = text.slice(longest.index + longest[0].length).replace(/^:/, '')
  return `${before}::${after}`
}

/** Undefined when it is neither an address nor a CIDR range. */
export function parseRange(text: string): AddressRange | undefined {
  const [base = '', width, ...more] = text.trim().split('/')
  const address = parseAddress(base)
  if (address === undefined || more.length > 0 || base.includes('%')) return undefined
  const most = base.includes(':') ? 128 : 32
  const given = width === undefined ? most : /^\d{1,3}$/.test(width) ? Number(width) : Number.NaN
  if (!(given <= most)) return undefined
  const bits = given + 128 - most
  const shift = BigInt(128 - bits)
  const network = address >> shift
  return { text: text.trim(), bits, first: network << shift, contains: (other) => other >> shift === network }
}
