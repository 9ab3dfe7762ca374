/**
 * The head of a request as SDKs send it. Deliberately less than HTTP allows: what could be read in two ways, and what is merely unusual, is left
 * to Node's own parser.
 */
import type { Headers } from '../../core/http.ts'
import { type NamesBefore, readHeaders } from '../../core/http1-headers.ts'

export interface RequestHead {
  readonly method: 'POST' | 'GET'
  /** Path and query. */
  readonly target: string
  readonly headers: Headers
  /** Bytes of the body. */
  readonly length: number
  /** The caller asks to close the connection afterwards. */
  readonly closes: boolean
}

/** In bytes. Larger ones are unusual. */
const MOST_HEAD = 16 * 1024
const END = Buffer.from('\r\n\r\n')
const START = /^(POST|GET) (\/[!-~]*) HTTP\/1\.1$/
const LENGTH = /^\d{1,15}$/

/** What changes how the message or its connection is to be read. */
const UNUSUAL = ['transfer-encoding', 'upgrade', 'expect', 'trailer', 'te', 'proxy-connection'] as const

/** Where the head that begins these bytes ends, its last line's end included; -1 where that is not among them. */
export function endOfHead(bytes: Buffer): number {
  const at = bytes.indexOf(END)
  return at < 0 || at > MOST_HEAD ? -1 : at + END.length
}

/** Undefined: not for us. `text` is all of the head, Latin-1. */
export function readHead(text: string, before?: NamesBefore): RequestHead | undefined {
  const first = text.indexOf('\r\n')
  const start = START.exec(text.slice(0, first))
  // What is there twice is Node's too: it knows which count, and which are joined.
  const headers = start ? readHeaders(text.slice(0, -2), first + 2, 'refuse', before) : undefined
  if (!start || headers?.['host'] === undefined) return undefined
  for (const name of UNUSUAL) if (headers[name] !== undefined) return undefined
  const connection = headers['connection']?.toLowerCase()
  const length = headers['content-length']
  if (connection !== undefined && connection !== 'keep-alive' && connection !== 'close') return undefined
  if (length !== undefined && !LENGTH.test(length)) return undefined
  return { method: start[1] as 'POST' | 'GET', target: start[2]!, headers, length: Number(length ?? 0), closes: connection === 'close' }
}
