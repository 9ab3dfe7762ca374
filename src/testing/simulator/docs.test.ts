import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { simulatedFaults, simulatedTraits } from './simulation.ts'

const page = readFileSync(new URL('../../../docs/guide/simulator.md', import.meta.url), 'utf8')

test('the guide names every model and every fault of the simulator', () => {
  for (const name of new Set([...Object.keys(simulatedTraits), ...Object.keys(simulatedFaults)])) {
    assert.ok(page.includes(`\`${name}\``), name)
  }
})
