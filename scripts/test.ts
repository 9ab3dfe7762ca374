/**
 * Runs the tests: `npm test` everything (types, lint, unit tests, then the slow and the end-to-end ones two side by side),
 * `npm run test:quick` unit tests only. Further words keep the files whose path contains one of them.
 */
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { Readable } from 'node:stream'
import { spec } from 'node:test/reporters'
import { check } from './check.ts'
import { createTally, type TestEvent } from './test/events.ts'
import { alone, shared } from './test/shared.ts'

const words = process.argv.slice(2)
const quick = words[0] === 'quick'
const filters = quick ? words.slice(1) : words

const files = globSync(['src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'])
  .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)))
  .toSorted()
const isLong = (file: string): boolean => /\.(e2e|slow)\.test\.ts$/.test(file)

const tally = createTally()

/** Both halves as one report: their numbers are added up and told once, at the end. */
async function* report(): AsyncGenerator<TestEvent> {
  for await (const event of halves()) {
    tally.note(event)
    yield event
  }
  yield* tally.end()
}

async function* halves(): AsyncGenerator<TestEvent> {
  yield* shared(
    // Those of the whole gateway begin, for they take longer. More processes than cores, for they also wait.
    files.filter((file) => !isLong(file)).toReversed(),
    { processes: Math.min(8, 2 * availableParallelism()), testMs: 60_000, silenceMs: 90_000 },
  )
  // These mostly wait: two side by side on two cores.
  if (!quick) yield* alone(files.filter(isLong), { concurrency: Math.min(2, availableParallelism()), timeout: 500_000 })
}

if (files.length === 0) {
  console.error(`no test file matches ${filters.join(' ')}`)
  process.exit(1)
}
const checked = quick || filters.length > 0 || check()
await new Promise((resolve) => Readable.from(report()).compose(new spec()).on('end', resolve).pipe(process.stdout))
if (!checked) console.error('\ntypes or lint failed: see the top, or run `npm run check`')
process.exitCode = tally.failed() || !checked ? 1 : 0
