/**
 * Runs the tests: `npm test` everything (types, lint, unit tests, then the end-to-end ones two side by side),
 * `npm run test:quick` unit tests only. Further words keep the files whose path contains one of them.
 */
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { Readable } from 'node:stream'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { check } from './check.ts'

const words = process.argv.slice(2)
const quick = words[0] === 'quick'
const filters = quick ? words.slice(1) : words

const files = globSync(['src/**/*.test.ts', 'test/**/*.test.ts'])
  .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)))
  .toSorted()
const isLong = (file: string): boolean => /\.(e2e|slow)\.test\.ts$/.test(file)

type TestEvent = { type: string; data: unknown }
interface Diagnostic {
  readonly nesting: number
  readonly message: string
}

const totals = new Map<string, number>()
let failed = 0
let lastSummary: TestEvent | undefined

/** Both halves as one report: their summaries are added up and told once, at the end. */
async function* report(): AsyncGenerator<TestEvent> {
  yield* half(
    files.filter((file) => !isLong(file)),
    // One core is left to what the tests themselves start.
    Math.max(2, availableParallelism() - 1),
    120_000,
  )
  // These mostly wait: two side by side on two cores.
  if (!quick) yield* half(files.filter(isLong), Math.min(2, availableParallelism()), 500_000)
  // Lets the reporter list what failed, of both halves.
  if (lastSummary) yield lastSummary
  for (const [name, value] of totals) yield diagnostic(`${name} ${name === 'duration_ms' ? Math.round(value) : value}`)
}

async function* half(some: readonly string[], concurrency: number, timeout: number): AsyncGenerator<TestEvent> {
  if (some.length === 0) return
  for await (const event of run({ files: [...some], concurrency, timeout }) as AsyncIterable<TestEvent>) {
    const summary = event.type === 'test:diagnostic' ? /^(\w+) ([\d.]+)$/.exec((event.data as Diagnostic).message) : undefined
    if (summary && (event.data as Diagnostic).nesting === 0 && summaryNames.has(summary[1] ?? '')) {
      totals.set(summary[1] ?? '', (totals.get(summary[1] ?? '') ?? 0) + Number(summary[2]))
      continue
    }
    if (event.type === 'test:summary' && (event.data as { file?: string }).file === undefined) {
      lastSummary = event
      continue
    }
    if (event.type === 'test:fail') failed++
    yield event
  }
}

const summaryNames = new Set(['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo', 'duration_ms'])
const diagnostic = (message: string): TestEvent => ({ type: 'test:diagnostic', data: { nesting: 0, message, level: 'info' } })

if (files.length === 0) {
  console.error(`no test file matches ${filters.join(' ')}`)
  process.exit(1)
}
const checked = quick || filters.length > 0 || check()
await new Promise((resolve) => Readable.from(report()).compose(new spec()).on('end', resolve).pipe(process.stdout))
if (!checked) console.error('\ntypes or lint failed: see the top, or run `npm run check`')
process.exitCode = failed === 0 && checked ? 0 : 1
