/** CSV as spreadsheets and providers write it: quoted fields, any of the usual separators, a byte order mark. */
import { GatewayError } from '../../core/error.ts'

export type CsvRow = Readonly<Record<string, string>>

const SEPARATORS = [',', ';', '\t', '|']

/** One object per line, by the names in the first one. Empty lines are left out. */
export function parseCsv(text: string): { readonly columns: readonly string[]; readonly rows: readonly CsvRow[] } {
  const body = text.startsWith('\ufeff') ? text.slice(1) : text
  const [first = [], ...lines] = linesOf(body, separatorOf(body))
  const columns = first.map((name) => name.trim())
  if (columns.every((name) => name === ''))
    throw new GatewayError('invalid-request', 'The statement is empty: its first line names no columns.')
  return {
    columns,
    rows: lines.map((fields) => Object.fromEntries(columns.map((name, index) => [name, (fields[index] ?? '').trim()]))),
  }
}

/** The one that the first line has most of, outside quotes. */
function separatorOf(text: string): string {
  const head = text.slice(0, text.search(/\r?\n|$/)).replace(/"[^"]*"/g, '')
  const counts = SEPARATORS.map((separator) => head.split(separator).length)
  return SEPARATORS[counts.indexOf(Math.max(...counts))] ?? ','
}

function linesOf(text: string, separator: string): string[][] {
  const lines: string[][] = []
  let line: string[] = []
  let field = ''
  let quoted = false
  const endField = (): void => {
    line.push(field)
    field = ''
  }
  const endLine = (): void => {
    endField()
    if (line.some((value) => value.trim() !== '')) lines.push(line)
    line = []
  }
  for (let index = 0; index < text.length; index++) {
    const letter = text[index]
    if (quoted) {
      if (letter !== '"') field += letter
      else if (text[index + 1] === '"') {
        field += '"'
        index++
      } else quoted = false
    } else if (letter === '"' && field.trim() === '') {
      quoted = true
      field = ''
    } else if (letter === separator) endField()
    else if (letter === '\n') endLine()
    else if (letter !== '\r') field += letter
  }
  endLine()
  return lines
}
