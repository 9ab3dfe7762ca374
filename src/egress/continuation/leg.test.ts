import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Event } from '../../core/event.ts'
import { anchorOf, Joint } from './joint.ts'
import { Leg } from './leg.ts'
import { Told } from './told.ts'

const text = (index: number, words: string): Event => ({ type: 'text-delta', index, text: words })
const start = (index: number, kind: 'text' | 'reasoning' | 'tool-call', more: object = {}): Event => ({
  type: 'part-start',
  index,
  kind,
  ...more,
})
const end = (index: number): Event => ({ type: 'part-end', index })

/** A caller that has thought 0 and the open text 1. */
function half(words = 'one two three four five six'): { told: Told; leg: Leg } {
  const told = new Told()
  told.push([{ type: 'reply-start', id: 'r' }, start(0, 'reasoning'), text(0, 'hm'), end(0), start(1, 'text'), text(1, words)])
  return { told, leg: new Leg({ told, joint: new Joint(told.text, { anchor: anchorOf(told.text) }), hidesThinking: true }) }
}

test('new words go into the part that is open, and thinking behind words is not shown', () => {
  const { leg } = half()
  const out = leg.push([
    { type: 'reply-start', id: 'other' },
    start(0, 'reasoning'),
    text(0, 'I go on'),
    end(0),
    start(1, 'text'),
    text(1, ' seven'),
  ])
  assert.deepEqual(out, [text(1, ' seven')])
  assert.deepEqual(leg.push([end(1)]), [end(1)])
})

test('words that stay undecided until the end go out then, without what was said before', () => {
  const { told, leg } = half()
  assert.deepEqual(leg.push([start(0, 'text'), text(0, 'four five six')]), [])
  assert.deepEqual(leg.end(), [])
  assert.deepEqual(told.endings(), [end(1)])
  const other = half()
  assert.deepEqual(other.leg.push([start(0, 'text'), text(0, 'two three')]), [])
  assert.deepEqual(other.leg.end(), [text(1, 'two three')])
})

test('what is held goes out before anything else begins, and new parts have indices of their own', () => {
  const { leg } = half()
  assert.deepEqual(leg.push([start(0, 'text'), text(0, ' s'), start(1, 'tool-call', { id: 'c', name: 'f' }), text(1, '{}'), end(1)]), [
    text(1, ' s'),
    start(3, 'tool-call', { id: 'c', name: 'f' }),
    text(3, '{}'),
    end(3),
  ])
})

test('a source is where it was, counted in the whole text', () => {
  const { leg } = half('one two three ')
  const said = 'one two three four'
  const cite = (from: number, to: number): Event => ({
    type: 'part-citation',
    index: 0,
    citation: { url: 'https://a.test', start: from, end: to },
  })
  const out = leg.push([start(0, 'text'), text(0, `${said}.`), cite(14, 18)])
  assert.deepEqual(out, [text(1, 'four.'), { type: 'part-citation', index: 1, citation: { url: 'https://a.test', start: 14, end: 18 } }])
})

test('a text that had ended is carried on in a new part, which begins with its first words', () => {
  const told = new Told()
  told.push([start(0, 'text'), text(0, 'one two three'), end(0)])
  const leg = new Leg({ told, joint: new Joint(told.text) })
  assert.deepEqual(leg.push([start(0, 'text')]), [])
  assert.deepEqual(leg.push([text(0, ' four'), end(0)]), [start(1, 'text'), text(1, ' four'), end(1)])
})

test('an answer begun anew is told whole, behind the indices that were used', () => {
  const { told } = half()
  told.forget()
  const leg = new Leg({ told, joint: undefined })
  assert.deepEqual(leg.push([start(0, 'reasoning'), text(0, 'a'), end(0), start(1, 'text'), text(1, 'one')]), [
    start(2, 'reasoning'),
    text(2, 'a'),
    end(2),
    start(3, 'text'),
    text(3, 'one'),
  ])
  assert.equal(told.text, '')
})
