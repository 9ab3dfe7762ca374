/** Amounts of money as statements write them, in nano-dollars. */
import { type Nanos, nanosOfNumber } from '../../core/money.ts'

const DECIMAL = /^([+-]?)(\d{1,18})(?:\.(\d*))?$/

/**
 * A decimal, exactly; with an exponent or as a number, as near as a number is. `units` is how many of them make a dollar:
 * 100 for cents. Rounded once, half away from zero. Undefined when it is no amount.
 */
export function amountOf(value: unknown, units: 1 | 100 = 1): Nanos | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? nanosOfNumber(value / units) : undefined
  if (typeof value !== 'string') return undefined
  const text = value.trim().replace(/^\$/, '')
  const match = DECIMAL.exec(text)
  if (!match) return /^[+-]?\d+(\.\d+)?e[+-]?\d+$/i.test(text) ? nanosOfNumber(Number(text) / units) : undefined
  const [, sign, whole = '0', fraction = ''] = match
  const places = units === 100 ? 7 : 9
  const kept = BigInt(whole + fraction.slice(0, places).padEnd(places, '0'))
  const nanos = Number(fraction[places] ?? '0') >= 5 ? kept + 1n : kept
  return sign === '-' ? -nanos : nanos
}

/** Decimals of an amount as it is written; undefined where it has an exponent. */
export const decimalsOf = (text: string): number | undefined => {
  const match = DECIMAL.exec(text.trim().replace(/^\$/, ''))
  return match ? (match[3] ?? '').length : undefined
}
