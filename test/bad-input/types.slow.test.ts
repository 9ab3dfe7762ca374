/** A wrong type at every place of a rich body: refused with the place, or served by whoever takes it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { richBody } from './fixtures.ts'
import { get, type Path, placesOf, put } from './mutate.ts'
import { type Answered, ask, type DialectId, dialects, envelopeFault, faultPath, pathOf, rig } from './rig.ts'

/** Values of every other type than this one has. */
function others(value: unknown): readonly unknown[] {
  const type = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
  const all: Readonly<Record<string, unknown>> = { string: 'x', number: -1.5, boolean: true, array: [{}], object: { x: [] }, null: null }
  return Object.entries(all).flatMap(([name, other]) => (name === type ? [] : [other]))
}

const written = (path: Path): string =>
  path.reduce<string>((text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`), '')

/** Places whose contents belong to the caller: a schema, a tool's arguments and results, labels. */
const opaque =
  /(?:parameters|parametersJsonSchema|responseJsonSchema|input_schema|schema|args|response|input|metadata|labels|logit_bias)\b\.?./

for (const dialect of dialects)
  test(`${dialect}: a wrong type anywhere is served or refused with its place`, async (context) => {
    const under = rig()
    let refused = 0
    const placeless = new Map<string, string>()
    const elsewhere = new Map<string, string>()
    for (const path of placesOf(richBody(dialect, 'x')))
      for (const provider of dialects)
        for (const other of others(get(richBody(dialect, 'x'), path))) {
          const body = richBody(dialect, `${provider}/echo`)
          put(body, path, other)
          const answer = await ask(under, pathOf(dialect, `${provider}/echo`, false), JSON.stringify(body))
          const label = `${written(path)} = ${JSON.stringify(other)} to ${provider}: ${answer.status} ${answer.text.slice(0, 300)}`
          assert.ok(answer.status === 200 || (answer.status >= 400 && answer.status < 500), label)
          if (answer.status === 200) continue
          assert.equal(envelopeFault(dialect, answer), undefined, label)
          refused++
          if (answer.headers['x-signalbox-error'] !== 'invalid_request') continue
          judge(dialect, answer, written(path), label, placeless, elsewhere)
        }
    assert.deepEqual(under.unforeseen(), [])
    assert.deepEqual([...placeless.values()].slice(0, 5), [], `${placeless.size} refusals name no place`)
    assert.deepEqual([...elsewhere.values()].slice(0, 5), [], `${elsewhere.size} refusals name another place`)
    assert.ok(refused > 200, `only ${refused} were refused`)
    context.diagnostic(`${refused} refused`)
  })

/** What the gateway itself refuses names the place, one inside it, or one around it. */
function judge(
  dialect: DialectId,
  { text }: Answered,
  path: string,
  label: string,
  placeless: Map<string, string>,
  elsewhere: Map<string, string>,
): void {
  if (opaque.test(path)) return
  const named = faultPath(dialect, text)
  if (named === undefined) placeless.set(path, label)
  else if (!named.startsWith(path) && !path.startsWith(named) && !sameHolder(named, path)) elsewhere.set(path, `${named}: ${label}`)
}

/** A wrong discriminator can make its neighbour the one that is missing. */
const sameHolder = (one: string, other: string): boolean => holder(one) === holder(other) || other.startsWith(holder(one))
const holder = (path: string): string => path.replace(/(?:\.[^.[\]]+|\[\d+\]|^[^.[\]]+)$/, '')
