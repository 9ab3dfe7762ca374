/**
 * `npm run nemesis [-- --rounds=200 --seed=N --shape=fleet|threads]`: calls of known price while everything breaks; the ledger has to be right.
 * `npm run nemesis -- --outage=60`: instead of that, PostgreSQL is away for so many seconds under load, frozen and then killed.
 */
import { parseArgs } from 'node:util'
import { startFleet } from '../test/fleet/fleet.ts'
import { outage } from '../test/fleet/outage.ts'
import { nemesis } from '../test/nemesis/nemesis.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '200' },
    seed: { type: 'string' },
    shape: { type: 'string' },
    calls: { type: 'string', default: '40' },
    outage: { type: 'string' },
  },
})
let faults = 0
if (values.outage === undefined) await rounds()
else await outages(Number(values.outage))
process.exitCode = faults === 0 ? 0 : 1

function tell({ faults: found, ...rest }: { readonly faults: readonly string[] }, fine: string): void {
  console.log(JSON.stringify(rest))
  for (const fault of found) console.log(`FAULT  ${fault}`)
  console.log(found.length === 0 ? fine : `${found.length} faults`)
  faults += found.length
}

async function outages(seconds: number): Promise<void> {
  for (const how of ['frozen', 'killed'] as const) {
    console.log(`PostgreSQL ${how} for ${seconds} s`)
    const fleet = await startFleet()
    try {
      tell(await outage(fleet, how, seconds * 1_000), 'known keys went on, nothing is lost')
    } finally {
      await fleet.stop()
    }
  }
}
async function rounds(): Promise<void> {
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed)
  const shapes = values.shape === undefined ? (['fleet', 'threads'] as const) : ([values.shape] as ('fleet' | 'threads')[])
  for (const shape of shapes) {
    console.log(`${shape}, ${values.rounds} rounds, seed ${seed}`)
    const options = { shape, rounds: Number(values.rounds), seed, calls: Number(values.calls), tell: console.log }
    tell(await nemesis(options), 'the ledger tells what the provider counted')
  }
}
