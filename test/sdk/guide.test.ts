import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const guide = readFileSync(`${root}/docs/guide/sdks.md`, 'utf8')

test('the guide marks exactly the SDKs that the scenarios are run with', () => {
  const marked = [...guide.matchAll(/^\| ✓ \|([^|]+)\|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name),
  )
  const sources = globSync('test/sdk/clients/*.ts', { cwd: root }).map((file) => readFileSync(`${root}/${file}`, 'utf8'))
  const imported = sources.flatMap((text) => [...text.matchAll(/from '([^.'][^']*)'/g)].map(([, name]) => name))
  const clients = imported.filter((name) => !name?.startsWith('@langchain/core'))
  assert.deepEqual(new Set(marked), new Set(clients))
})
