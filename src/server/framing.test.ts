/** Where one request ends and the next begins: nothing that two readers could read in two ways is read at all. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { casesOf, type RawCase, skip } from '../../test/bad-input/http-cases.ts'
import { hello, httpRig, statuses } from './fixtures/http-rig.ts'

const { under, raw, close } = await httpRig()
after(close)

/** Runs cases some at a time. */
async function each(cases: readonly RawCase[], run: (one: RawCase) => Promise<void>): Promise<void> {
  const queue = [...cases]
  const work = async (): Promise<void> => {
    for (let one = queue.shift(); one; one = queue.shift()) await run(one)
  }
  await Promise.all(Array.from({ length: 24 }, work))
}

test('requests with two framings are refused with the connection, or read by one rule', { skip }, async () => {
  under.sent()
  await each(casesOf('smuggler_te_mutations.jsonl'), async (one) => {
    const { text, closed } = await raw(Buffer.from(one.raw_b64, 'base64'))
    const [first, second] = statuses(text)
    assert.ok(first !== undefined && first >= 400 && first < 500, `${one.name}: ${text.slice(0, 200)}`)
    assert.equal(second, undefined, `${one.name}: a second request was read\n${text}`)
    // Read by `content-length`, the body is no JSON; the connection may live on.
    if (!closed) assert.match(text, /not valid JSON/, one.name)
  })
  assert.deepEqual(under.sent(), [])
})

test('requests that real servers misread are refused, or read once', { skip }, async () => {
  await each(casesOf('http_garden_payloads.jsonl'), async (one) => {
    const bytes = Buffer.from(one.raw_b64, 'base64')
    const { text } = await raw(bytes)
    const written = bytes.toString('latin1').match(/ HTTP\/1\.\d/g)?.length ?? 0
    // What cannot be read at all is answered once, whatever it holds.
    assert.ok(statuses(text).length <= written + 1, `${one.name}: ${text.slice(0, 300)}`)
    assert.ok(statuses(text).filter((status) => status !== 400).length <= written, `${one.name}: ${text.slice(0, 300)}`)
    assert.ok(!statuses(text).some((status) => status >= 500), `${one.name}: ${text.slice(0, 300)}`)
  })
})

test('what a strict parser refuses is refused, lenient modes included', { skip }, async () => {
  const wrong: string[] = []
  await each(
    casesOf('llhttp_cases.jsonl').filter(({ meta }) => meta?.type.startsWith('request')),
    async (one) => {
      const bytes = Buffer.from(one.raw_b64, 'base64')
      const { text } = await raw(bytes)
      if (statuses(text).some((status) => status >= 500)) wrong.push(`${one.name}: ${text.slice(0, 100)}`)
      // A connection that ends without a word, or waits for more, is a refusal too.
      if (one.expect === 'error' && statuses(text).every((status) => status === 200) && text !== '')
        wrong.push(`${one.name}: ${text.slice(0, 100)}`)
    },
  )
  assert.deepEqual(wrong, [])
})

test('a transfer encoding other than plain chunked is a 400, and the connection ends', async () => {
  const body = hello()
  const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
  for (const [encoding, status] of [
    ['chunked', 200],
    ['Chunked', 200],
    ['gzip, chunked', 400],
    ['identity, chunked', 400],
    [',chunked', 400],
    ['chunked, chunked', 400],
  ] as const) {
    const { text, closed } = await raw(`POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ntransfer-encoding: ${encoding}\r\n\r\n${chunked}`)
    assert.deepEqual(statuses(text), [status], `${encoding}: ${text}`)
    if (status === 400) assert.ok(closed)
  }
})

test('a caller’s framing and connection headers never go upstream', async () => {
  under.sent()
  const body = hello()
  await raw(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: evil.example\r\nconnection: keep-alive, x-hop\r\nx-hop: 1\r\nkeep-alive: timeout=5\r\nte: trailers\r\nexpect: 100-continue\r\nproxy-authorization: x\r\ntransfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
  )
  const [sent] = under.sent()
  assert.ok(sent)
  assert.deepEqual(Object.keys(sent.headers).toSorted(), ['accept', 'content-type'])
})
