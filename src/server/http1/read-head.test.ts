/** What the short way reads itself, and what it leaves to Node's parser: in doubt, the second. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endOfHead, type RequestHead, readHead } from './read-head.ts'

const head = (start: string, ...lines: readonly string[]): string => `${[start, ...lines].join('\r\n')}\r\n\r\n`
const CHAT = 'POST /v1/chat/completions HTTP/1.1'

const taken: readonly [what: string, text: string, read: Partial<RequestHead>][] = [
  [
    'a call as SDKs send it',
    head(CHAT, 'Host: x:8080', 'Content-Type: application/json', 'Authorization: Bearer k', 'Connection: keep-alive', 'Content-Length: 42'),
    {
      method: 'POST',
      target: '/v1/chat/completions',
      headers: {
        host: 'x:8080',
        'content-type': 'application/json',
        authorization: 'Bearer k',
        connection: 'keep-alive',
        'content-length': '42',
      },
      length: 42,
      closes: false,
    },
  ],
  [
    'a head with a host and no more',
    head('GET /v1/models HTTP/1.1', 'host: x'),
    { method: 'GET', length: 0, closes: false, headers: { host: 'x' } },
  ],
  [
    'a query',
    head('POST /v1beta/models/m:streamGenerateContent?alt=sse&a=?b HTTP/1.1', 'host: x'),
    { target: '/v1beta/models/m:streamGenerateContent?alt=sse&a=?b' },
  ],
  ['the root', head('GET / HTTP/1.1', 'host: x'), { target: '/' }],
  ['a path that is no path of ours', head('GET //a/../%00 HTTP/1.1', 'host: x'), { target: '//a/../%00' }],
  ['an empty host', head(CHAT, 'host:'), { headers: { host: '' } }],
  ['a length of nothing', head(CHAT, 'host: x', 'content-length: 0'), { length: 0 }],
  ['a length with zeros before it', head(CHAT, 'host: x', 'content-length: 0042'), { length: 42 }],
  ['a length between blanks', head(CHAT, 'host: x', 'content-length: \t42 '), { length: 42 }],
  ['a GET with a body', head('GET /v1/models HTTP/1.1', 'host: x', 'content-length: 5'), { method: 'GET', length: 5 }],
  ['a caller who closes', head(CHAT, 'host: x', 'connection: close'), { closes: true }],
  ['a caller who closes in capitals', head(CHAT, 'host: x', 'Connection: Close'), { closes: true }],
  ['a caller who stays, in capitals', head(CHAT, 'host: x', 'Connection: Keep-Alive', 'Keep-Alive: timeout=5'), { closes: false }],
  ['a compressed body', head(CHAT, 'host: x', 'content-encoding: gzip', 'content-length: 9'), { length: 9 }],
  [
    'header names like those of unusual ones',
    head(CHAT, 'host: x', 'tes: a', 'x-expect: b', 'trailers: c', 'upgraded: d'),
    { closes: false },
  ],
  ['values in Latin-1', head(CHAT, 'host: x', 'x-a: caf\xe9'), { headers: { host: 'x', 'x-a': 'caf\xe9' } }],
]

for (const [what, text, read] of taken)
  test(`${what} is read here`, () => {
    const got = readHead(text)
    assert.ok(got)
    for (const [member, value] of Object.entries(read)) assert.deepEqual(got[member as keyof RequestHead], value, member)
  })

const left: readonly [what: string, text: string][] = [
  // What changes how the message or its connection is read.
  ['a chunked body', head(CHAT, 'host: x', 'transfer-encoding: chunked')],
  ['a chunked body with a length', head(CHAT, 'host: x', 'content-length: 5', 'Transfer-Encoding: chunked')],
  ['an empty transfer encoding', head(CHAT, 'host: x', 'transfer-encoding:')],
  ['an upgrade', head('GET /v1/responses HTTP/1.1', 'host: x', 'upgrade: websocket')],
  ['an upgrade with its connection', head('GET / HTTP/1.1', 'host: x', 'connection: Upgrade', 'upgrade: h2c')],
  ['an expectation', head(CHAT, 'host: x', 'content-length: 5', 'Expect: 100-continue')],
  ['trailers to come', head(CHAT, 'host: x', 'trailer: x-a')],
  ['trailers that are welcome', head(CHAT, 'host: x', 'TE: trailers')],
  ['a connection of a proxy', head(CHAT, 'host: x', 'proxy-connection: keep-alive')],
  ['a list of connection options', head(CHAT, 'host: x', 'connection: keep-alive, x-hop')],
  ['a list that closes', head(CHAT, 'host: x', 'connection: close, te')],
  ['an empty connection', head(CHAT, 'host: x', 'connection:')],
  ['an option nobody knows', head(CHAT, 'host: x', 'connection: closed')],
  // Methods and versions.
  ...['HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'CONNECT', 'PRI', 'post', 'Get', 'POSTS', ''].map((method): [string, string] => [
    `the method ${JSON.stringify(method)}`,
    head(`${method} / HTTP/1.1`, 'host: x'),
  ]),
  ...['HTTP/1.0', 'HTTP/0.9', 'HTTP/1.2', 'HTTP/2.0', 'HTTP/1.11', 'http/1.1', 'ICE/1.0', ''].map((version): [string, string] => [
    `the version ${JSON.stringify(version)}`,
    head(`GET / ${version}`, 'host: x'),
  ]),
  ['no version', head('GET /', 'host: x')],
  ['a line’s end before the request', `\r\n${head(CHAT, 'host: x')}`],
  ['a blank before the method', head(` ${CHAT}`, 'host: x')],
  ['two blanks before the target', head('GET  / HTTP/1.1', 'host: x')],
  ['two blanks after the target', head('GET /  HTTP/1.1', 'host: x')],
  ['a blank after the version', head('GET / HTTP/1.1 ', 'host: x')],
  ['a tab before the target', head('GET\t/ HTTP/1.1', 'host: x')],
  ['CR after the version', head('GET / HTTP/1.1\r', 'host: x')],
  ['a first line that ends with LF alone', 'GET / HTTP/1.1\nhost: x\r\n\r\n'],
  // Targets.
  ['a target with scheme and host', head('GET http://x/v1/models HTTP/1.1', 'host: x')],
  ['a target that is a host', head('GET x:443 HTTP/1.1', 'host: x')],
  ['a target that is a star', head('GET * HTTP/1.1', 'host: x')],
  ['a target that begins with its query', head('GET ?a HTTP/1.1', 'host: x')],
  ['a blank within the target', head('GET /a b HTTP/1.1', 'host: x')],
  ['a target beyond ASCII', head('GET /caf\xe9 HTTP/1.1', 'host: x')],
  ['NUL in the target', head('GET /a\0 HTTP/1.1', 'host: x')],
  ['DEL in the target', head('GET /a\x7f HTTP/1.1', 'host: x')],
  // The host.
  ['no host', head(CHAT, 'content-length: 5')],
  ['no headers', head(CHAT)],
  ['two hosts', head(CHAT, 'host: x', 'Host: y')],
  ['the same host twice', head(CHAT, 'host: x', 'host: x')],
  // The length.
  ...['', '-1', '+5', '5,5', '5, 5', '5 5', '0x5', '5.0', '1e3', 'five', '1_000', '٥', '9999999999999999'].map(
    (length): [string, string] => [`the length ${JSON.stringify(length)}`, head(CHAT, 'host: x', `content-length: ${length}`)],
  ),
  ['two lengths', head(CHAT, 'host: x', 'content-length: 5', 'content-length: 6')],
  ['the same length twice', head(CHAT, 'host: x', 'content-length: 5', 'Content-Length: 5')],
  // Lines that are none.
  ['any header that is there twice', head(CHAT, 'host: x', 'x-a: 1', 'X-A: 2')],
  ['a blank before a colon', head(CHAT, 'host: x', 'content-length : 5')],
  ['a folded line', head(CHAT, 'host: x', 'x-a: b', ' content-length: 5')],
  ['a line folded at once', head(CHAT, ' host: x', 'host: y')],
  ['a line without a colon', head(CHAT, 'host: x', 'x-a')],
  ['an empty name', head(CHAT, 'host: x', ': a')],
  ['a control character in a value', head(CHAT, 'host: x', 'x-a: \x01')],
  ['LF within a value', head(CHAT, 'host: x', 'x-a: b\ncontent-length: 5')],
  ['CR within a value', head(CHAT, 'host: x', 'x-a: b\rcontent-length: 5')],
  ['a name that every object has, as its prototype', head(CHAT, 'host: x', '__proto__: x')],
]

for (const [what, text] of left)
  test(`${what} is left to Node`, () => {
    assert.equal(readHead(text), undefined)
  })

test('a head ends after its empty line, wherever the bytes end', () => {
  const text = head(CHAT, 'host: x')
  assert.equal(endOfHead(Buffer.from(text)), text.length)
  assert.equal(endOfHead(Buffer.from(`${text}{"a":1}\r\n\r\n`)), text.length)
  for (let cut = 0; cut < text.length; cut++) assert.equal(endOfHead(Buffer.from(text.slice(0, cut))), -1)
  assert.equal(endOfHead(Buffer.from('GET / HTTP/1.1\nhost: x\n\n')), -1)
})

test('a head of more than 16 KB is left to Node', () => {
  const sized = (size: number): string => {
    const bare = head(CHAT, 'host: x', 'x-a: ')
    return head(CHAT, 'host: x', `x-a: ${'a'.repeat(size - bare.length)}`)
  }
  const most = 16 * 1024 + 4
  assert.equal(endOfHead(Buffer.from(sized(most))), most)
  assert.ok(readHead(sized(most)))
  assert.equal(endOfHead(Buffer.from(sized(most + 1))), -1)
})
