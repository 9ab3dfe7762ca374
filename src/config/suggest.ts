/** The candidate that was probably meant, or undefined when none is close. */
export function closest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = plain(word)
  let best: string | undefined
  // A third of the word may be wrong, and always one letter.
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1
  for (const candidate of candidates) {
    const other = plain(candidate)
    if (Math.abs(other.length - wanted.length) >= bestDistance) continue
    const found = editDistance(wanted, other)
    if (found < bestDistance) {
      best = candidate
      bestDistance = found
    }
  }
  return best
}

/** ``did you mean `openai`?``, or undefined. */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  const found = closest(word, candidates)
  return found === undefined ? undefined : `did you mean \`${found}\`?`
}

// Case and the kind of separator are never what was meant to differ: `base_url` is `baseUrl`.
const plain = (word: string): string => word.toLowerCase().replaceAll(/[_-]/g, '')

/** Insertions, deletions, changes and swaps of neighbours (optimal string alignment). */
function editDistance(left: string, right: string): number {
  const width = right.length + 1
  const cost = new Array<number>((left.length + 1) * width).fill(0)
  const cell = (row: number, column: number): number => cost[row * width + column] ?? 0
  for (let row = 0; row <= left.length; row++) cost[row * width] = row
  for (let column = 0; column < width; column++) cost[column] = column
  for (let row = 1; row <= left.length; row++)
    for (let column = 1; column < width; column++) {
      const change = cell(row - 1, column - 1) + (left[row - 1] === right[column - 1] ? 0 : 1)
      let least = Math.min(cell(row - 1, column) + 1, cell(row, column - 1) + 1, change)
      const swapped = row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]
      if (swapped) least = Math.min(least, cell(row - 2, column - 2) + 1)
      cost[row * width + column] = least
    }
  return cell(left.length, right.length)
}
