/** The SDKs against the simulator itself: what it says is what the vendors' own clients understand. */
import { after } from 'node:test'
import { serveSimulator } from '../../src/testing/index.ts'
import { aiSdkClients, langchainClients, vendorClients } from './clients.ts'
import { play } from './scenarios.ts'

const names = ['gpt-5.5', 'claude-sonnet-4-6', 'gemini-3.8-flash', 'plain']
const simulator = await serveSimulator({ anyModel: false, models: Object.fromEntries(names.map((name) => [name, {}])) })
after(() => simulator.close())

/** The simulator is no gateway: it keeps its own statuses, and clients that cannot tell a broken stream are on their own. */
const except = [
  'keeps its key from the provider',
  'gets the whole of an answer that the provider paused',
  'reports a fault of the provider as 502',
  'fails when the answer breaks off',
  'reports an unknown model as 404 that names it',
]

const place = { url: simulator.url }
for (const client of [...vendorClients(place), ...aiSdkClients(place), ...langchainClients(place)]) {
  play(`${client.name} to the simulator`, { client, wire: client.wire, calls: simulator.calls, named: (traits) => traits }, { except })
}
