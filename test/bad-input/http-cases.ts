/** Messages of HTTP on which real parsers failed; they lie beside the checkout. */
import { existsSync, readFileSync } from 'node:fs'

const shared = new URL('../../../shared/data/badinput/http/', import.meta.url)
/** Why tests of these are left out, where they are. */
export const skip = existsSync(shared) ? false : 'the shared data sets are not beside this checkout'

export interface RawCase {
  readonly name: string
  readonly raw_b64: string
  readonly expect?: string
  readonly meta?: { readonly type: string }
}

export const casesOf = (file: string): readonly RawCase[] =>
  readFileSync(new URL(file, shared), 'utf8')
    .trim()
    .split('\n')
    .map((line): RawCase => JSON.parse(line))
