/** What node:test tells, as far as the runner looks at it. */
export interface TestEvent {
  readonly type: string
  readonly data: EventData
}

export interface EventData {
  readonly name?: string
  readonly nesting?: number
  readonly file?: string | undefined
  readonly line?: number | undefined
  readonly column?: number | undefined
  readonly message?: string
  readonly level?: string
  readonly skip?: unknown
  readonly todo?: unknown
  readonly details?: {
    readonly type?: string | undefined
    readonly duration_ms?: number
    readonly error?: Error & { readonly failureType?: string; readonly cause?: unknown }
  }
}

/** A failure that no test told: a process that crashed or did not end. */
export function failure(name: string, message: string, file?: string): TestEvent {
  const error = Object.assign(new Error(message), { code: 'ERR_TEST_FAILURE', failureType: 'testCodeFailure', cause: message })
  return { type: 'test:fail', data: { name, nesting: 0, file, line: 1, column: 1, details: { duration_ms: 0, type: 'test', error } } }
}

/** Tells the numbers at the end: of all parts of the run together, however many processes they took. */
export function createTally() {
  const counts = { tests: 0, suites: 0, pass: 0, fail: 0, cancelled: 0, skipped: 0, todo: 0 }
  const started = performance.now()
  return {
    counts,
    note({ type, data }: TestEvent): void {
      if (type !== 'test:pass' && type !== 'test:fail') return
      if (data.details?.type === 'suite') {
        counts.suites++
        // A suite fails with its tests, which count themselves, or by a hook of its own.
        if (type === 'test:fail' && data.details.error?.failureType !== 'subtestsFailed') counts.fail++
        return
      }
      counts.tests++
      if (data.skip !== undefined) counts.skipped++
      else if (data.todo !== undefined) counts.todo++
      else if (type === 'test:pass') counts.pass++
      else if (cancelled.has(data.details?.error?.failureType ?? '')) counts.cancelled++
      else counts.fail++
    },
    failed: () => counts.fail + counts.cancelled > 0,
    /** The last events of a report: the first makes the reporter list what failed. */
    *end(): Generator<TestEvent> {
      yield { type: 'test:summary', data: {} }
      const all = { ...counts, duration_ms: Math.round(performance.now() - started) }
      for (const [name, value] of Object.entries(all)) {
        yield { type: 'test:diagnostic', data: { nesting: 0, message: `${name} ${value}`, level: 'info' } }
      }
    },
  }
}

const cancelled = new Set(['cancelledByParent', 'testTimeoutFailure', 'testAborted'])
