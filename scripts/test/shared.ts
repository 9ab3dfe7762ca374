/**
 * Runs many test files in few processes: to start one per file takes more time than most files do.
 * Told as if every file had a process of its own: a file is told when it has ended, and a process that crashes or hangs
 * is a failure of the file that ran; those that it had not told of yet run again, a process each.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from 'node:test'
import { fileURLToPath } from 'node:url'
import { failure, type TestEvent } from './events.ts'
import { merge } from './merge.ts'
import { claimedBy, kill } from './notes.ts'

const program = fileURLToPath(new URL('shared-process.ts', import.meta.url))

export interface SharedOptions {
  readonly processes: number
  /** How long one test may take. */
  readonly testMs: number
  /** A process that tells nothing for so long is ended: its tests' own time limit cannot stop a loop without an end. */
  readonly silenceMs: number
}

export async function* shared(files: readonly string[], options: SharedOptions): AsyncGenerator<TestEvent> {
  const finished = new Set<string>()
  yield* processes(files, Math.min(options.processes, files.length), finished, options)
  // What a crash left over: one at a time, so that the next crash takes nothing else with it.
  for (const file of files) if (!finished.has(file)) yield* processes([file], 1, finished, options)
  for (const file of files) if (!finished.has(file)) yield failure(file, 'This file did not run', file)
}

/** A process for every file. */
export async function* alone(files: readonly string[], limits: { concurrency: number; timeout: number }): AsyncGenerator<TestEvent> {
  if (files.length === 0) return
  for await (const event of run({ files: [...files], ...limits }) as AsyncIterable<TestEvent>) if (!isSummary(event)) yield event
}

async function* processes(
  files: readonly string[],
  count: number,
  finished: Set<string>,
  options: SharedOptions,
): AsyncGenerator<TestEvent> {
  const notes = mkdtempSync(join(tmpdir(), 'signalbox-tests-'))
  try {
    yield* merge(Array.from({ length: count }, (_, index) => oneProcess({ ...options, files, finished, notes, name: String(index) })))
  } finally {
    rmSync(notes, { recursive: true, force: true })
  }
}

interface Process extends SharedOptions {
  readonly files: readonly string[]
  /** Filled as files end. */
  readonly finished: Set<string>
  readonly notes: string
  readonly name: string
}

async function* oneProcess({ files, finished, notes, name, testMs, silenceMs }: Process): AsyncGenerator<TestEvent> {
  let hung = false
  const timer = setInterval(() => {
    hung = true
    kill(name, notes)
  }, silenceMs)
  let crashed = false
  let story: TestEvent[] = []
  const events = run({ files: [program], argv: [notes, name, ...files], execArgv: [`--test-timeout=${testMs}`] })
  for await (const event of events as AsyncIterable<TestEvent>) {
    timer.refresh()
    const { type, data } = event
    if (isSummary(event)) continue
    if (data.nesting === 0 && data.name === program) {
      if (type === 'test:fail') crashed = true
      continue
    }
    if (data.nesting !== 0) {
      story.push(data.nesting === undefined ? event : { type, data: { ...data, nesting: data.nesting - 1 } })
      continue
    }
    // What is left are the suites that stand for the files.
    if ((type !== 'test:pass' && type !== 'test:fail') || !data.name) continue
    finished.add(data.name)
    yield* story
    story = []
    // The file did not load, or one of its hooks failed.
    if (type === 'test:fail' && data.details?.error?.failureType !== 'subtestsFailed') {
      yield { type, data: { ...data, file: data.name, line: 1, column: 1 } }
    }
  }
  clearInterval(timer)
  const ran = claimedBy(name, notes, files)
  const last = ran.at(-1)
  if (last && !finished.has(last)) {
    finished.add(last)
    yield* story
    yield failure(last, hung ? `Nothing came of this file for ${silenceMs} ms` : 'The process ended in the middle of this file', last)
  } else if (crashed || hung) yield* whoBreaksTheEnd(ran, { processes: 1, testMs, silenceMs })
}

/** All files were well, but their process did not end, or ended badly. Each alone shows whose doing that is. */
async function* whoBreaksTheEnd(ran: readonly string[], options: SharedOptions): AsyncGenerator<TestEvent> {
  const [first, ...others] = ran
  if (!first) yield failure('the process of the tests', 'It did not begin')
  else if (others.length === 0)
    yield failure(first, 'After its tests the process did not end, or ended badly: is something left open?', first)
  else {
    let found = false
    for (const file of ran) {
      for await (const event of processes([file], 1, new Set(), options)) {
        if (event.type !== 'test:fail' || event.data.name !== file) continue
        found = true
        yield event
      }
    }
    if (!found) yield failure('the process of the tests', `After these files it did not end, or ended badly: ${ran.join(' ')}`)
  }
}

const summaryNames = new Set(['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo', 'duration_ms'])

/** The counts that every run tells at its end: here they are parts of a whole. */
function isSummary({ type, data }: TestEvent): boolean {
  if (type === 'test:summary') return true
  return type === 'test:diagnostic' && data.nesting === 0 && summaryNames.has(/^(\w+) [\d.]+$/.exec(data.message ?? '')?.[1] ?? '')
}
