/** A process of its own that reserves on a counter in Redis, for tests of several. Arguments: address, counter, calls, amount, limit, name. */
import { openRedisCounters } from './open-redis.ts'

const [url = '', counter = '', calls = '0', amount = '0', limit = '0', name = ''] = process.argv.slice(2)
const counters = await openRedisCounters({ url, replica: name, onFailure: 'closed', deadlineMs: 5_000, patienceMs: 20_000 })
const hold = { counter, kind: 'spend', amount: Number(amount), limit: Number(limit), spentBefore: async () => 0 } as const
const answers = await Promise.all(Array.from({ length: Number(calls) }, (_, index) => counters.reserve(`${name}.${index}`, [hold], 60_000)))
const taken = answers.map((answer, index) => (answer.ok ? `${name}.${index}` : '')).filter(Boolean)
for (const id of taken.slice(0, 3)) await counters.settle(id, [hold], [hold.amount])
await counters.close()
process.stdout.write(String(taken.length))
