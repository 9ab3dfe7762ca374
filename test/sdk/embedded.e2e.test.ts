/** `createGateway(config).fetch` in the hands of every SDK: no server, and a base URL that leads nowhere. */
import { after } from 'node:test'
import { createGateway } from '../../src/index.ts'
import { serveSimulator } from '../../src/testing/index.ts'
import { aiSdkClients, langchainClients, vendorClients } from './clients.ts'
import { configFor, wires } from './rig.ts'
import { play } from './scenarios.ts'

const only = [
  'gets the text, why it ended, and usage',
  'runs a whole tool loop',
  'reports an unknown model as 404 that names it',
  'fails when the answer breaks off',
  'stops the provider when it hangs up in the middle',
  'lists the models',
]

for (const wire of wires) {
  const simulator = await serveSimulator()
  const gateway = createGateway(configFor(wire, simulator.url))
  after(async () => {
    await gateway.close()
    await simulator.close()
  })
  const place = { url: 'http://gateway.invalid', fetch: gateway.fetch }
  const stage = { wire, calls: simulator.calls, named: (traits: string) => `upstream/${traits}` }
  for (const client of [...vendorClients(place), ...aiSdkClients(place), ...langchainClients(place)]) {
    play(`${client.name} embedded → ${wire}`, { client, ...stage }, { only })
  }
}
