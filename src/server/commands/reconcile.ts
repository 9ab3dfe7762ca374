/** `signalbox reconcile`: how far the ledger and the providers' own statements agree. */
import { compact, isObject, type JsonObject } from '../../core/json.ts'
import { adminCommand, timeFrom, UsageError } from './admin-command.ts'
import type { CommandArgs } from './catalog-file.ts'

/** 0 when they agree, 1 when they drift apart or a statement could not be read. */
export const reconcileCommand = (args: CommandArgs): Promise<number> =>
  adminCommand(
    'reconcile',
    { ...args, positionals: ['run', ...args.positionals] },
    {
      async run(given) {
        const { client, words, option } = given
        if (words.length > 0) throw new UsageError(`what is \`${words[0]}\`? Write: signalbox reconcile --from 7d`)
        const period = compact({ from: timeFrom(option('from'), 'from'), to: timeFrom(option('to'), 'to') })
        const report = (args.options['last'] === true ? await client.reconcile.get() : await client.reconcile.run(period)) as JsonObject
        given.answer(report, () => reportText(report))
        return report['clean'] === true ? 0 : 1
      },
    },
  )

const listIn = (value: unknown): readonly JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : [])
const words = (value: unknown): string => (Array.isArray(value) ? value.map(String).join(', ') : '')

function reportText(report: JsonObject): string {
  const lines = [
    `Ledger and statements, ${String(report['from'])} to ${String(report['to'])} (UTC), as of ${String(report['at'])}: ${report['clean'] === true ? 'no drift' : 'DRIFT'}`,
  ]
  for (const source of listIn(report['sources'])) {
    const head = `${String(source['name'])} (${words(source['providers'])})`
    if (source['failed'] !== undefined) {
      lines.push('', `${head}: could not be compared: ${String(source['failed'])}`)
      continue
    }
    const drifts = listIn(source['drifts'])
    lines.push(
      '',
      `${head}: ${String(source['compared'])} model-days, ledger $${String(source['ledgerCost'])}, statement $${String(source['statementCost'])}, ${drifts.length} with drift`,
      ...drifts.flatMap(driftLines),
      ...(Array.isArray(source['notes']) ? source['notes'].map((note) => `  note: ${String(note)}`) : []),
    )
  }
  if (listIn(report['sources']).length === 0) lines.push('', 'No provider statements are configured, so there was nothing to compare with.')
  return `${lines.join('\n')}\n`
}

function driftLines({ day, model, kind, difference, causes }: JsonObject): string[] {
  const parts = Object.entries(isObject(difference) ? difference : {}).flatMap(([name, value]) => {
    if (!isObject(value) || Number(value['absolute']) === 0) return []
    const share = typeof value['relative'] === 'number' ? ` (${(value['relative'] * 100).toFixed(2)} %)` : ''
    return [`${name} ${String(value['absolute'])}${share}`]
  })
  return [
    `  ${String(day)}  ${String(model)}: ${String(kind)}; ${parts.join(', ')}`,
    ...listIn(causes).map((cause) => `    likely: ${String(cause['meaning'])}`),
  ]
}
