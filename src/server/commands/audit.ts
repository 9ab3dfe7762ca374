/** `signalbox audit`: who did what, and whether the log is whole. */
import { compact } from '../../core/json.ts'
import { adminCommand, tableOf, UsageError } from './admin-command.ts'
import type { CommandArgs } from './catalog-file.ts'

export const auditCommand = (args: CommandArgs): Promise<number> =>
  adminCommand(
    'audit',
    args,
    {
      async list(given) {
        const { client, option } = given
        const answer = await client.audit.list(
          compact({
            after: wholeOf(option('after'), 'after'),
            limit: wholeOf(option('limit'), 'limit'),
            organisation: option('organisation'),
          }),
        )
        given.answer(answer, () => {
          const rows = answer.data.map(({ seq, at, actor, action, subject, ip }) => [seq, at.slice(0, 19), actor, action, subject, ip])
          const more = answer.next === undefined ? '' : `\nMore: signalbox audit list --after ${answer.next}\n`
          return rows.length === 0 ? 'Nothing was done yet.\n' : tableOf(['seq', 'at (UTC)', 'who', 'what', 'on', 'from'], rows) + more
        })
        return undefined
      },
      async verify(given) {
        const verdict = await given.client.audit.verify()
        given.answer(verdict, () =>
          verdict.whole
            ? `The log is whole: ${verdict.entries} entries, each with the hash of the one before.\n`
            : `THE LOG WAS CHANGED: entry ${verdict.brokenAt} does not fit (${verdict.why ?? 'its hash differs'}).\n`,
        )
        return verdict.whole ? 0 : 1
      },
    },
    'list',
  )

function wholeOf(written: string | undefined, name: string): number | undefined {
  if (written === undefined) return undefined
  if (!/^\d{1,15}$/.test(written)) throw new UsageError(`--${name} ${written} is not a whole number`)
  return Number(written)
}
