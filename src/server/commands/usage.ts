/** `signalbox usage`: what was used and what it cost, from a running gateway. */
import type { UsageGetQuery } from '../../admin/client.generated.ts'
import { compact } from '../../core/json.ts'
import { adminCommand, tableOf, timeFrom, UsageError } from './admin-command.ts'
import type { CommandArgs } from './catalog-file.ts'

const formats = ['table', 'json', 'csv', 'jsonl', 'focus'] as const

export const usageCommand = (args: CommandArgs): Promise<number> =>
  adminCommand(
    'usage',
    { ...args, positionals: ['show', ...args.positionals] },
    {
      async show({ client, words, option, write }) {
        if (words.length > 0) throw new UsageError(`what is \`${words[0]}\`? Write: signalbox usage --by key,model --from 7d`)
        const asked = args.options['json'] === true ? 'json' : (option('format') ?? 'table')
        const format = formats.find((one) => one === asked)
        if (!format) throw new UsageError(`--format ${asked}: there are ${formats.join(', ')}`)
        const by = option('by') ?? 'key'
        const query = compact({
          by,
          from: timeFrom(option('from'), 'from'),
          to: timeFrom(option('to'), 'to'),
          organisation: option('organisation'),
          key: option('only'),
        }) as UsageGetQuery
        if (format !== 'table' && format !== 'json') {
          for await (const piece of client.usage.getText({ ...query, format })) write(piece)
          return 0
        }
        const answer = await client.usage.get(query)
        if (format === 'json') {
          write(`${JSON.stringify(answer, null, 2)}\n`)
          return 0
        }
        const dimensions = by.split(',').map((word) => word.trim()) as (keyof (typeof answer.rows)[number])[]
        const rows = answer.rows.map((row) => [
          ...dimensions.map((dimension) => row[dimension]),
          row.requests,
          row.inputTokens,
          row.outputTokens,
          row.cost,
        ])
        write(rows.length === 0 ? 'Nothing was used.\n' : tableOf([...dimensions, 'requests', 'input', 'output', 'cost USD'], rows))
        const unpriced = answer.rows.reduce((sum, row) => sum + row.unpriced, 0)
        if (unpriced > 0) write(`\nNobody knows what ${unpriced === 1 ? 'one call' : `${unpriced} calls`} cost: give the models a price.\n`)
        return 0
      },
    },
  )
