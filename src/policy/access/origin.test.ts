import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressText, parseAddress, parseRange } from '../../core/address.ts'
import { createOrigins } from './origin.ts'

const text = (address: string): string | undefined => {
  const parsed = parseAddress(address)
  return parsed === undefined ? undefined : addressText(parsed)
}

test('every spelling of an address is one address', () => {
  assert.equal(text('192.0.2.1'), '192.0.2.1')
  assert.equal(text('::ffff:192.0.2.1'), '192.0.2.1')
  assert.equal(text('::FFFF:c000:201'), '192.0.2.1')
  assert.equal(text('0:0:0:0:0:ffff:192.0.2.1'), '192.0.2.1')
  assert.equal(text('2001:DB8:0:0:0:0:0:1'), '2001:db8::1')
  assert.equal(text('2001:db8::1'), '2001:db8::1')
  assert.equal(text('::1'), '::1')
  assert.equal(text('::'), '::')
  assert.equal(text('fe80::1%eth0'), 'fe80::1')
  assert.equal(text('1:0:0:2:0:0:0:3'), '1:0:0:2::3')
  assert.equal(text('1::'), '1::')
  assert.equal(text('64:ff9b::192.0.2.33'), '64:ff9b::c000:221')
})

test('what is no address is none', () => {
  for (const wrong of [
    '',
    'localhost',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '010.0.0.1',
    '0x7f.0.0.1',
    '2130706433',
    '1.2.3.4 ',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '12345::',
    'g::',
    '::1.2.3.256',
    '[::1]',
  ])
    assert.equal(parseAddress(wrong), undefined, wrong)
})

const contains = (range: string, address: string): boolean | undefined => {
  const parsed = parseAddress(address)
  return parsed === undefined ? undefined : parseRange(range)?.contains(parsed)
}

test('ranges hold what they say, to the bit', () => {
  assert.equal(contains('10.0.0.0/8', '10.255.255.255'), true)
  assert.equal(contains('10.0.0.0/8', '11.0.0.0'), false)
  assert.equal(contains('192.0.2.128/25', '192.0.2.127'), false)
  assert.equal(contains('192.0.2.128/25', '192.0.2.128'), true)
  assert.equal(contains('192.0.2.7', '192.0.2.7'), true)
  assert.equal(contains('192.0.2.7', '192.0.2.6'), false)
  assert.equal(contains('192.0.2.77/24', '192.0.2.1'), true)
  assert.equal(contains('0.0.0.0/0', '203.0.113.1'), true)
  assert.equal(contains('0.0.0.0/0', '2001:db8::1'), false)
  assert.equal(contains('10.0.0.0/8', '::ffff:10.1.2.3'), true)
  assert.equal(contains('::ffff:10.0.0.0/104', '10.1.2.3'), true)
  assert.equal(contains('2001:db8::/33', '2001:db8:8000::'), false)
  assert.equal(contains('2001:db8::/33', '2001:db8:7fff::'), true)
  assert.equal(contains('fc00::/7', 'fdff::1'), true)
  for (const wrong of [
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '::/129',
    '10.0.0/8',
    'fe80::%eth0/64',
    '/8',
    '10.0.0.0/-1',
    '10.0.0.0/08a',
  ])
    assert.equal(parseRange(wrong), undefined, wrong)
})

const from = (ip: string, headers: Record<string, string> = {}) => ({ ip, headers })

test('without trusted proxies nobody is believed about where they are', () => {
  const origins = createOrigins({})
  const origin = origins(from('203.0.113.9', { 'x-forwarded-for': '10.0.0.1', forwarded: 'for=10.0.0.1' }))
  assert.deepEqual([origin.ip, origin.ipClass], ['203.0.113.9', 'external'])
})

test('hops are read from right to left, for as long as the one who speaks is trusted', () => {
  const origins = createOrigins({ trustedProxies: ['10.0.0.0/8', '2001:db8:ff::/48'] })
  const seen = (ip: string, header: string): string | undefined => origins(from(ip, { 'x-forwarded-for': header })).ip
  assert.equal(seen('10.0.0.1', '198.51.100.7'), '198.51.100.7')
  assert.equal(seen('10.0.0.1', '198.51.100.7, 10.0.0.2'), '198.51.100.7')
  // Written by the caller, in the hope that the leftmost counts.
  assert.equal(seen('10.0.0.1', '127.0.0.1, 198.51.100.7'), '198.51.100.7')
  assert.equal(seen('10.0.0.1', '127.0.0.1, 198.51.100.7, 10.0.0.2, 10.0.0.3'), '198.51.100.7')
  assert.equal(seen('198.51.100.1', '10.0.0.9'), '198.51.100.1', 'not a proxy')
  assert.equal(seen('10.0.0.1', '10.0.0.8, 10.0.0.9'), '10.0.0.8', 'all of them trusted: the farthest')
  assert.equal(seen('10.0.0.1', '2001:db8::7'), '2001:db8::7')
  assert.equal(seen('2001:db8:ff::1', '198.51.100.7:4711'), '198.51.100.7')
  assert.equal(seen('10.0.0.1', '[2001:db8::7]:4711'), '2001:db8::7')
  assert.equal(seen('::ffff:10.0.0.1', '::ffff:198.51.100.7'), '198.51.100.7')
  for (const silent of ['unknown', '_hidden', '', '198.51.100.7, nonsense', '198.51.100.7,'])
    assert.equal(seen('10.0.0.1', silent), undefined, silent)
})

test('of the two headers only the configured one counts', () => {
  const both = { 'x-forwarded-for': '198.51.100.7', forwarded: 'for="[2001:db8::7]:4711";proto=https, for=10.0.0.2;by=10.0.0.3' }
  const trustedProxies = ['10.0.0.0/8']
  assert.equal(createOrigins({ trustedProxies })(from('10.0.0.1', both)).ip, '198.51.100.7')
  assert.equal(createOrigins({ trustedProxies, proxyHeader: 'forwarded' })(from('10.0.0.1', both)).ip, '2001:db8::7')
  assert.equal(createOrigins({ trustedProxies, proxyHeader: 'forwarded' })(from('10.0.0.1', { forwarded: 'proto=https' })).ip, undefined)
})

test('an address belongs to the first class that fits, else it is external', () => {
  const usual = createOrigins({})
  const classOf = (ip: string | undefined): string => usual({ ip, headers: {} }).ipClass
  for (const inside of ['127.0.0.1', '::1', '10.1.1.1', '172.31.0.1', '192.168.1.1', '::ffff:192.168.1.1', 'fd00::1', 'fe80::1'])
    assert.equal(classOf(inside), 'internal', inside)
  for (const outside of ['172.32.0.1', '11.0.0.1', '2001:db8::1', '203.0.113.1', undefined, '/tmp/socket'])
    assert.equal(classOf(outside), 'external')
  const own = createOrigins({ ipClasses: { office: ['198.51.100.0/24'], internal: ['10.0.0.0/8'] } })
  assert.equal(own(from('198.51.100.200')).ipClass, 'office')
  assert.equal(own(from('192.168.1.1')).ipClass, 'external')
})

test('what is remembered of one header is not told of another', () => {
  const origins = createOrigins({ trustedProxies: ['10.0.0.1'] })
  for (let round = 0; round < 2; round++)
    for (let host = 1; host < 200; host++)
      assert.equal(origins(from('10.0.0.1', { 'x-forwarded-for': `198.51.100.${host}` })).ip, `198.51.100.${host}`)
})

test('a header of no sensible length is not read', () => {
  const origins = createOrigins({ trustedProxies: ['10.0.0.0/8'] })
  assert.equal(origins(from('10.0.0.1', { 'x-forwarded-for': `${'10.0.0.2,'.repeat(10_000)}198.51.100.7` })).ip, '10.0.0.1')
})
