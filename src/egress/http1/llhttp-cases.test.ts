/** The reader of answers on llhttp's own cases. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { casesOf, skip } from '../../../test/bad-input/http-cases.ts'
import { read } from './fixtures/readings.ts'
import { HttpSyntaxError } from './read-response.ts'

/** Where we differ from llhttp, and why that is right. */
const oneAnswer = 'one request, one answer: what follows it is refused'
const lenient = 'a lenient mode of llhttp; there is none here'
const strict = 'llhttp reads it until the host closes; a framing that is not understood is refused here'
const harmless = 'llhttp is stricter with what is skipped: the size is the same to every reader'
const differs: Readonly<Record<string, string>> = {
  'HTTP/1.0 with keep-alive and 204 status': oneAnswer,
  'HTTP/1.1 with 204 status': oneAnswer,
  'HTTP 304 with Content-Length': oneAnswer,
  'HTTP 304 with Transfer-Encoding': oneAnswer,
  'Should parse multiple events': oneAnswer,
  'HTTP/1.1 with keep-alive disabled and 204 status (lenient)': lenient,
  'HTTP/1.1 with keep-alive disabled, content-length (lenient)': lenient,
  'Bare CR after response line (lenient)': lenient,
  'Invalid HTTP version (lenient)': lenient,
  'Invalid OBS fold after chunked value': lenient,
  'No carriage ret (lenient)': lenient,
  'Only LFs present (lenient)': lenient,
  'Only LFs present and no body (lenient)': lenient,
  'HTTP 100 first, then 400': 'an empty line before a status line is refused',
  'Response starting with CRLF': 'an empty line before a status line is refused',
  'HTTP version 0.9': 'only 1.0 and 1.1 are spoken',
  'ICE response': 'another protocol',
  'RTSP response': 'another protocol',
  '`chunked` before other transfer-encoding': strict,
  '`chunkedchunked` transfer-encoding does not enable chunked enconding': strict,
  'multiple transfer-encoding where chunked is not the last one': strict,
  'No extension after semicolon': harmless,
  'Trailing space on chunked body': harmless,
}

test('what a strict parser refuses is refused, and what it reads is read', { skip }, () => {
  const cases = casesOf('llhttp_cases.jsonl').filter(({ meta }) => meta?.type.startsWith('response'))
  assert.ok(cases.length > 50)
  const found: string[] = []
  for (const { name, raw_b64, expect } of cases) {
    let refused = false
    try {
      const { told } = read([Buffer.from(raw_b64, 'base64')], 16_384)
      // Waiting for more is no error to llhttp. To a call it is one when the host closes, so it will do where an error is due.
      refused = expect === 'error' && told.at(-1)?.[0] !== 'end'
    } catch (error) {
      assert.ok(error instanceof HttpSyntaxError, name)
      refused = true
    }
    if (refused !== (expect === 'error')) found.push(name)
  }
  assert.deepEqual(found.toSorted(), Object.keys(differs).toSorted())
})
