/** Budgets and limits without a server: counted in memory, for as long as the process lives. Loaded where a configuration has some. */
import type { MoneyConfig } from './config/config.ts'
import type { Ledger } from './core/ledger.ts'
import type { Spending } from './core/policy.ts'
import { createSpending } from './policy/spending/spending.ts'
import { createMemoryCounters } from './store/counters/memory.ts'
import { createMemoryLedger } from './store/ledger/memory-ledger.ts'

export interface EmbeddedSpending {
  readonly desk: Spending
  readonly usage: Ledger['usage']
  close(): void
}

export function embeddedSpending({ prices, reservation, ...rules }: MoneyConfig): EmbeddedSpending {
  const ledger = createMemoryLedger({ forgets: true })
  const desk = createSpending({ counters: createMemoryCounters(), ledger, rules, policy: { ...prices, ...reservation }, alone: true })
  return { desk, usage: (query) => ledger.usage(query), close: () => desk.close() }
}
