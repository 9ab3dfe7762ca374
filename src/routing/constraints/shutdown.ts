/** Models leave on their date, and are warned of before. */
const DAY_MS = 86_400_000
const WARNED_DAYS = 60

/** A few dates are asked for again with every call. */
const dates = new Map<string, number>()

function timeOf(text: string): number {
  let time = dates.get(text)
  if (time === undefined) {
    time = Date.parse(text)
    dates.set(text, time)
  }
  return time
}

/** The day itself still counts: at which hour it ends is the provider's to say. */
export const isGone = (shutdown: string, now: number): boolean => {
  const date = timeOf(shutdown)
  return !Number.isNaN(date) && now >= date + DAY_MS
}

/** A sentence from 60 days before; undefined when there is time. */
export function warningOf(shutdown: string, now: number): string | undefined {
  const date = timeOf(shutdown)
  if (Number.isNaN(date) || now < date - WARNED_DAYS * DAY_MS) return undefined
  return now < date + DAY_MS ? `it is switched off on ${shutdown}` : `it was to be switched off on ${shutdown}`
}
