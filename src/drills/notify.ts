/** Posts a report to a webhook, signed so that the receiver can tell that it is ours. */
import { createHmac } from 'node:crypto'
import type { DrillReport } from './report.ts'

export interface Webhook {
  readonly url: string
  /** Absent: not signed. */
  readonly secret?: string | undefined
}

const TRIES = 3
const TIMEOUT_MS = 10_000
const BETWEEN_MS = 1_000

/** `sha256=` and the HMAC, in hex, of the timestamp, a dot, and the body. */
export const signatureOf = (secret: string, timestamp: string, body: string): string =>
  `sha256=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`

/** Undefined when it was taken; else why not. Never throws. */
export const postReport = (webhook: Webhook, report: DrillReport, betweenMs = BETWEEN_MS): Promise<string | undefined> =>
  postSigned(webhook, { type: 'drill.report', ...report }, { headers: { 'x-signalbox-drill': report.id }, betweenMs })

/** The same for any report. */
export async function postSigned(
  webhook: Webhook,
  report: object,
  { headers = {}, betweenMs = BETWEEN_MS }: { readonly headers?: Readonly<Record<string, string>>; readonly betweenMs?: number } = {},
): Promise<string | undefined> {
  let problem: string | undefined
  for (let attempt = 0; attempt < TRIES; attempt++) {
    if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, betweenMs * 2 ** (attempt - 1)))
    const posted = await postOnce(webhook, report, { headers })
    problem = posted.problem
    if (!posted.again) break
  }
  return problem
}

/** `problem`: it was not taken. `again`: another try may help. */
export interface Posted {
  readonly problem: string | undefined
  readonly again: boolean
}

/** One try. Never throws. */
export async function postOnce(
  { url, secret }: Webhook,
  report: object,
  { headers = {}, signal }: { readonly headers?: Readonly<Record<string, string>>; readonly signal?: AbortSignal | undefined } = {},
): Promise<Posted> {
  const body = JSON.stringify(report)
  const timestamp = String(Math.floor(Date.now() / 1000))
  const late = AbortSignal.timeout(TIMEOUT_MS)
  try {
    const response = await fetch(url, {
      method: 'POST',
      // A redirect could lead the signed report elsewhere.
      redirect: 'manual',
      headers: {
        'content-type': 'application/json',
        ...headers,
        'x-signalbox-timestamp': timestamp,
        ...(secret !== undefined && { 'x-signalbox-signature': signatureOf(secret, timestamp, body) }),
      },
      body,
      signal: signal ? AbortSignal.any([signal, late]) : late,
    })
    await response.body?.cancel()
    if (response.ok) return { problem: undefined, again: false }
    return { problem: `the webhook answered ${response.status}`, again: response.status >= 500 || response.status === 429 }
  } catch (error) {
    return { problem: `the webhook could not be reached: ${error instanceof Error ? error.message : String(error)}`, again: true }
  }
}
