/** What the judge reads through the gateways' admin API. */

import type { KeyInHand } from './callers.ts'
import { OWNER } from './gateway.ts'

const headers = { authorization: `Bearer ${OWNER}`, 'content-type': 'application/json' }

/** One line of the export. */
export interface LedgerLine {
  readonly id: string
  readonly tags: readonly string[]
  readonly key: string
  /** `running` while the call has not been settled. */
  readonly state: string
  /** Decimal USD; undefined where nobody knows. */
  readonly charge: string | undefined
  readonly attempts: number
}

/** Tries for a while: the store may just have come back. */
export async function createKey(url: string, body: object): Promise<KeyInHand> {
  const until = Date.now() + 15_000
  for (;;) {
    const made = { method: 'POST', headers, body: JSON.stringify(body), signal: AbortSignal.timeout(10_000) }
    const answer = await fetch(`${url}/admin/v1/keys`, made)
    if (answer.status === 201) return (await answer.json()) as KeyInHand
    const why = `no key: ${answer.status} ${await answer.text()}`
    if (answer.status !== 503 || Date.now() > until) throw new Error(why)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

export async function ledgerLines(url: string, from: number): Promise<readonly LedgerLine[]> {
  const query = new URLSearchParams({ from: new Date(from).toISOString() })
  const answer = await fetch(`${url}/admin/v1/usage/entries?${query}`, { headers, signal: AbortSignal.timeout(20_000) })
  if (answer.status !== 200) throw new Error(`no export: ${answer.status} ${await answer.text()}`)
  const text = await answer.text()
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Partial<LedgerLine>)
    .map((line) => ({
      id: String(line.id),
      tags: line.tags ?? [],
      key: String(line.key),
      state: line.state ?? 'running',
      charge: line.charge,
      attempts: Number(line.attempts ?? 0),
    }))
}

/** What the usage API says each key has spent, in nano-dollars, and how many calls it made. */
export async function usageByKey(
  url: string,
  from: number,
): Promise<ReadonlyMap<string, { readonly requests: number; readonly cost: number }>> {
  const query = new URLSearchParams({ by: 'key', from: new Date(from).toISOString() })
  const answer = await fetch(`${url}/admin/v1/usage?${query}`, { headers, signal: AbortSignal.timeout(20_000) })
  if (answer.status !== 200) throw new Error(`no usage: ${answer.status} ${await answer.text()}`)
  const { rows } = (await answer.json()) as { rows: readonly { key: string; requests: number; cost: string }[] }
  return new Map(rows.map(({ key, requests, cost }) => [key, { requests, cost: nanos(cost) }]))
}

export const nanos = (dollars: string): number => Math.round(Number(dollars) * 1e9)
