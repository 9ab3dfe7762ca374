/**
 * Events for a webhook. Nobody waits for it: an event is put in line, and posted in the order of the line by work of its own. One that is not
 * taken is tried again for about two minutes; when too many wait, the newest are left out, and counted.
 */
import { randomUUID } from 'node:crypto'
import type { Config, EventsConfig } from '../../config/config.ts'
import { dollarsOf } from '../../core/money.ts'
import { createTally, type Tally } from '../../core/tally.ts'
import type { Posted } from '../../drills/notify.ts'
import type { SpendingEvent } from '../../policy/spending/warnings.ts'

export interface EventsParts {
  secret(reference: string): Promise<string>
  /** Tells the operator: one line. */
  tell(line: string): void
  /** Events that may wait. Default 1 000. */
  readonly most?: number
  /** Waits between tries. Default from 1 s on, two minutes in all. */
  readonly waitsMs?: readonly number[]
  /** How long the end waits for what is in line. Default 2 000. */
  readonly partingMs?: number
}

export interface OpenEvents {
  spending(event: SpendingEvent): void
  configure(config: Pick<Config, 'events'>): void
  readonly waiting: number
  /** By type and what became of it. */
  readonly ended: Pick<Tally, 'read'>
  close(): Promise<void>
}

interface Event {
  readonly id: string
  readonly type: EventsConfig['webhook']['when'][number]
}

const WAITS_MS = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000, 60_000]
/** The operator is told of trouble so often at most. */
const QUIET_MS = 60_000

export function openEvents({ secret, tell, most = 1_000, waitsMs = WAITS_MS, partingMs = 2_000 }: EventsParts): OpenEvents {
  let webhook: EventsConfig['webhook'] | undefined
  const line: Event[] = []
  const ended = createTally()
  const end = new AbortController()
  let working: Promise<void> | undefined
  let toldAt = Number.NEGATIVE_INFINITY

  function put(event: Event): void {
    if (!webhook?.when.includes(event.type) || end.signal.aborted) return
    if (line.length >= most) {
      ended.add(event.type, 'dropped')
      trouble(`${most} events wait already: newer ones are left out`)
      return
    }
    line.push(event)
    working ??= work().finally(() => {
      working = undefined
    })
  }

  async function work(): Promise<void> {
    // The call that the event is about goes on first.
    await new Promise((resolve) => setImmediate(resolve))
    for (let event = line[0]; event && !end.signal.aborted; event = line[0]) {
      ended.add(event.type, await delivered(event))
      line.shift()
    }
  }

  async function delivered(event: Event): Promise<'taken' | 'refused' | 'given-up'> {
    for (let tries = 0; ; tries++) {
      const { problem, again } = await posted(event)
      if (problem === undefined) return 'taken'
      trouble(problem)
      if (!again) return 'refused'
      const wait = waitsMs[tries]
      if (wait === undefined || end.signal.aborted) return 'given-up'
      await pause(wait)
    }
  }

  /** With the webhook and the secret that are in force now: a reload may mend what is wrong. */
  async function posted(event: Event): Promise<Posted> {
    if (!webhook) return { problem: 'the webhook is configured no more', again: false }
    const { url, secret: reference } = webhook
    let key: string | undefined
    try {
      key = reference === undefined ? undefined : await secret(reference)
    } catch (error) {
      return { problem: `the secret cannot be read: ${error instanceof Error ? error.message : String(error)}`, again: true }
    }
    const { postOnce } = await import('../../drills/notify.ts')
    return await postOnce({ url, secret: key }, event, { headers: { 'x-signalbox-event': event.id }, signal: end.signal })
  }

  function trouble(problem: string): void {
    const now = performance.now()
    if (now - toldAt < QUIET_MS) return
    toldAt = now
    tell(`events.webhook: ${problem}`)
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        end.signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      end.signal.addEventListener('abort', done)
    })
  }

  return {
    spending: (event) => put(spendingEvent(event)),
    configure({ events }) {
      webhook = events?.webhook
    },
    get waiting() {
      return line.length
    },
    ended,
    async close() {
      const patience = setTimeout(() => end.abort(), partingMs)
      await working
      clearTimeout(patience)
      end.abort()
      if (line.length > 0) tell(`events.webhook: ${line.length} events were not posted`)
    },
  }
}

const at = (ms: number): string => new Date(ms).toISOString()

function spendingEvent(event: SpendingEvent): Event & Readonly<Record<string, unknown>> {
  const { type, kind, rule, name, by, value, organisation, share, limit, spent, resetsAt } = event
  return {
    id: `evt_${randomUUID().replaceAll('-', '')}`,
    type,
    at: at(event.at),
    kind,
    rule,
    name,
    by,
    value: value === '' ? undefined : value,
    organisation,
    share,
    limit: dollarsOf(limit),
    spent: dollarsOf(spent),
    resetsAt: resetsAt === undefined ? undefined : at(resetsAt),
  }
}
