// The other side of every measurement, as one process on its own core: the mock upstream and the load generator. They share an event
// loop because they share a core: two processes there would wait for each other's time slices, and the wait would look like latency.

import type { AddressInfo } from 'node:net'
import { type LoadPlan, runLoad } from './load.ts'
import { createUpstream } from './upstream.ts'

const upstream = createUpstream()
upstream.listen(0, '127.0.0.1', () => process.send?.({ port: (upstream.address() as AddressInfo).port }))

process.on('message', async (message: unknown) => {
  const { id, plan } = message as { id: number; plan: LoadPlan }
  process.send?.({ id, result: await runLoad(plan) })
})
process.on('disconnect', () => process.exit())
