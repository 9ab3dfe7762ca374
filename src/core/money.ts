/** Money is whole nano-dollars. */
export type Nanos = bigint

const NANOS_PER_DOLLAR = 1_000_000_000n

/** A decimal USD string: `0.00000125`. Never in exponent form. */
export function dollarsOf(nanos: Nanos): string {
  const sign = nanos < 0n ? '-' : ''
  const value = nanos < 0n ? -nanos : nanos
  const fraction = (value % NANOS_PER_DOLLAR).toString().padStart(9, '0').replace(/0+$/, '')
  return `${sign}${value / NANOS_PER_DOLLAR}${fraction ? `.${fraction}` : ''}`
}

/** Nano-dollars of a decimal USD string; undefined when it is not one. More than nine decimals are rounded half up. */
export function nanosOf(dollars: string): Nanos | undefined {
  const match = /^(\d{1,15})(?:\.(\d+))?$/.exec(dollars.trim())
  if (!match) return undefined
  const [, whole = '0', fraction = ''] = match
  const nanos = BigInt(whole) * NANOS_PER_DOLLAR + BigInt(fraction.slice(0, 9).padEnd(9, '0'))
  return Number(fraction[9] ?? '0') >= 5 ? nanos + 1n : nanos
}

/** Nano-dollars of a floating-point USD amount, rounded once. */
export const nanosOfNumber = (dollars: number): Nanos => BigInt(Math.round(dollars * 1e9))

/** A cost after mark-up, in whole parts in a thousand: 1000 is none, 1200 a fifth more, 900 a tenth off. Rounded once, half up. */
export const markedUp = (cost: Nanos, permille = 1_000): Nanos => (permille === 1_000 ? cost : (cost * BigInt(permille) + 500n) / 1_000n)
