/** A gateway over a socket, with one simulated provider that is called on one wire. */
import { createCatalog } from '../../src/catalog/catalog.ts'
import { parseConfig } from '../../src/config/parse.ts'
import type { ConfigInput } from '../../src/index.ts'
import { startServing } from '../../src/server/start.ts'
import { type SimulatedWireId, serveSimulator } from '../../src/testing/index.ts'

export const wires: readonly SimulatedWireId[] = ['openai-chat', 'openai-responses', 'anthropic-messages', 'gemini']

/** A model that the provider would have, and how the provider is configured. */
const upstreams: Readonly<Record<SimulatedWireId, { readonly preset: string; readonly model: string; readonly version: string }>> = {
  'openai-chat': { preset: 'openai-compatible', model: 'llama-9-large', version: 'v1' },
  'openai-responses': { preset: 'openai', model: 'gpt-5.5', version: 'v1' },
  'anthropic-messages': { preset: 'anthropic-compatible', model: 'claude-sonnet-4-6', version: 'v1' },
  gemini: { preset: 'gemini-compatible', model: 'gemini-3.8-flash', version: 'v1beta' },
}

/** Names that SDKs know, so that they send what they only send to these. All lead to the one provider. */
const names = ['gpt-5.5', 'claude-sonnet-4-6', 'gemini-3.8-flash', 'plain']

/** One key with a limit of one attempt: a fault is seen as it is. */
export function configFor(wire: SimulatedWireId, simulatorUrl: string): ConfigInput {
  const { preset, model, version } = upstreams[wire]
  const target = { provider: 'upstream', model }
  return {
    server: { port: 0 },
    store: { url: 'memory:' },
    telemetry: { log: 'off' },
    providers: { upstream: { preset, baseUrl: `${simulatorUrl}/${version}`, wire } },
    defaults: { retries: { attempts: 1 }, breaker: { enabled: false } },
    models: Object.fromEntries(names.map((name) => [name, { targets: [target] }])),
  }
}

export async function rig(wire: SimulatedWireId) {
  const simulator = await serveSimulator()
  const catalog = createCatalog()
  const { config, problems } = parseConfig(configFor(wire, simulator.url), { env: {}, catalog: () => catalog })
  if (!config) throw new Error(problems.map(({ path, message }) => `${path}: ${message}`).join('\n'))
  const serving = await startServing({ config, env: { SIGNALBOX_ADMIN_KEY: 'the-owner-of-this-test' }, write: () => {}, quiet: true })
  return {
    url: serving.url,
    calls: simulator.calls,
    named: (traits: string) => `upstream/${traits}`,
    close: async () => {
      await serving.stop()
      await simulator.close()
    },
  }
}
