/** From what stands for the life of the process, and a configuration, the line in force. */
import { logSink } from '../accounting/log-sink.ts'
import type { Sink } from '../accounting/outcome.ts'
import { type AssembleOptions, assemble } from '../config/assemble.ts'
import type { Line } from '../gateway.ts'
import type { LineWriter } from './line-writer.ts'

export interface LineInputs extends Omit<AssembleOptions, 'secrets' | 'sinks'> {
  readonly metrics: readonly Sink[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly readFile: (path: string) => string
  readonly log: LineWriter
}

export function buildLine({ metrics, env, readFile, log, ...parts }: LineInputs): Line {
  const { telemetry, secrets } = parts.config
  return assemble({
    ...parts,
    secrets: { env, readFile, allowPlaintext: secrets.allowPlaintext },
    sinks: telemetry.log === 'off' ? metrics : [...metrics, logSink(telemetry.log, log.write)],
  })
}
