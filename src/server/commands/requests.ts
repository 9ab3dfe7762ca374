/** `signalbox requests`: calls, newest first, and what became of one. */
import type { Call, RequestsListQuery } from '../../admin/client.generated.ts'
import { compact } from '../../core/json.ts'
import { type AdminCommand, adminCommand, needed, tableOf, timeFrom, UsageError } from './admin-command.ts'
import type { CommandArgs } from './catalog-file.ts'

const USUAL = 20
/** A page may hold nothing of what is sought: so many are asked for before the search is left to whoever wants more. */
const MOST_PAGES = 50
const words = ['key', 'user', 'organisation', 'team', 'project', 'tag', 'route', 'provider', 'model', 'status', 'state'] as const

export const requestsCommand = (args: CommandArgs): Promise<number> => adminCommand('requests', args, { list, show }, 'list')

async function list(given: AdminCommand): Promise<undefined> {
  const { client, option } = given
  const most = limitOf(option('limit'))
  const query = compact({
    ...Object.fromEntries(words.map((name) => [name, option(name)])),
    from: timeFrom(option('from'), 'from'),
    to: timeFrom(option('to'), 'to'),
    minCost: option('min-cost')?.replace(/^\$/, ''),
  }) as RequestsListQuery
  const data: Call[] = []
  let next = option('after')
  for (let pages = 0; pages < MOST_PAGES && data.length < most && (pages === 0 || next !== undefined); pages++) {
    const page = await client.requests.list({ ...query, limit: most - data.length, ...(next !== undefined && { after: next }) })
    data.push(...page.data)
    next = page.next
  }
  given.answer({ data, ...(next !== undefined && { next }) }, () => {
    const more = next === undefined ? '' : `\nMore: signalbox requests --after ${next}, with the same options\n`
    return (data.length === 0 ? 'No such calls.\n' : tableOf(head, data.map(rowOf))) + more
  })
  return undefined
}

async function show(given: AdminCommand): Promise<undefined> {
  given.write(
    `${JSON.stringify(await given.client.requests.get(needed(given, 'the id of a call', 'signalbox requests show req_…')), null, 2)}\n`,
  )
  return undefined
}

const head = ['at (UTC)', 'id', 'key', 'asked for', 'served by', 'status', 'ms', 'input', 'output', 'cost USD']

function rowOf(call: Call): (string | number | undefined)[] {
  const { at, id, key, alias, requestedModel, provider, model, state, status, error, totalMs, usage, cost } = call
  const tokens = usage as { readonly input?: number; readonly output?: number } | undefined
  return [
    ...[at.slice(0, 19), id, alias ?? key, requestedModel, provider === undefined ? undefined : `${provider}/${model ?? ''}`],
    ...[state === 'settled' ? [status, error].filter((word) => word !== undefined).join(' ') : state],
    ...[totalMs === undefined ? undefined : Math.round(totalMs), tokens?.input, tokens?.output, cost],
  ]
}

function limitOf(written: string | undefined): number {
  if (written === undefined) return USUAL
  if (!/^\d{1,4}$/.test(written) || Number(written) < 1 || Number(written) > 1_000)
    throw new UsageError(`--limit ${written} is not a number of calls: write 1 to 1000`)
  return Number(written)
}
