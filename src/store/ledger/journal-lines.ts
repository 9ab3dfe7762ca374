/** The journal's lines: kind, checksum, JSON. A line that was cut short or damaged is told from a whole one, and the rest still reads. */
import { createReadStream } from 'node:fs'
import { crc32 } from 'node:zlib'
import { type LedgerRecord, recordOf } from './codec.ts'

const NEWLINE = 10
const CHUNK = 256 * 1024

export const lineOf = ({ kind, text }: LedgerRecord): string => `${kind === 'opening' ? 'o' : 's'}${crc32(text).toString(16)} ${text}\n`

/** Undefined: not a whole line. */
export function recordOfLine(line: string): LedgerRecord | undefined {
  const space = line.indexOf(' ')
  const kind = line[0] === 'o' ? 'opening' : line[0] === 's' ? 'settlement' : undefined
  if (!kind || space < 2) return undefined
  const text = line.slice(space + 1)
  if (crc32(text).toString(16) !== line.slice(1, space)) return undefined
  try {
    return recordOf(kind, text)
  } catch {
    return undefined
  }
}

export interface Batch {
  readonly records: readonly LedgerRecord[]
  /** Bytes up to the end of the last line that was read. */
  readonly position: number
  /** Lines that could not be read. */
  readonly damaged: number
}

/** From a position to the end of the last whole line, or up to `to`. A file that is gone has no lines. */
export async function* readJournal(path: string, from = 0, to = Number.POSITIVE_INFINITY): AsyncGenerator<Batch> {
  if (to <= from) return
  let position = from
  let rest: Buffer | undefined
  const stream = createReadStream(path, { start: from, end: to - 1, highWaterMark: CHUNK })
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      const bytes: Buffer = rest ? Buffer.concat([rest, chunk]) : chunk
      const end = bytes.lastIndexOf(NEWLINE) + 1
      rest = end === bytes.length ? undefined : bytes.subarray(end)
      if (end === 0) continue
      position += end
      const records: LedgerRecord[] = []
      let damaged = 0
      for (const line of bytes.toString('utf8', 0, end - 1).split('\n')) {
        const record = line === '' ? undefined : recordOfLine(line)
        if (record) records.push(record)
        else if (line !== '') damaged++
      }
      yield { records, position, damaged }
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  } finally {
    stream.destroy()
  }
}
