/** The way out to the built-in simulator. */
import type { Config } from '../config/config.ts'
import { GatewayError } from '../core/error.ts'
import type { Transport } from '../core/http.ts'

/** The simulator is loaded only where it is configured. */
export async function simulatorFor({ providers }: Config, before: Transport | undefined): Promise<Transport | undefined> {
  if (before || ![...providers.values()].some(({ preset }) => preset === 'simulator')) return before
  const [{ createSimulator }, { simulatorTransport }] = await Promise.all([
    import('../testing/simulator/simulator.ts'),
    import('../testing/simulator/transport.ts'),
  ])
  return simulatorTransport(createSimulator({ maxCalls: 0 }))
}

/** Never asked: a line with a simulator is built after it was loaded. */
export const absent: Transport = {
  send: () => Promise.reject(new GatewayError('internal', 'The simulator is not loaded.')),
  close: async () => {},
}
