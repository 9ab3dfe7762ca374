/**
 * SQL as text with its values beside it, for both databases: sql`select … where id = ${id}`. A value never becomes part of the
 * text, so there is nothing to escape; what is part of it says so (`ref`, `lit`).
 */
import type { DatabaseKind } from './database.ts'

export interface Statement {
  readonly sql: string
  readonly parameters: readonly unknown[]
}

/** A statement or a piece of one. `Row` is what its rows are taken for. */
export class Sql<Row = unknown> {
  readonly #texts: readonly string[]
  readonly #values: readonly unknown[]
  declare readonly row: Row

  constructor(texts: readonly string[], values: readonly unknown[] = []) {
    this.#texts = texts
    this.#values = values
  }

  compile(kind: DatabaseKind): Statement {
    const parameters: unknown[] = []
    return { sql: this.#write(kind, parameters), parameters }
  }

  #write(kind: DatabaseKind, parameters: unknown[]): string {
    let text = this.#texts[0] ?? ''
    for (const [index, value] of this.#values.entries()) {
      if (value instanceof Sql) text += value.#write(kind, parameters)
      else {
        parameters.push(value)
        text += kind === 'postgres' ? `$${parameters.length}` : '?'
      }
      text += this.#texts[index + 1]
    }
    return text
  }
}

export function sql<Row = unknown>(texts: TemplateStringsArray, ...values: readonly unknown[]): Sql<Row> {
  return new Sql<Row>(texts, values)
}

/** The name of a column or table. */
sql.ref = (name: string): Sql => new Sql([`"${name.replaceAll('"', '""')}"`])

/** A number that is part of the text: where a database plans by it, or takes no parameter. */
sql.lit = (value: number): Sql => {
  if (!Number.isFinite(value)) throw new RangeError('not a number')
  return new Sql([String(value)])
}

/** Values or pieces with something between them: a piece, or text that is taken as it is. */
sql.join = (items: readonly unknown[], separator: Sql | string = ', '): Sql => {
  const between = typeof separator === 'string' ? new Sql([separator]) : separator
  const values = items.flatMap((item, index) => (index === 0 ? [item] : [between, item]))
  return new Sql(Array<string>(values.length + 1).fill(''), values)
}
