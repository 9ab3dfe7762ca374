import { LineCounter, parseDocument } from 'yaml'
import type { Problem } from './config.ts'

/** The value of a YAML (or JSON) text, or the first thing that is wrong with its form. */
export function readYaml(text: string, language: string): { readonly value: unknown } | { readonly problem: Omit<Problem, 'path'> } {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true })
  const [error] = document.errors
  if (error) {
    const { line, col } = lines.linePos(error.pos[0])
    const message = error.message.split('\n')[0] ?? ''
    return {
      problem: {
        message: `not valid ${language}: ${message}`,
        remedy: remedies[error.code] ?? 'check the indentation and quotes here',
        line,
        column: col,
      },
    }
  }
  try {
    return { value: document.toJS() }
  } catch (thrown) {
    // Aliases that multiply beyond measure.
    return { problem: { message: `not usable ${language}: ${thrown instanceof Error ? thrown.message : String(thrown)}` } }
  }
}

const remedies: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'take one of them out',
  TAB_AS_INDENT: 'indent with spaces',
  BAD_INDENT: 'indent the keys of one section alike',
  MISSING_CHAR: 'a closing bracket, quote or comma is missing before this',
}
