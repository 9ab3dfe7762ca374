/** What `signalbox/testing` exports: a provider for tests that needs no key and no network. */
export { type ServedSimulator, type ServeSimulatorOptions, serveSimulator } from './serve-simulator.ts'
export { SimulatedBreak } from './simulator/faults.ts'
export { type SimulatedFault, type Simulation, simulatedFaults, simulatedTraits } from './simulator/simulation.ts'
export { createSimulator, type Simulator, type SimulatorOptions } from './simulator/simulator.ts'
export { simulatorTransport } from './simulator/transport.ts'
export type { Ask, SimulatedCall, SimulatedReply, SimulatedWireId } from './simulator/types.ts'
