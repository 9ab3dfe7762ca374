import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anchorOf, Joint, type JointOptions } from './joint.ts'

/** What goes out when the new words come in these pieces. */
function joined(text: string, pieces: readonly string[], options: JointOptions = { anchor: anchorOf(text) }): string {
  const joint = new Joint(text, options)
  return pieces.map((piece) => joint.push(piece)).join('') + joint.end()
}

const letters = (text: string): string[] => [...text]

/** Text so far, what the next target says, what of it is new. */
const cases: readonly (readonly [string, string, string])[] = [
  // Exactly continued.
  ['The quick brown', ' fox', ' fox'],
  ['The quick br', 'own fox', 'own fox'],
  ['one', ' two', ' two'],
  ['I', 'ndeed, I do', 'ndeed, I do'],
  // The asked words, or others, said again.
  ['w1 w2 w3 w4 w5 w6', 'w4 w5 w6 w7', ' w7'],
  ['w1 w2 w3 w4 w5 w6', ' w4 w5 w6 w7', ' w7'],
  ['w1 w2 w3 w4 w5 w6', 'w2 w3 w4 w5 w6 w7', ' w7'],
  ['w1 w2 w3 w4 w5 w6', 'w1 w2 w3 w4 w5 w6 w7', ' w7'],
  ['w1', 'w1 w2', ' w2'],
  ['Hel', 'Hello', 'lo'],
  ['and the wor', 'and the world is', 'ld is'],
  // White space counts once, however much of it.
  ['The quick ', ' brown', 'brown'],
  ['The quick ', 'brown', 'brown'],
  ['A line.\n', '\n\nNext', '\nNext'],
  ['word one two', 'two hundred', ' hundred'],
  ['one  two\nthree', 'one two three four', ' four'],
  ['one two three ', 'two three four', 'four'],
  ['one two three ', 'two three', ''],
  // Words that only look like it.
  ['- one thing', '\n- one thing more', '\n- one thing more'],
  ['it was very', ' very good', ' very good'],
  ['ha ha ha ha', ' ha ha ha!', ' ha ha ha!'],
  ['the cat sat on the', ' the mat', ' the mat'],
  ['1, 1, 1, 1, 1, 1', ', 1, 1, 1]', ', 1, 1, 1]'],
  ['word one two', ' two hundred', ' two hundred'],
  ['one two', 'twofold', 'twofold'],
  ['it is 1', '1 o’clock', '1 o’clock'],
  ['a b c', 'd e f', 'd e f'],
  // Scripts without spaces.
  ['从前有一只狐狸', '一只狐狸住在海边', '住在海边'],
  ['从前有一只狐狸', '住在海边', '住在海边'],
  ['an emoji 😀 and 😀 more', '😀 more of it', ' of it'],
  // Nothing so far.
  ['', 'Hello', 'Hello'],
  ['  ', '  Hello', 'Hello'],
]

for (const [text, said, fresh] of cases) {
  test(`${JSON.stringify(text)} + ${JSON.stringify(said)}: ${JSON.stringify(fresh)} is new, in whatever pieces it comes`, () => {
    assert.equal(joined(text, [said]), fresh)
    assert.equal(joined(text, letters(said)), fresh)
    for (let cut = 1; cut < said.length; cut++) assert.equal(joined(text, [said.slice(0, cut), said.slice(cut)]), fresh)
  })
}

test('no letter is lost or doubled, wherever a text is cut and however many words are said again', () => {
  const text =
    'It was the best of times, it was the worst of times, it was the age of wisdom,\n\n  it was the age of foolishness — “it was”, ' +
    'he said, “the epoch of belief”.  It was: 1, 2, 3; 1.5 × 2; then some more of it, 世界 too, and so on to its end.'
  for (let at = 1; at < text.length; at++) {
    const told = text.slice(0, at)
    const end = told.trimEnd().length
    assert.equal(told + joined(told, letters(text.slice(end))), text, `cut at ${at}`)
    const words = [...told.matchAll(/\S+/g)]
    for (const count of [4, 5, 8]) {
      const from = words.at(-Math.min(count, words.length))?.index ?? 0
      assert.equal(told + joined(told, letters(text.slice(from))), text, `cut at ${at}, ${count} words said again`)
    }
  }
})

test('nothing is held longer than it could be a repetition', () => {
  const joint = new Joint('w1 w2 w3 w4 w5 w6', { anchor: 'w2 w3 w4 w5 w6' })
  assert.equal(joint.push(' w'), '')
  assert.equal(joint.push('7'), ' w7')
  assert.equal(joint.decided, true)
  assert.equal(joint.push(' w8'), ' w8')
})

test('a target that continues its own text is taken at its word', () => {
  assert.equal(joined('[1, 2, 1, 2', [', 1, 2]'], { exact: true }), ', 1, 2]')
  assert.equal(joined('say it again: a b c', ['a b c'], { exact: true }), 'a b c')
  assert.equal(joined('with space ', [' after'], { exact: true }), 'after')
})

test('an answer begun anew is seen when it goes another way, not when it comes to where the text stops', () => {
  const text = 'Once upon a time there was a fox that lived in a town by the sea, with all of its many children, and so on and on'
  const away = new Joint(text, { anchor: anchorOf(text) })
  away.push(`${text.slice(0, 100)} but then`)
  assert.equal(away.restarted, true)
  const whole = new Joint(text, { anchor: anchorOf(text) })
  assert.equal(whole.push(`${text}, for ever.`), ', for ever.')
  assert.equal(whole.restarted, false)
})

test('the words that are asked for are the last few, from where a word begins', () => {
  assert.equal(anchorOf('one two three four five six seven '), 'three four five six seven')
  assert.equal(anchorOf('one'), 'one')
  assert.equal(anchorOf(''), '')
  assert.ok(anchorOf('x'.repeat(500)).length <= 120)
  assert.equal(anchorOf(`${'word '.repeat(3)}${'y'.repeat(110)}`), `word ${'y'.repeat(110)}`)
})
