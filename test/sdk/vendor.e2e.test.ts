/** The vendors' own SDKs, over sockets, through the gateway to providers of all four wires. */
import { after } from 'node:test'
import { vendorClients } from './clients.ts'
import { rig, wires } from './rig.ts'
import { play } from './scenarios.ts'

for (const wire of wires) {
  const { url, calls, named, close } = await rig(wire)
  after(close)
  for (const client of vendorClients({ url })) play(`${client.name} → ${wire}`, { client, wire, calls, named })
}
