/** Durations and sizes as people write them: always with a unit. */
const DURATION: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const SIZE: Readonly<Record<string, number>> = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 }

/** The longest that timers can wait; beyond it they fire at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1

/** Milliseconds of `250ms`, `8s`, `1.5m`, `1h`, `1d`; undefined when it is no duration. */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim()) ?? []
  return amount === undefined ? undefined : Math.round(Number(amount) * (DURATION[unit] ?? 0))
}

/** The same duration as `parseDuration` reads it, in the largest unit that leaves no rest. */
export function writtenDuration(ms: number): string {
  const [unit, size] = Object.entries(DURATION).findLast(([, size]) => ms % size === 0) ?? ['ms', 1]
  return `${ms / size}${unit}`
}

/** Bytes of `512B`, `16KB`, `64MB`, `1GB`; undefined when it is no size. */
export function parseSize(text: string): number | undefined {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)(B|KB|MB|GB)$/i.exec(text.trim()) ?? []
  return amount === undefined ? undefined : Math.round(Number(amount) * (SIZE[unit.toUpperCase()] ?? 0))
}
