/** Real, recorded traffic through a gateway started with `npm start`, judged by programs that share no code with it. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const programs = fileURLToPath(new URL('../../shared/conformance', import.meta.url))
const skip = existsSync(programs) ? false : 'skipped: no ../shared'

/** Recordings whose expectation cannot be met, and why. Nothing else may fail. */
const DISPUTED: Readonly<Record<string, string>> = {
  'openai/responses/ai--openai-responses-openai-shell-container.1-stream':
    'its text deltas and its final text are two different sentences: what has been streamed cannot be taken back',
  'groq/chat.completions/req_llm-b--groq-deepseek_r1_distill_llama_70b-reasoning_streaming':
    'cut inside: the cut text is compared with one that still holds the <think> block, which may move',
  'openai/responses/mirascope--test_refusal-openai_gpt_4o_responses-stream':
    'cut inside: a refusal that has to stand as text is compared with a text that leaves refusals out',
}

test('every recorded answer reaches every kind of client whole', { skip }, () => passes('answers.mjs', '--truncate', '200'))
test('every recorded request reaches every kind of provider whole', { skip }, () => passes('requests.mjs'))

async function passes(program: string, ...args: readonly string[]): Promise<void> {
  const failures = mkdtempSync(join(tmpdir(), 'signalbox-conformance-'))
  try {
    const { code, output } = await runProgram(program, [...args, '--fail-dir', failures])
    const verdict = output.trimEnd().split('\n').at(-1) ?? ''
    console.log(`${program}: ${verdict}`)
    assert.match(verdict, /^[1-9]\d* passed, \d+ failed/, output)
    const failed = failedIds(failures)
    const unexplained = failed.filter((id) => DISPUTED[id] === undefined)
    assert.deepEqual(unexplained, [], output)
    for (const id of failed) console.log(`disputed: ${id}: ${DISPUTED[id]}`)
    assert.equal(code, failed.length === 0 ? 0 : 1, output)
  } finally {
    rmSync(failures, { recursive: true, force: true })
  }
}

function failedIds(directory: string): readonly string[] {
  const lines = readdirSync(directory).flatMap((name) => readFileSync(join(directory, name), 'utf8').trim().split('\n'))
  return [...new Set(lines.filter((line) => line !== '').map((line) => String((JSON.parse(line) as { id?: unknown }).id)))]
}

async function runProgram(program: string, args: readonly string[]): Promise<{ readonly code: number | null; readonly output: string }> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const child = spawn(process.execPath, [`${programs}/${program}`, ...args], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const keep = (text: string): void => {
    output = (output + text).slice(-20_000)
  }
  child.stdout.setEncoding('utf8').on('data', keep)
  child.stderr.setEncoding('utf8').on('data', keep)
  const code = await new Promise<number | null>((resolve, reject) => child.once('close', resolve).once('error', reject))
  return { code, output }
}
