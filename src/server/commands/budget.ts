/** `signalbox budget`: budgets of a running gateway, and how far each is used. */
import type { Budget, BudgetInput, BudgetStatus } from '../../admin/client.generated.ts'
import { compact } from '../../core/json.ts'
import { adminCommand, every, needed, tableOf, UsageError } from './admin-command.ts'
import type { CommandArgs } from './catalog-file.ts'

export const budgetCommand = (args: CommandArgs): Promise<number> =>
  adminCommand(
    'budget',
    args,
    {
      async list(given) {
        const data = await every((after) =>
          given.client.budgets.list({ limit: 1_000, ...compact({ after, organisation: given.option('organisation') }) }),
        )
        given.answer({ data }, () =>
          data.length === 0
            ? 'There are no budgets but those of keys: make one with `signalbox budget create --limit 100`.\n'
            : listText(data),
        )
        return undefined
      },
      async create(given) {
        const limit = given.option('limit')
        if (limit === undefined) throw new UsageError('--limit is missing: signalbox budget create --limit 100 --window month --by team')
        const { option, list } = given
        const input = compact({
          limit: limit.replace(/^\$/, ''),
          name: option('name'),
          window: option('window'),
          timeZone: option('timeZone'),
          by: option('by'),
          value: option('value'),
          models: list('models'),
          onBreach: option('onBreach'),
          organisation: option('organisation'),
        }) as BudgetInput
        const made = await given.client.budgets.create(input)
        given.answer(made, () => `${made.id} is made: $${made.limit} a ${made.window}, ${whomOf(made)}.\n`)
        return undefined
      },
      async status(given) {
        const { client, words, option } = given
        const value = option('value') ?? words[1]
        if (words[0] !== undefined) {
          const status = await client.budgets.status(words[0], compact({ value }))
          given.answer(status, () => statusText([status]))
          return undefined
        }
        // Without an id: every budget that is one for all, or for one.
        const all = await every((after) => client.budgets.list({ limit: 1_000, ...compact({ after }) }))
        const single = all.filter((budget) => budget.by === 'all' || budget.value !== undefined)
        const data = await Promise.all(single.map(({ id }) => client.budgets.status(id)))
        const each = all.filter((budget) => !single.includes(budget))
        given.answer({ data }, () =>
          [
            data.length === 0 ? '' : statusText(data),
            ...each.map(
              (budget) =>
                `${budget.id}: each ${budget.by} has its own: signalbox budget status ${budget.id} --value ${budget.by.toUpperCase()}\n`,
            ),
            all.length === 0 ? 'There are no budgets but those of keys: see `signalbox keys show`.\n' : '',
          ].join(''),
        )
        return undefined
      },
      async remove(given) {
        const id = needed(given, 'the id of a budget', 'signalbox budget remove bud_…')
        await given.client.budgets.remove(id)
        given.answer({ removed: id }, () => `${id} is gone.\n`)
        return undefined
      },
    },
    'list',
  )

const whomOf = ({ by, value }: Budget): string =>
  by === 'all' ? 'for all together' : value === undefined ? `for each ${by}` : `for the ${by} ${value}`

const listText = (budgets: readonly Budget[]): string =>
  tableOf(
    ['id', 'name', 'limit USD', 'window', 'for', 'models', 'on breach', 'from'],
    budgets.map((budget) => [
      budget.id,
      budget.name,
      budget.limit,
      budget.window,
      whomOf(budget).replace(/^for /, ''),
      budget.models?.join(' ') ?? 'all',
      budget.onBreach,
      budget.source,
    ]),
  )

const statusText = (statuses: readonly BudgetStatus[]): string =>
  tableOf(
    ['budget', 'name', 'of', 'limit USD', 'spent', 'held', 'remaining', 'anew'],
    statuses.map(({ budget, name, value, limit, spent, held, remaining, resets }) => [
      budget,
      name,
      value,
      limit,
      spent,
      held,
      remaining,
      resets?.slice(0, 16),
    ]),
  )
