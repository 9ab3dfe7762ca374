/** Where one answer ends, and what it says: nothing that two readers could read in two ways is read at all. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chanceOf, runSeed } from '../../../test/random.ts'
import type { Headers } from '../../core/http.ts'
import { MAX_HEAD, type Read, read, recorder, type Told } from './fixtures/readings.ts'
import { HttpSyntaxError, type ResponseHandler, ResponseReader } from './read-response.ts'

interface Good {
  readonly name: string
  readonly answer: string
  readonly told: readonly Told[]
  readonly closed?: true
}

const good: readonly Good[] = [
  {
    name: 'a length',
    answer: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
    told: [
      ['head', 200, { 'content-length': '5' }],
      ['data', 'hello'],
      ['end', undefined],
    ],
  },
  {
    name: 'an empty body',
    answer: 'HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n',
    told: [
      ['head', 500, { 'content-length': '0' }],
      ['end', undefined],
    ],
  },
  {
    name: 'chunks with extensions and trailers, which are left out',
    answer:
      'HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n5;a=b;c="d"\r\nhello\r\n00B \t;x\r\n, all of it\r\n0;z\r\nx-sum: 1\r\ny: 2\r\n\r\n',
    told: [
      ['head', 200, { 'transfer-encoding': 'Chunked' }],
      ['data', 'hello, all of it'],
      ['end', undefined],
    ],
  },
  {
    name: 'chunks that hold what looks like framing',
    answer: 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n',
    told: [
      ['head', 200, { 'transfer-encoding': 'chunked' }],
      ['data', '\r\n0\r\n\r\n'],
      ['end', undefined],
    ],
  },
  {
    name: 'no chunk but the last',
    answer: 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n000\r\n\r\n',
    told: [
      ['head', 200, { 'transfer-encoding': 'chunked' }],
      ['end', undefined],
    ],
  },
  {
    name: 'a body until the host closes',
    answer: 'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
    told: [
      ['head', 200, { 'content-type': 'text/plain' }],
      ['data', 'HTTP/1.1 200 OK\r\n\r\n'],
      ['end', 0],
    ],
    closed: true,
  },
  {
    name: 'nothing until the host closes',
    answer: 'HTTP/1.1 200 OK\r\n\r\n',
    told: [
      ['head', 200, {}],
      ['end', 0],
    ],
    closed: true,
  },
  {
    name: '204',
    answer: 'HTTP/1.1 204 No Content\r\nx: y\r\n\r\n',
    told: [
      ['head', 204, { x: 'y' }],
      ['end', undefined],
    ],
  },
  {
    name: '304, with the length of what it does not send',
    answer: 'HTTP/1.1 304 Not Modified\r\ncontent-length: 10\r\n\r\n',
    told: [
      ['head', 304, { 'content-length': '10' }],
      ['end', 0],
    ],
  },
  {
    name: '204 that announces chunks',
    answer: 'HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\n\r\n',
    told: [
      ['head', 204, { 'transfer-encoding': 'chunked' }],
      ['end', 0],
    ],
  },
  {
    name: '100 and 103 before the answer',
    answer:
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\ncontent-length: 9\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok',
    told: [
      ['head', 200, { 'content-length': '2' }],
      ['data', 'ok'],
      ['end', undefined],
    ],
  },
  {
    name: 'HTTP/1.0 ends its connection',
    answer: 'HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok',
    told: [
      ['head', 200, { 'content-length': '2' }],
      ['data', 'ok'],
      ['end', 0],
    ],
  },
  {
    name: 'HTTP/1.0 with keep-alive does not',
    answer: 'HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\ncontent-length: 2\r\n\r\nok',
    told: [
      ['head', 200, { connection: 'Keep-Alive', 'content-length': '2' }],
      ['data', 'ok'],
      ['end', undefined],
    ],
  },
  {
    name: 'repeated headers are joined, names in lower case',
    answer: 'HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nX_Y: z\r\nset-cookie: b=2\r\nSET-COOKIE:\r\ncontent-length: 0\r\n\r\n',
    told: [
      ['head', 200, { 'set-cookie': 'a=1, b=2, ', x_y: 'z', 'content-length': '0' }],
      ['end', undefined],
    ],
  },
  {
    name: 'blanks around values are not part of them, Latin-1 and colons are',
    answer: 'HTTP/1.1 200 Sch\xf6n\r\na:\t x\ty \t\r\nb: caf\xe9:1\r\nc:\r\nd: \t \r\ncontent-length:\t0\t\r\n\r\n',
    told: [
      ['head', 200, { a: 'x\ty', b: 'caf\xe9:1', c: '', d: '', 'content-length': '0' }],
      ['end', undefined],
    ],
  },
  {
    name: 'names that every object has',
    answer: 'HTTP/1.1 200 OK\r\nconstructor: a\r\ntoString: b\r\ncontent-length: 0\r\n\r\n',
    told: [
      ['head', 200, { constructor: 'a', tostring: 'b', 'content-length': '0' } as unknown as Headers],
      ['end', undefined],
    ],
  },
  ...['HTTP/1.1 299', 'HTTP/1.1 299 ', 'HTTP/1.1 299  two blanks'].map(
    (line): Good => ({
      name: `the status line ${JSON.stringify(line)}`,
      answer: `${line}\r\ncontent-length: 0\r\n\r\n`,
      told: [
        ['head', 299, { 'content-length': '0' }],
        ['end', undefined],
      ],
    }),
  ),
]

for (const { name, answer, told, closed = false } of good)
  test(`reads ${name}, however it is cut`, () => {
    const whole: Read = { told, closed }
    assert.deepEqual(read([answer]), whole)
    assert.deepEqual(read([...answer]), whole, 'byte by byte')
    for (let at = 1; at < answer.length; at++) assert.deepEqual(read([answer.slice(0, at), answer.slice(at)]), whole, `cut at ${at}`)
    for (let at = 1; at < answer.length - 3; at++)
      assert.deepEqual(read([answer.slice(0, at), answer.slice(at, at + 3), answer.slice(at + 3)]), whole, `three bytes alone at ${at}`)
  })

test('what the host says of keeping the connection is told with the end', () => {
  for (const [headers, keepMs] of [
    ['', undefined],
    ['connection: keep-alive', undefined],
    ['connection: close', 0],
    ['Connection: Foo, CLOSE', 0],
    ['connection: foo\r\nconnection: close', 0],
    ['keep-alive: timeout=5', 4_000],
    ['keep-alive: max=100, timeout=5', 4_000],
    ['Keep-Alive: Timeout=5, max=100', 4_000],
    ['keep-alive: timeout=1', 0],
    ['keep-alive: timeout=0', 0],
    ['keep-alive: timeout=-5', undefined],
    ['keep-alive: max=5', undefined],
    ['connection: close\r\nkeep-alive: timeout=5', 0],
  ] as const) {
    const { told } = read([`HTTP/1.1 200 OK\r\n${headers ? `${headers}\r\n` : ''}content-length: 1\r\n\r\n.`])
    assert.deepEqual(told.at(-1), ['end', keepMs], headers)
  }
})

test('chunks in an answer of HTTP/1.0 end its connection, since not all on the way know them', () => {
  const { told } = read(['HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'])
  assert.deepEqual(told.slice(1), [
    ['data', 'ok'],
    ['end', 0],
  ])
})

const ok = 'HTTP/1.1 200 OK\r\n'
const chunked = `${ok}transfer-encoding: chunked\r\n\r\n`
const broken: Readonly<Record<string, readonly string[]>> = {
  'two framings': [
    `${ok}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n`,
    `${ok}transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n`,
    `${ok}transfer-encoding: identity\r\ncontent-length: 5\r\n\r\n`,
  ],
  'a transfer encoding other than chunked': [
    'gzip, chunked',
    'chunked, gzip',
    'identity',
    'chunked, chunked',
    'xchunked',
    '"chunked"',
    '',
  ].map((encoding) => `${ok}transfer-encoding: ${encoding}\r\n\r\n`),
  'chunked, twice': [`${ok}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n`],
  'two lengths': [
    `${ok}content-length: 5\r\ncontent-length: 6\r\n\r\n`,
    `${ok}content-length: 5\r\ncontent-length: 5\r\n\r\n`,
    `${ok}content-length: 5, 5\r\n\r\n`,
  ],
  'a length that is none': ['', '-1', '+5', '0x5', '5 5', '5.0', '5e1', '1234567890123456', 'five', '\xb2'].map(
    (length) => `${ok}content-length: ${length}\r\n\r\n`,
  ),
  'a size of a chunk that is none': [
    '',
    '-5',
    '+5',
    ' 5',
    '\t5',
    '5 5',
    '0x5',
    'g',
    '5,',
    '5.0',
    '1000000000000',
    '5;a\0',
    '5;a\nb',
    '5\r',
  ].map((size) => `${chunked}${size}\r\nhello\r\n`),
  'a chunk that is longer than it says': [`${chunked}4\r\nhello\r\n`, `${chunked}5\r\nhello!\r\n`, `${chunked}5\r\nhello0\r\n\r\n`],
  'a chunk that ends in one byte only': [`${chunked}5\r\nhello\n0\r\n\r\n`, `${chunked}5\r\nhello\r0\r\n\r\n`],
  'lines that end in a line feed alone': [
    'HTTP/1.1 200 OK\ncontent-length: 0\r\n\r\n',
    `${ok}a: b\ncontent-length: 0\r\n\r\n`,
    `${ok}a: b\n\r\n\r\n`,
    `${chunked}5\nhello\r\n0\r\n\r\n`,
  ],
  'lines that end in a carriage return alone': ['HTTP/1.1 200 OK\rcontent-length: 0\r\n\r\n', `${ok}a: b\rcontent-length: 0\r\n\r\n`],
  'folded lines': [`${ok}a: b\r\n c\r\n\r\n`, `${ok}a: b\r\n\tc: d\r\n\r\n`, `${ok} a: b\r\n\r\n`, `${ok}a: b\r\n \r\nc: d\r\n\r\n`],
  'control characters': ['\0', '\x01', '\x08', '\x0b', '\x0c', '\x1b', '\x1f', '\x7f'].flatMap((code) => [
    `${ok}a: x${code}y\r\n\r\n`,
    `${ok}a${code}: x\r\n\r\n`,
    `HTTP/1.1 200 O${code}K\r\n\r\n`,
  ]),
  'header lines that are none': ['a', ': b', 'a b: c', 'a : b', 'a\t: b', '(a): b', 'caf\xe9: b', 'a[]: b', '__proto__ : b'].map(
    (line) => `${ok}${line}\r\nc: d\r\n\r\n`,
  ),
  'another protocol': ['HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n'],
  'a bad status line': [
    'HTTP/1.1 20 OK',
    'HTTP/1.1 2000 OK',
    'HTTP/1.1 099 OK',
    'HTTP/1.1 000 OK',
    'HTTP/1.1 +20 OK',
    'HTTP/1.1  200 OK',
    'HTTP/1.1\t200 OK',
    'HTTP/1.1 200OK',
    'HTTP/1.1 200\tOK',
    'HTTP/1.1',
    'HTTP/1.2 200 OK',
    'HTTP/2 200 OK',
    'HTTP/0.9 200 OK',
    'HTTP/11.1 200 OK',
    'http/1.1 200 OK',
    ' HTTP/1.1 200 OK',
    '\r\nHTTP/1.1 200 OK',
    'GET / HTTP/1.1',
    'hello',
    '',
  ].map((line) => `${line}\r\n\r\n`),
  'bytes after the end': [
    `${ok}content-length: 5\r\n\r\nhello!`,
    `${ok}content-length: 0\r\n\r\n\r\n`,
    `${chunked}0\r\n\r\n\n`,
    `${chunked}0\r\n\r\n${ok}content-length: 0\r\n\r\n`,
    'HTTP/1.1 204 No Content\r\n\r\nx',
    'HTTP/1.1 304 Not Modified\r\ncontent-length: 1\r\n\r\nx',
    `${ok}connection: close\r\ncontent-length: 0\r\n\r\nx`,
  ],
  'a head that is too large': [`${ok}a: ${'x'.repeat(MAX_HEAD)}\r\n\r\n`, `${ok}a: ${'x'.repeat(2 * MAX_HEAD)}`, 'x'.repeat(2 * MAX_HEAD)],
  'trailers that are no header lines': ['a: b\nc: d', '\n', 'no header', 'a: \0', ' folded: x', 'a : b', 'a: b\r\n c: d'].map(
    (lines) => `${chunked}0\r\n${lines}\r\n\r\n`,
  ),
  'trailers that are too large': [
    `${chunked}0\r\n${'a:\r\n'.repeat(400)}`,

    `${chunked}0\r\n${`a: ${'x'.repeat(96)}\r\n`.repeat(11)}\r\n`,
    `${chunked}0\r\na: ${'x'.repeat(MAX_HEAD)}\r\n\r\n`,
  ],
  'a line that is too long': [
    `${chunked}5;${'x'.repeat(5_000)}\r\nhello\r\n`,
    `${chunked}5;${'x'.repeat(5_000)}`,
    `${chunked}${'0'.repeat(5_000)}`,
    `${chunked}0\r\na: ${'x'.repeat(5_000)}`,
  ],
}

for (const [name, answers] of Object.entries(broken))
  test(`refuses ${name}, however it is cut`, () => {
    for (const answer of answers) {
      const shown = JSON.stringify(answer.slice(0, 200))
      assert.throws(() => read([answer]), HttpSyntaxError, shown)
      assert.throws(() => read([...answer]), HttpSyntaxError, `${shown}, byte by byte`)
      for (let at = 1; at < Math.min(answer.length, 200); at++)
        assert.throws(() => read([answer.slice(0, at), answer.slice(at)]), HttpSyntaxError, `${shown}, cut at ${at}`)
    }
  })

test('nothing of a refused head is told', () => {
  for (const answer of [...broken['two framings']!, ...broken['two lengths']!, ...broken['a bad status line']!]) {
    const handler = recorder()
    const reader = new ResponseReader(handler, MAX_HEAD)
    reader.next()
    assert.throws(() => reader.push(Buffer.from(answer, 'latin1')))
    assert.deepEqual(handler.told, [], JSON.stringify(answer))
  }
})

test('a larger answer is the same in any pieces', () => {
  const seed = runSeed()
  const chance = chanceOf(seed)
  for (let round = 0; round < 300; round++) {
    const size = chance.below(20_000)
    const body = Buffer.from(Array.from({ length: size }, () => chance.below(256)))
    const extra = Array.from({ length: chance.below(6) }, (_, at) => `x-${at}: ${'v'.repeat(chance.below(100))}\r\n`).join('')
    const hints = chance.one(0.3) ? 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n' : ''
    const framing = chance.pick(['length', 'chunks', 'until-close'] as const)
    const parts = [
      Buffer.from(
        `${hints}${ok}${extra}${{ length: `content-length: ${size}\r\n`, chunks: 'transfer-encoding: chunked\r\n', 'until-close': '' }[framing]}\r\n`,
      ),
    ]
    if (framing !== 'chunks') parts.push(body)
    else {
      for (let at = 0; at < size; ) {
        const length = Math.min(size - at, 1 + chance.below(chance.pick([3, 300, 9_000])))
        parts.push(
          Buffer.from(`${length.toString(16)}${chance.one(0.2) ? ';x=y' : ''}\r\n`),
          body.subarray(at, at + length),
          Buffer.from('\r\n'),
        )
        at += length
      }
      parts.push(Buffer.from(`0\r\n${chance.one(0.3) ? 'x-sum: 1\r\n' : ''}\r\n`))
    }
    const answer = Buffer.concat(parts)
    const whole = read([answer])
    assert.equal(whole.told[1]?.[0] === 'data' ? whole.told[1][1] : '', body.toString('latin1'), `seed ${seed}, round ${round}`)
    assert.deepEqual([whole.told[0]?.[0], whole.told.at(-1)?.[0], whole.closed], ['head', 'end', framing === 'until-close'])
    const pieces: Buffer[] = []
    const most = chance.pick([2, 40, 1_500, 8_000])
    for (let at = 0; at < answer.length; ) {
      const length = 1 + chance.below(most)
      pieces.push(answer.subarray(at, at + length))
      at += length
    }
    assert.deepEqual(read(pieces), whole, `seed ${seed}, round ${round}`)
  }
})

test('whether a head or a line is too large does not depend on how it is cut', () => {
  const verdict = (pieces: readonly string[], maxHead: number): string => {
    try {
      read(pieces, maxHead)
      return 'read'
    } catch (error) {
      return (error as Error).message
    }
  }
  const answer = `${ok}content-length: 0\r\n\r\n`
  for (let maxHead = answer.length - 8; maxHead < answer.length + 2; maxHead++)
    for (let at = 1; at < answer.length; at++)
      assert.equal(
        verdict([answer.slice(0, at), answer.slice(at)], maxHead),
        verdict([answer], maxHead),
        `at most ${maxHead}, cut at ${at} of ${answer.length}`,
      )
  for (const length of [4_095, 4_096, 4_097]) {
    const line = `0;${'x'.repeat(length - 2)}\r\n\r\n`
    for (const at of [length, length + 1])
      assert.equal(
        verdict([chunked, line.slice(0, at), line.slice(at)], MAX_HEAD),
        verdict([chunked, line], MAX_HEAD),
        `a line of ${length}, cut at ${at}`,
      )
  }
})

test('closing ends only what lasts until then', () => {
  for (const [answer, closed] of [
    ['', false],
    ['HTTP/1.1 200', false],
    ['HTTP/1.1 100 Continue\r\n\r\n', false],
    [`${ok}content-length: 5\r\n\r\nhell`, false],
    [`${ok}content-length: 5\r\n\r\nhello`, false],
    [`${chunked}5\r\nhello\r\n`, false],
    [`${chunked}5\r\nhello\r\n0\r\n`, false],
    [`${ok}\r\nhello`, true],
  ] as const)
    assert.equal(read([answer]).closed, closed, JSON.stringify(answer))
})

test('what comes before anything was asked is refused', () => {
  const reader = new ResponseReader(recorder(), MAX_HEAD)
  assert.equal(reader.close(), false)
  reader.push(Buffer.alloc(0))
  assert.throws(() => reader.push(Buffer.from('H')), HttpSyntaxError)
})

test('answers follow each other, one for each request', () => {
  const handler = recorder()
  const reader = new ResponseReader(handler, MAX_HEAD)
  for (let round = 0; round < 3; round++) {
    reader.next()
    // Each of these trailers is small enough alone.
    reader.push(Buffer.from(`${chunked}1\r\n${round}\r\n0\r\na: ${'x'.repeat(MAX_HEAD / 2)}\r\n\r\n`))
  }
  assert.deepEqual(
    handler.told.flatMap((told) => (told[0] === 'data' ? [told[1]] : [])),
    ['0', '1', '2'],
  )
})

test('nothing is told after stop()', () => {
  for (const when of ['head', 'data', 'never'] as const)
    for (const answer of [
      `${ok}content-length: 10\r\n\r\nhello`,
      `${chunked}5\r\nhello\r\n5\r\nagain\r\n0\r\n\r\n`,
      `${ok}\r\nhello`,
      `${ok}content-length: 5\r\n\r\nhello`,
      'HTTP/1.1 204 x\r\n\r\n',
    ]) {
      const handler = recorder()
      const stopping: ResponseHandler = {
        head(status, headers) {
          handler.head(status, headers)
          if (when === 'head') reader.stop()
        },
        data(bytes) {
          handler.data(bytes)
          if (when === 'data') reader.stop()
        },
        end: handler.end,
      }
      const reader = new ResponseReader(stopping, MAX_HEAD)
      reader.next()
      reader.push(Buffer.from(answer))
      const before = when === 'never' ? [...handler.told] : handler.told.slice(0, when === 'head' ? 1 : 2)
      reader.stop()
      reader.push(Buffer.from('world and more that nobody asked for'))
      reader.close()
      // An answer without data has no place to stop in it.
      if (when !== 'data' || answer.includes('hello')) assert.deepEqual(handler.told, before, `${when}: ${JSON.stringify(answer)}`)
    }
})
