/** Exactly what a reader would work out: sums of products of decimals, in millionths of a dollar, rounded half up to nano-dollars. */
export function nanosOfArithmetic(text: string): bigint {
  let thousandths = 0n
  const SCALE = 15
  for (const term of text.split(' + ')) {
    let value = 1n
    let places = 0
    for (const factor of term.split(' × ')) {
      const [whole = '', fraction = ''] = factor.replaceAll(',', '').split('.')
      value *= BigInt(whole + fraction)
      places += fraction.length
    }
    thousandths += value * 10n ** BigInt(SCALE - places)
  }
  const unit = 10n ** BigInt(SCALE - 3)
  return (thousandths + unit / 2n) / unit
}
