/** Real, recorded traffic through a gateway started with `npm start`, judged by programs that share no code with it. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const programs = fileURLToPath(new URL('../../shared/conformance', import.meta.url))
const skip = existsSync(programs) ? false : 'skipped: no ../shared'

test('every recorded answer reaches every kind of client whole', { skip }, () => passes('answers.mjs', '--truncate', '200'))
test('every recorded request reaches every kind of provider whole', { skip }, () => passes('requests.mjs'))

async function passes(program: string, ...args: readonly string[]): Promise<void> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const child = spawn(process.execPath, [`${programs}/${program}`, ...args], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const keep = (text: string): void => {
    output = (output + text).slice(-20_000)
  }
  child.stdout.setEncoding('utf8').on('data', keep)
  child.stderr.setEncoding('utf8').on('data', keep)
  const code = await new Promise<number | null>((resolve, reject) => child.once('close', resolve).once('error', reject))
  const verdict = output.trimEnd().split('\n').at(-1) ?? ''
  console.log(`${program}: ${verdict}`)
  assert.equal(code, 0, `${program} ended with ${code}\n${output}`)
  assert.match(verdict, /^[1-9]\d* passed, 0 failed/)
}
