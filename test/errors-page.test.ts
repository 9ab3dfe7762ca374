import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readPage } from '../scripts/docs.ts'
import { faults } from '../src/core/error.ts'

const page = readPage('docs/reference/errors.md')

for (const [id, { code, status, meaning }] of Object.entries(faults))
  test(`the errors page tells ${id}: its code, status and meaning`, () => {
    const section = page.split(`### \`${code}\`\n`)[1]?.split('\n### ')[0] ?? ''
    const line = section.split('\n').find((candidate) => candidate.includes(`(\`${id}\``)) ?? ''
    assert.match(line, new RegExp(`\\*\\*${status}\\*\\*`))
    assert.ok(line.includes(meaning))
  })
