/** Durations and sizes as operators write them: a number with a unit. A bare number is nobody's guess to make. */
const MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const BYTES = { B: 1, KB: 1_024, MB: 1_024 ** 2, GB: 1_024 ** 3 } as const

export const durationPattern = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/
export const sizePattern = /^(\d+(?:\.\d+)?)(B|KB|MB|GB)$/

/** Milliseconds of `250ms`, `8s`, `5m`, `1h`, `30d`; undefined for anything else. */
export function durationOf(text: string): number | undefined {
  const match = durationPattern.exec(text)
  return match ? Math.round(Number(match[1]) * MS[match[2] as keyof typeof MS]) : undefined
}

/** Bytes of `16KB`, `64MB` (a KB is 1,024 bytes); undefined for anything else. */
export function sizeOf(text: string): number | undefined {
  const match = sizePattern.exec(text)
  return match ? Math.round(Number(match[1]) * BYTES[match[2] as keyof typeof BYTES]) : undefined
}
