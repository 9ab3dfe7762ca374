import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { join } from 'node:path'
import { CACHE, canPin, ROOT } from './processes.ts'

/** One figure. Those with a budget pass or fail; the others explain them. */
export interface Measure {
  readonly section: string
  readonly what: string
  readonly value: number
  readonly unit: '×' | 'µs' | 'ms' | 's' | 'MB' | '%' | 'B' | '/s'
  /** Largest value that passes. */
  readonly budget?: number
}

export interface Report {
  readonly date: string
  readonly machine: object
  readonly measures: readonly Measure[]
  /** What was not measured, and why; what disturbed it. */
  readonly notes: readonly string[]
}

export const passes = (measure: Measure): boolean | undefined =>
  measure.budget === undefined ? undefined : measure.value <= measure.budget

export function median(values: readonly number[]): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).toSorted((a, b) => a - b)
  if (sorted.length === 0) return Number.NaN
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Median of the rounds' own ratios: both sides of one ratio are measured within seconds, so a machine that drifts does not move it. */
export const ratio = (over: readonly number[], under: readonly number[]): number =>
  median(over.map((value, round) => value / (under[round] ?? Number.NaN)))

function shown(value: number, unit: Measure['unit']): string {
  if (Number.isNaN(value)) return '–'
  const digits =
    unit === '×' || unit === 's' || unit === 'ms' ? (Math.abs(value) < 0.2 ? 3 : 2) : Math.abs(value) >= 100 || unit === 'B' ? 0 : 1
  return `${value.toFixed(digits)} ${unit}`
}

export function table(measures: readonly Measure[]): string {
  const lines: string[] = []
  const width = Math.max(...measures.map((measure) => measure.what.length))
  let section = ''
  for (const measure of measures) {
    if (measure.section !== section) {
      section = measure.section
      lines.push('', section)
    }
    const passed = passes(measure)
    const mark = passed === undefined ? ' ' : passed ? '✓' : '✗'
    const budget = measure.budget === undefined ? '' : `  ≤ ${shown(measure.budget, measure.unit)}`
    lines.push(`  ${mark} ${measure.what.padEnd(width)}  ${shown(measure.value, measure.unit).padStart(11)}${budget}`)
  }
  return lines.join('\n')
}

export function machine(): object {
  const [cpu] = cpus()
  return {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpu: cpu?.model ?? 'unknown',
    cores: cpus().length,
    memoryMB: Math.round(totalmem() / 1_048_576),
    pinned: canPin,
    loadAverage: loadavg().map((value) => Math.round(value * 100) / 100),
  }
}

/** Writes the figures and returns the file: into the repository only when they are to be published. */
export function save(report: Report, publish: boolean): string {
  const dir = publish ? join(ROOT, 'bench/results') : CACHE
  mkdirSync(dir, { recursive: true })
  const file = join(dir, publish ? `${report.date.slice(0, 10)}.json` : 'latest.json')
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`)
  return file
}
