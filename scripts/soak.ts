/** `npm run soak [-- --minutes=30 --seed=1 --callers=24 --aborts=0.05]`: whether the gateway holds on to anything. */
import { parseArgs } from 'node:util'
import { leaksOf, soak } from '../test/soak/soak.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    callers: { type: 'string', default: '24' },
    aborts: { type: 'string', default: '0.05' },
  },
})
const result = await soak({
  seconds: Number(values.minutes) * 60,
  seed: Number(values.seed),
  callers: Number(values.callers),
  aborts: Number(values.aborts),
  warmUpSeconds: Math.min(60, Number(values.minutes) * 6),
  tell: console.log,
})
const { calls, stopped } = result
console.log(`stopped  ${JSON.stringify(stopped)}`)
console.log(`calls    ${JSON.stringify(calls)}`)
const leaks = leaksOf(result)
console.log(leaks.length === 0 ? 'everything is back where it was' : leaks.map((leak) => `LEAK  ${leak}`).join('\n'))
process.exitCode = leaks.length === 0 ? 0 : 1
