/** Every requirement is claimed, claimed in part or said to be open, and a claim names tests that are there. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { claims } from './requirements.ts'

const root = new URL('../', import.meta.url)
const brief = new URL('../../shared/REQUIREMENTS.md', import.meta.url)
const skip = existsSync(brief) ? false : 'no ../shared: the list of requirements is not here'

const entries = Object.entries(claims)

/** The tests of a file by their names as written: what stands in quotes as the name of something, a key of a table of tests included. */
const namesIn = (file: string): ReadonlySet<string> => {
  const text = readFileSync(new URL(file, root), 'utf8')
  // Keys and rows of tables count in files that make tests of them.
  const forms = /(?:(?:test|suite|describe)\(|^\s*\[?)(?:'((?:[^'\\\n]|\\.)+)'|"((?:[^"\\\n]|\\.)+)"|`((?:[^`\\]|\\.)+)`)\s*[,:)]/gm
  return new Set(
    [...text.matchAll(forms)].map(([, single, double, template]) =>
      (single ?? double ?? template ?? '').replace(/\$\{[^}]*\}/g, '…').replaceAll('\\`', '`'),
    ),
  )
}

test('whatever is claimed has a test that is there', () => {
  const missing: string[] = []
  for (const [id, claim] of entries) {
    if (claim.state === 'open') continue
    if (claim.tests.length === 0) missing.push(`${id}: no test`)
    for (const [file, name] of claim.tests)
      if (!existsSync(new URL(file, root))) missing.push(`${id}: there is no ${file}`)
      else if (!namesIn(file).has(name)) missing.push(`${id}: ${file} has no test "${name}"`)
  }
  assert.deepEqual(missing, [])
})

test('what is met in part says what it lacks, what is open says why', () => {
  for (const [id, claim] of entries) {
    if (claim.state === 'part') assert.ok(claim.lacks.length > 5, id)
    if (claim.state === 'open') assert.ok(claim.why.length > 5, id)
  }
})

test('a name that is not there is found missing', () => {
  const names = namesIn('test/requirements.test.ts')
  assert.ok(names.has('whatever is claimed has a test that is there'))
  assert.ok(!names.has('no such test'))
})

test('nothing of the brief is left out, and nothing else is claimed', { skip }, (t) => {
  const ids = [...readFileSync(fileURLToPath(brief), 'utf8').matchAll(/^\| ([A-Z]\d+) \|/gm)].map(([, id = '']) => id)
  assert.ok(ids.length > 80)
  assert.deepEqual(Object.keys(claims), ids)
  const count = (state: string): number => entries.filter(([, claim]) => claim.state === state).length
  t.diagnostic(`${count('met')} met, ${count('part')} in part, ${count('open')} open, of ${ids.length}`)
})
