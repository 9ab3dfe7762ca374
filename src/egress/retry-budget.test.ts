import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRetryBudgets, RetryBudget } from './retry-budget.ts'

test('quiet times have a few retries, busy ones a share of their calls', () => {
  const budget = new RetryBudget({ share: 0.2, perSecond: 1 })
  let taken = 0
  while (budget.take(0)) taken++
  assert.equal(taken, 10)
  for (let call = 0; call < 100; call++) budget.deposit(0)
  while (budget.take(0)) taken++
  assert.equal(taken, 30)
})

test('what is not used in ten seconds is gone, and what was taken comes back', () => {
  const budget = new RetryBudget({ share: 0.5, perSecond: 1 })
  for (let call = 0; call < 100; call++) budget.deposit(0)
  assert.equal(budget.left(9_000), 60)
  assert.equal(budget.left(10_000), 10)
  while (budget.take(10_000));
  assert.equal(budget.left(19_000), 0)
  assert.equal(budget.left(20_000), 10)
})

test('one route cannot use up what all have', () => {
  let now = 0
  const budgets = createRetryBudgets(() => now)
  const takeAll = (route: string): number => {
    const budget = budgets.begin(route)
    let taken = 0
    while (taken < 1_000 && budget.take()) taken++
    return taken
  }
  assert.equal(takeAll('a'), 30)
  assert.equal(takeAll('b'), 30)
  assert.equal(takeAll('c'), 30)
  assert.equal(takeAll('d'), 10, 'all together have a hundred in ten seconds')
  now = 11_000
  assert.equal(takeAll('a'), 30)
})

test('second requests for slow ones are one in twenty, and none in quiet times', () => {
  const budgets = createRetryBudgets(() => 0)
  assert.equal(budgets.begin('a', true).takeHedge(), false)
  let taken = 0
  for (let call = 0; call < 400; call++) if (budgets.begin('a', true).takeHedge()) taken++
  assert.equal(taken, 20)
  assert.equal(budgets.begin('b').takeHedge(), false, 'only routes that hedge')
})
