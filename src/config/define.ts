import type { ConfigInput } from './schema.ts'

/** Gives a configuration written in TypeScript its type: `export const config = defineConfig({ … })`. */
export const defineConfig = (config: ConfigInput): ConfigInput => config
