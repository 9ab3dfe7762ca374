/** `npm run nemesis [-- --rounds=200 --seed=N --shape=fleet|threads]`: calls of known price while everything breaks; the ledger has to be right. */
import { parseArgs } from 'node:util'
import { nemesis } from '../test/nemesis/nemesis.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '200' },
    seed: { type: 'string' },
    shape: { type: 'string' },
    calls: { type: 'string', default: '40' },
  },
})
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed)
const shapes = values.shape === undefined ? (['fleet', 'threads'] as const) : ([values.shape] as ('fleet' | 'threads')[])
let faults = 0
for (const shape of shapes) {
  console.log(`${shape}, ${values.rounds} rounds, seed ${seed}`)
  const result = await nemesis({ shape, rounds: Number(values.rounds), seed, calls: Number(values.calls), tell: console.log })
  const { faults: found, ...rest } = result
  console.log(JSON.stringify(rest))
  for (const fault of found) console.log(`FAULT  ${fault}`)
  console.log(found.length === 0 ? 'the ledger tells what the provider counted' : `${found.length} faults`)
  faults += found.length
}
process.exitCode = faults === 0 ? 0 : 1
