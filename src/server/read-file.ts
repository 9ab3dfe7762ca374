import { readFileSync } from 'node:fs'

/** What `file:` references name. */
export const readFileText = (path: string): string => readFileSync(path, 'utf8')
