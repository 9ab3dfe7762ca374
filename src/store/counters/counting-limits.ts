/** What the counters of the tests with several threads are limited to. */
export const LIMITS = [1_000_000, 50, 2_000, 7, 900_000_000] as const
