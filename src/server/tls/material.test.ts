import assert from 'node:assert/strict'
import { createPrivateKey } from 'node:crypto'
import { test } from 'node:test'
import { selfSigned } from '../../../test/self-signed.ts'
import { parseConfig } from '../../config/parse.ts'
import type { TlsConfig } from '../../config/schema-server.ts'
import { MaterialError, readMaterial } from './material.ts'

const pair = selfSigned()
const other = selfSigned()
const locked = createPrivateKey(pair.key)
  .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'open sesame' })
  .toString()
const files: Readonly<Record<string, string>> = {
  'cert.pem': pair.cert,
  'chain.pem': `${pair.cert}${other.cert}`,
  'backwards.pem': `${other.cert}${pair.cert}`,
  'key.pem': pair.key,
  'other.pem': other.key,
  'locked.pem': locked,
  'empty.pem': '',
  'text.pem': 'hello',
  'broken.pem': pair.cert.replace(/\n[A-Za-z0-9+/]{10}/, '\nAAAAAAAAAA'),
}
const sources = {
  env: { KEY: pair.key, WORDS: 'open sesame', WRONG: 'guess' },
  readFile(path: string): string {
    const text = files[path]
    if (text === undefined) throw Object.assign(new Error('no'), { code: 'ENOENT' })
    return text
  },
}
const whole: TlsConfig = { cert: 'cert.pem', key: 'key.pem', clients: 'none', minVersion: '1.2', http2: true }
const read = (written: Partial<TlsConfig>, now?: number) => readMaterial({ ...whole, ...written }, sources, now)

test('certificate and key are read from paths, references and variables', () => {
  for (const written of [
    {},
    { cert: 'file:cert.pem', key: 'file:key.pem' },
    { key: 'env:KEY' },
    { cert: 'chain.pem' },
    { ca: 'cert.pem' },
  ]) {
    const { options, told, warning } = read(written)
    assert.match(told, /^localhost, until \d{4}-\d\d-\d\d$/)
    assert.equal(warning, undefined)
    assert.equal(options.minVersion, 'TLSv1.2')
  }
  assert.equal(read({ key: 'locked.pem', passphrase: 'env:WORDS' }).options.passphrase, 'open sesame')
  assert.equal(read({ minVersion: '1.3' }).options.minVersion, 'TLSv1.3')
})

const faults: readonly [name: string, written: Partial<TlsConfig>, said: RegExp][] = [
  ['a file that is not there', { cert: 'gone.pem' }, /^server\.tls\.cert: the file gone\.pem cannot be read \(ENOENT\) → check the path/],
  ['an empty file', { key: 'empty.pem' }, /^server\.tls\.key: the file empty\.pem is empty → put it, in PEM, into it/],
  ['a variable that is not set', { key: 'env:NOBODY' }, /^server\.tls\.key: the environment variable NOBODY is not set → export NOBODY=/],
  ['a file without a certificate', { cert: 'text.pem' }, /^server\.tls\.cert: text\.pem holds no certificate → write the path/],
  ['the wrong way round', { cert: 'key.pem', key: 'cert.pem' }, /^server\.tls\.cert: .*wrong way round/],
  ['a file without a key', { key: 'cert.pem' }, /^server\.tls\.key: cert\.pem holds no private key → /],
  ['a certificate that is damaged', { cert: 'broken.pem' }, /^server\.tls\.cert: broken\.pem /],
  ["another certificate's key", { key: 'other.pem' }, /^server\.tls\.key: other\.pem is not the key of the certificate in cert\.pem → /],
  ['a chain in the wrong order', { cert: 'backwards.pem' }, /^server\.tls\.key: key\.pem is not the key of .*before intermediate ones/],
  ['a locked key', { key: 'locked.pem' }, /^server\.tls\.passphrase: locked\.pem is locked, and nothing opens it → write what opens it/],
  ['a wrong passphrase', { key: 'locked.pem', passphrase: 'env:WRONG' }, /^server\.tls\.passphrase: .*this does not open it/],
  ['authorities that are none', { ca: 'text.pem' }, /^server\.tls\.ca: text\.pem holds no certificate/],
]
for (const [name, written, said] of faults)
  test(`${name} is told in one line with path and remedy`, () => {
    assert.throws(
      () => read(written),
      (error: Error) => {
        assert.ok(error instanceof MaterialError)
        assert.match(error.message, said)
        assert.doesNotMatch(error.message, /\n|MI[GI]|sesame|guess/)
        return true
      },
    )
  })

test('a certificate that has expired, or is not valid yet, is served with, and told of', () => {
  const day = 86_400_000
  assert.match(read({}, Date.now() + 3 * day).warning ?? '', /cert\.pem has expired on .* → have it renewed/)
  assert.match(read({}, Date.now() - 3 * day).warning ?? '', /cert\.pem is valid only from /)
})

const parse = (tls: object, server: object = {}) => parseConfig({ server: { ...server, tls } }, { env: {} })

test('the configuration needs certificate and key, and knows the rest', () => {
  const { config, problems } = parse({ cert: 'cert.pem', key: 'file:key.pem' })
  assert.deepEqual(problems, [])
  assert.deepEqual(config?.server.tls, { cert: 'cert.pem', key: 'file:key.pem', clients: 'none', minVersion: '1.2', http2: true })
  assert.equal(parse({ cert: 'c', key: 'k' }, { http2: false }).config?.server.tls?.http2, false)
  assert.equal(parseConfig({}, { env: {} }).config?.server.tls, undefined)
  assert.equal(parse({ cert: 'c', key: 'k' }, { host: '0.0.0.0' }).config?.access.mode, 'keys')
})

const mistakes: readonly [name: string, tls: object, path: string, remedy: RegExp][] = [
  ['no key', { cert: 'c' }, 'server.tls.key', /./],
  ['a key as text', { cert: 'c', key: `${pair.key}` }, 'server.tls.key', /put it into a file/],
  ['a store that opens later', { cert: 'c', key: 'vault:pki/key#pem' }, 'server.tls.key', /file:PATH/],
  ['a passphrase as text', { cert: 'c', key: 'k', passphrase: 'hunter22' }, 'server.tls.passphrase', /env:NAME/],
  ['certificates of callers from nobody in particular', { cert: 'c', key: 'k', clients: 'require' }, 'server.tls.ca', /authorities/],
  ['authorities for nothing', { cert: 'c', key: 'k', ca: 'ca.pem' }, 'server.tls.ca', /clients: require/],
  ['an old version', { cert: 'c', key: 'k', minVersion: '1.1' }, 'server.tls.minVersion', /1\.2/],
  ['a version as a number', { cert: 'c', key: 'k', minVersion: 1.3 }, 'server.tls.minVersion', /`1\.2`, `1\.3`/],
]
for (const [name, tls, path, remedy] of mistakes)
  test(`${name}: refused at ${path}`, () => {
    const { problems } = parse(tls)
    assert.deepEqual(
      problems.map((problem) => problem.path),
      [path],
    )
    assert.match(`${problems[0]?.message} ${problems[0]?.remedy}`, remedy)
    assert.doesNotMatch(JSON.stringify(problems), /BEGIN|hunter22/)
  })

test('open access stays on loopback, TLS or not', () => {
  const { problems } = parseConfig({ server: { host: '0.0.0.0', tls: { cert: 'c', key: 'k' } }, access: { mode: 'open' } }, { env: {} })
  assert.equal(problems[0]?.path, 'access.mode')
})
