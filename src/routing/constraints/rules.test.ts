import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRequirements } from '../../core/requirements.ts'
import type { Route } from '../routes.ts'
import { priority } from '../strategies/priority.ts'
import { rulesOf } from './rules.ts'

const route: Route = { name: 'r', strategy: priority, candidates: [], fallback: [], totalMs: 1, constraints: { trust: ['private'] } }

test('route, key and request each set rules of their own, and all of them hold', () => {
  const rules = rulesOf(route, { region: 'eu, ch', maxCost: 5_000_000n, require: 'tools' }, undefined, { allow: ['a'] })
  assert.deepEqual(rules, [
    { source: 'constraints of the route', constraints: { trust: ['private'] } },
    { source: 'constraints of the key', constraints: { allow: ['a'] } },
    { source: 'x-signalbox-require', constraints: { require: parseRequirements('tools') } },
    { source: 'x-signalbox-region', constraints: { region: ['eu', 'ch'] } },
    { source: 'x-signalbox-max-cost', constraints: { maxCost: 0.005 } },
  ])
})

test('only the named providers in order, when OpenRouter’s caller allows no fallback', () => {
  const steering = { fallbacks: [], fields: [], ignored: [], order: ['a', 'b'], only: ['b', 'c'], allowFallbacks: false }
  assert.deepEqual(rulesOf({ ...route, constraints: undefined }, {}, steering), [{ source: 'provider', constraints: { allow: ['b'] } }])
})
