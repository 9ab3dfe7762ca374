import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kindOfMime, mimeOfName } from './mimes.ts'

test('a name tells its type by its ending, whatever its case and whatever an address has behind it', () => {
  assert.equal(mimeOfName('report.PDF'), 'application/pdf')
  assert.equal(mimeOfName('https://x.example/a.b/cat.jpeg?size=1#top'), 'image/jpeg')
})

test('a name that tells nothing has no type, members of every object included', () => {
  for (const name of ['', 'report', 'a.exe', 'a.constructor', 'a.__proto__', 'a.valueOf', 'https://x.example/a.png/b'])
    assert.equal(mimeOfName(name), undefined, name)
})

test('a type is of a kind; what is neither picture, sound nor film is a document', () => {
  assert.deepEqual(['image/png', 'AUDIO/wav', 'video/mp4', 'text/plain'].map(kindOfMime), ['image', 'audio', 'video', 'document'])
  assert.equal(kindOfMime(undefined), undefined)
})
