/** What embedders import. */
export type { Outcome, Sink } from './accounting/outcome.ts'
export { defineConfig } from './config/define.ts'
export type { ConfigInput } from './config/schema.ts'
export { type Fault, GatewayError } from './core/error.ts'
export type { Transport, UpstreamRequest, UpstreamResponse } from './core/http.ts'
export { ConfigError, createGateway, type Gateway, type GatewayOptions } from './create-gateway.ts'
export { fetchTransport } from './egress/transport-fetch.ts'
export type { GatewayFetch } from './embed.ts'
