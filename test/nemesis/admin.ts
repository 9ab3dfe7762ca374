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

export async function createKey(url: string, body: object): Promise<KeyInHand> {
  const answer = await fetch(`${url}/admin/v1/keys`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  })
  if (answer.status !== 201) throw new Error(`no key: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as KeyInHand
}

export async function ledgerLines(url: string, from: number): Promise<readonly LedgerLine[]> {
  const query = new URLSearchParams({ format: 'jsonl', from: new Date(from).toISOString() })
  const answer = await fetch(`${url}/admin/v1/usage?${query}`, { headers, signal: AbortSignal.timeout(20_000) })
  if (answer.status !== 200) throw new Error(`no export: ${answer.status} ${await answer.text()}`)
  const text = await answer.text()
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Partial<LedgerLine> & Record<string, unknown>)
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
