/** What a drill found, as a value and as text. */
import type { DrillFault } from '../config/config.ts'

export interface DrillCase {
  readonly fault: DrillFault | 'none'
  readonly streamed: boolean
  /** So many targets were broken, those that were asked first. */
  readonly broken: number
  /** `either`: the caller had part of the answer, and may get the rest or a visible error. */
  readonly expected: 'answer' | 'error' | 'either'
  readonly got: 'answer' | 'error' | 'broken'
  readonly held: boolean
  /** Targets in the order they were asked, each once. */
  readonly path: readonly string[]
  /** Milliseconds. */
  readonly ms: number
  readonly detail?: string
}

export interface DrilledRoute {
  readonly route: string
  readonly strategy: string
  /** What a call could go to, best first. */
  readonly targets: readonly string[]
  readonly held: boolean
  readonly cases: readonly DrillCase[]
  /** Why it could not be drilled, or what its paths lack. */
  readonly notes: readonly string[]
}

export interface DrillReport {
  readonly id: string
  /** ISO 8601. */
  readonly at: string
  /** `shadow`: the simulator answered in place of providers. `live`: healthy targets were really called. */
  readonly mode: 'shadow' | 'live'
  readonly held: boolean
  readonly cases: number
  readonly failed: number
  readonly ms: number
  readonly routes: readonly DrilledRoute[]
}

export function reportText({ mode, held, cases, failed, ms, routes }: DrillReport): string {
  const how = mode === 'shadow' ? 'shadow requests, no provider was called' : 'live: healthy targets were called'
  const lines = [
    `${held ? 'Every failover path held' : 'NOT every failover path held'} (${cases} cases, ${how}, ${(ms / 1000).toFixed(1)} s)`,
  ]
  for (const route of routes) lines.push('', ...routeLines(route))
  if (failed > 0) lines.push('', `${failed} of ${cases} cases failed`)
  return `${lines.join('\n')}\n`
}

function routeLines({ route, strategy, targets, held, cases, notes }: DrilledRoute): string[] {
  const lines = [`${held ? 'held  ' : 'FAILED'}  ${route} (${strategy}): ${targets.join(' → ') || 'no targets'}`]
  for (const fault of new Set(cases.map((one) => one.fault))) {
    const own = cases.filter((one) => one.fault === fault)
    const bad = own.filter((one) => !one.held)
    if (bad.length === 0)
      lines.push(`  ${fault.padEnd(10)} held, ${own.length} of ${own.length}; slowest ${Math.max(...own.map((one) => one.ms))} ms`)
    else for (const one of bad) lines.push(`  ${fault.padEnd(10)} FAILED ${caseText(one)}`)
  }
  return [...lines, ...notes.map((note) => `  note: ${note}`)]
}

function caseText({ streamed, broken, expected, got, path, detail }: DrillCase): string {
  const who = broken === 0 ? 'nothing broken' : broken === 1 ? 'first target broken' : `first ${broken} targets broken`
  const wanted = { answer: 'an answer', error: 'an error in the dialect', either: 'the rest or a visible error' }[expected]
  return `${streamed ? 'streamed' : 'plain'}, ${who}: expected ${wanted}, got ${got === 'answer' ? 'an answer' : got === 'error' ? 'an error' : 'a broken answer'}; asked ${path.join(' → ') || 'nobody'}${detail ? ` (${detail})` : ''}`
}
