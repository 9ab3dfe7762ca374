import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from './parse.ts'

test('the catalogue is refreshed only where that is asked for, every day unless said otherwise', () => {
  assert.equal(parseConfig({}).config?.catalog, undefined)
  assert.deepEqual(parseConfig({ catalog: {} }).config?.catalog, { refreshMs: 86_400_000, url: undefined })
  const url = 'https://mirror.example/api.json'
  assert.deepEqual(parseConfig({ catalog: { refresh: '6h', url } }).config?.catalog, { refreshMs: 21_600_000, url })
})

test('what would ask all the time, or nowhere, is refused with a remedy', () => {
  for (const [catalog, path, remedy] of [
    [{ refresh: '10s' }, 'catalog.refresh', /"1m" or more/],
    [{ refresh: 60 }, 'catalog.refresh', /in quotes/],
    [{ refresh: '1h', url: 'file:///etc/facts.json' }, 'catalog.url', /models\.dev/],
  ] as const) {
    const { problems } = parseConfig({ catalog })
    assert.deepEqual(
      problems.map((problem) => problem.path),
      [path],
    )
    assert.match(problems[0]?.remedy ?? '', remedy)
  }
})
