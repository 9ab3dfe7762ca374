/** The provider of a soak, in a thread of its own so that its memory is not taken for the gateway's. */
import { parentPort } from 'node:worker_threads'
import { serveSimulator } from '../../src/testing/serve-simulator.ts'

const simulator = await serveSimulator({ maxCalls: 0 })
parentPort?.postMessage(simulator.url)
parentPort?.once('message', () => void simulator.close().then(() => parentPort?.close()))
