/** A configuration in TypeScript: checked while it is written, and free to compute what it needs. */
import { defineConfig } from 'signalbox'

const teams = ['search', 'support', 'billing']

export const config = defineConfig({
  store: { url: 'memory:' },
  providers: { simulator: {} },
  models: Object.fromEntries(
    teams.map((team) => [`${team}-assistant`, { targets: [{ provider: 'simulator', model: 'echo' }], timeouts: { firstToken: '8s' } }]),
  ),
})
