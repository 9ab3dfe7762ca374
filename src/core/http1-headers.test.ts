import assert from 'node:assert/strict'
import { test } from 'node:test'
import { headerLines, type NamesBefore, readHeaders } from './http1-headers.ts'

const read = (lines: string, repeated: 'join' | 'refuse' = 'join') => readHeaders(lines, 0, repeated)

// ---- written --------------------------------------------------------------------------------------------------------

test('each header is a line of its own, as it is named and in the order given', () => {
  assert.equal(headerLines({ 'content-type': 'text/plain', 'X-A': 'b' }), 'content-type: text/plain\r\nX-A: b\r\n')
  assert.equal(headerLines({}), '')
})

test('values may be empty, and hold blanks, tabs and Latin-1', () => {
  assert.equal(
    headerLines({ a: '', b: ' x\ty ', c: 'caf\xe9\x80\xff', d: 'a:b, "c"' }),
    'a: \r\nb:  x\ty \r\nc: caf\xe9\x80\xff\r\nd: a:b, "c"\r\n',
  )
})

test('every character of a token may stand in a name', () => {
  const name = "!#$%&'*+-.^_`|~09azAZ"
  assert.equal(headerLines({ [name]: 'x' }), `${name}: x\r\n`)
})

const unsendable: readonly [what: string, name: string, value: string][] = [
  ['a line’s end in a value', 'a', 'b\r\nc: d'],
  ['CR in a value', 'a', 'b\rc'],
  ['LF in a value', 'a', 'b\nc'],
  ['LF at the end of a value', 'a', 'b\n'],
  ['NUL in a value', 'a', 'b\0'],
  ['DEL in a value', 'a', '\x7f'],
  ['a control character in a value', 'a', '\x1b[0m'],
  ['a value beyond Latin-1', 'a', 'Ā'],
  ['a value whose low byte would be LF', 'a', 'b\u010ac'],
  ['a value of emoji', 'a', '🤷'],
  ['an empty name', '', 'x'],
  ['a blank in a name', 'a b', 'x'],
  ['a blank after a name', 'a ', 'x'],
  ['a colon in a name', 'a:b', 'x'],
  ['a line’s end in a name', 'a\r\nb', 'x'],
  ['LF at the end of a name', 'a\n', 'x'],
  ['NUL in a name', 'a\0', 'x'],
  ['a name beyond ASCII', 'café', 'x'],
  ['a separator in a name', 'a(b)', 'x'],
]

for (const [what, name, value] of unsendable)
  test(`${what} is a TypeError, every time`, () => {
    for (const _time of [1, 2]) assert.throws(() => headerLines({ fine: 'x', [name]: value }), TypeError)
  })

// ---- read -----------------------------------------------------------------------------------------------------------

test('names are read in lower case, and stay apart from their values', () => {
  assert.deepEqual(read('Content-Type: text/plain\r\nX-A:b\r\nx-b: c:d\r\n'), { 'content-type': 'text/plain', 'x-a': 'b', 'x-b': 'c:d' })
  assert.deepEqual(read(''), {})
})

test('blanks around a value are no part of it, blanks within it are', () => {
  assert.deepEqual(read('a: \t b \t c\t \r\nb:d\r\n'), { a: 'b \t c', b: 'd' })
})

test('a value may be empty, or nothing but blanks', () => {
  assert.deepEqual(read('a:\r\nb: \t \r\nc: x\r\n'), { a: '', b: '', c: 'x' })
})

test('values are Latin-1', () => {
  assert.deepEqual(read('a: caf\xe9\xa0\r\n'), { a: 'caf\xe9\xa0' })
})

test('what stands before the start is not looked at', () => {
  const text = 'POST / HTTP/1.1\r\na: b\r\n'
  assert.deepEqual(readHeaders(text, text.indexOf('a:'), 'refuse'), { a: 'b' })
})

test('repeated headers are joined in their order, or refused', () => {
  const lines = 'a: 1\r\nb: 2\r\nA: 3\r\na:\r\n'
  assert.deepEqual(read(lines), { a: '1, 3, ', b: '2' })
  assert.equal(read(lines, 'refuse'), undefined)
  assert.equal(read('a:\r\na: 1\r\n', 'refuse'), undefined)
  assert.deepEqual(read('a: 1\r\nab: 1\r\n', 'refuse'), { a: '1', ab: '1' })
})

test('names that every object knows are names like others, and change no object', () => {
  for (const name of ['constructor', 'toString', 'hasOwnProperty', 'valueOf'])
    assert.deepEqual(Object.entries(read(`${name}: x\r\n`) ?? {}), [[name.toLowerCase(), 'x']])
  assert.deepEqual(Object.entries(read('constructor: x\r\nconstructor: y\r\n') ?? {}), [['constructor', 'x, y']])
  const headers = read('__proto__: x\r\na: b\r\n') ?? {}
  assert.equal(Object.getPrototypeOf(headers), Object.prototype)
  assert.equal(headers['a'], 'b')
  assert.equal(({} as Record<string, unknown>)['x'], undefined)
})

test('where names may not be repeated, one that every object knows is refused, or is a header', () => {
  for (const name of ['constructor', '__proto__', 'toString']) {
    const headers = read(`${name}: x\r\n`, 'refuse')
    if (headers) assert.deepEqual(Object.entries(headers), [[name.toLowerCase(), 'x']])
  }
})

const unreadable: readonly [what: string, lines: string][] = [
  ['a line without a colon', 'a: b\r\nc\r\n'],
  ['a last line without a colon after one with two', 'a: b:c\r\nd\r\n'],
  ['a line without a colon before one that has it', 'a\r\nb: c\r\n'],
  ['an empty name', ': b\r\n'],
  ['a blank before the colon', 'a : b\r\n'],
  ['a tab before the colon', 'a\t: b\r\n'],
  ['a blank before the name', ' a: b\r\n'],
  ['a folded line', 'a: b\r\n c\r\n'],
  ['a folded line with a colon', 'a: b\r\n c: d\r\n'],
  ['a line folded with a tab', 'a: b\r\n\tc: d\r\n'],
  ['an empty line', 'a: b\r\n\r\nc: d\r\n'],
  ['a line that ends with LF alone', 'a: b\nc: d\r\n'],
  ['a line that ends with CR alone', 'a: b\rc: d\r\n'],
  ['CR before the line’s end', 'a: b\r\r\n'],
  ['LF at a value’s beginning', 'a:\nb\r\n'],
  ['NUL in a value', 'a: b\0c\r\n'],
  ['DEL in a value', 'a: b\x7fc\r\n'],
  ['a control character in a value', 'a: \x01\r\n'],
  ['a vertical tab at a value’s end', 'a: b\x0b\r\n'],
  ['NUL in a name', 'a\0: b\r\n'],
  ['a name beyond ASCII', 'caf\xe9: b\r\n'],
  ['a separator in a name', 'a(b): c\r\n'],
  ['a text that does not end with its line', 'a: b\r\nc: d'],
]

for (const [what, lines] of unreadable)
  test(`${what} is not read`, () => {
    assert.equal(read(lines), undefined)
    assert.equal(read(lines, 'refuse'), undefined)
  })

test('what is remembered of the message before changes nothing', () => {
  const before: NamesBefore = []
  const messages = [
    'Host: a\r\nX-One: 1\r\nX-Two: 2\r\n',
    'Host: a\r\nX-One: 1\r\nX-Two: 2\r\n',
    'host: b\r\nX-On: 1\r\nX-Twoo: 2\r\nX-Three: 3\r\n',
    'Hos: b\r\nX-One : 1\r\n',
    'Host\r\nX-One: 1\r\n',
    `${'x'.repeat(60)}: 1\r\nX-Two: 2\r\n`,
    'Host: a\r\nX-Two: 2\r\nX-One: 1\r\n',
    'X-Two: 2\r\n',
    '',
    'Host:\r\nX-One:1\r\nX-Two:  2\r\n',
  ]
  for (const message of messages) {
    assert.deepEqual(readHeaders(message, 0, 'join', before), readHeaders(message, 0, 'join'), message)
    assert.deepEqual(readHeaders(message, 0, 'refuse', before), readHeaders(message, 0, 'refuse'), message)
  }
})
