import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from './sql.ts'

test('values are parameters, in the words of each database', () => {
  const query = sql`select * from t where a = ${1} and b in (${sql.join(['x', null])}) and ${sql.ref('c "d')} = ${'; drop table t'}`
  assert.deepEqual(query.compile('sqlite'), {
    sql: 'select * from t where a = ? and b in (?, ?) and "c ""d" = ?',
    parameters: [1, 'x', null, '; drop table t'],
  })
  assert.equal(query.compile('postgres').sql, 'select * from t where a = $1 and b in ($2, $3) and "c ""d" = $4')
})

test('pieces go into pieces, and may be used many times', () => {
  const part = sql`x = ${7}`
  const query = sql`select ${part}, (${sql.join([part, sql`y > ${sql.lit(3)}`], ' or ')})${sql``}`
  for (let round = 0; round < 2; round++) {
    assert.deepEqual(query.compile('postgres'), { sql: 'select x = $1, (x = $2 or y > 3)', parameters: [7, 7] })
  }
  assert.equal(
    sql`where ${sql.join([part, part, part], sql` and `)}${sql.join([])}`.compile('sqlite').sql,
    'where x = ? and x = ? and x = ?',
  )
  assert.throws(() => sql.lit(Number.NaN))
})
