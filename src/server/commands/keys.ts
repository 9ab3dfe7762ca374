/** `signalbox keys`: gateway keys of a running gateway. */
import type { Key, KeyBudgetInput, KeyInput, KeyLimitInput, NewKey } from '../../admin/client.generated.ts'
import { compact } from '../../core/json.ts'
import { type AdminCommand, adminCommand, every, needed, tableOf, UsageError } from './admin-command.ts'
import type { CommandArgs } from './catalog-file.ts'

export const keysCommand = (args: CommandArgs): Promise<number> =>
  adminCommand(
    'keys',
    args,
    {
      async list(given) {
        const organisation = given.option('organisation')
        const data = await every((after) => given.client.keys.list({ limit: 1_000, ...compact({ after, organisation }) }))
        given.answer({ data }, () =>
          data.length === 0 ? 'There are no keys: make one with `signalbox keys create --alias NAME`.\n' : listText(data),
        )
        return undefined
      },
      async create(given) {
        const made = await given.client.keys.create(inputOf(given))
        given.answer(made, () => madeText(made, 'made'))
        return undefined
      },
      async show(given) {
        const id = needed(given, 'the id of a key', 'signalbox keys show key_…')
        const [key, budgets] = await Promise.all([given.client.keys.get(id), given.client.keys.budgets(id)])
        given.answer({ ...key, spending: budgets.data }, () => {
          const spent = budgets.data.map(
            ({ name, limit, spent: used, held, resets }) =>
              `  budget ${name ?? ''}: $${used} spent, $${held} held of $${limit}${resets === undefined ? '' : `, anew ${resets}`}\n`,
          )
          return keyText(key) + spent.join('')
        })
        return undefined
      },
      async revoke(given) {
        const id = needed(given, 'the id of a key', 'signalbox keys revoke key_…')
        await given.client.keys.revoke(id)
        given.answer({ revoked: id }, () => `${id} is revoked: it ends everywhere within a second.\n`)
        return undefined
      },
      async rotate(given) {
        const id = needed(given, 'the id of a key', 'signalbox keys rotate key_… --overlap 1h')
        const made = await given.client.keys.rotate(id, compact({ overlap: given.option('overlap') }))
        given.answer(made, () => madeText(made, 'rotated'))
        return undefined
      },
    },
    'list',
  )

function inputOf({ option, list }: AdminCommand): KeyInput {
  const expires = option('expires')
  const scopes = compact({ endpoints: list('endpoints'), tiers: list('tiers'), tools: list('tools'), ips: list('ips') })
  return compact({
    alias: option('alias'),
    group: option('group'),
    organisation: option('organisation'),
    team: option('team'),
    project: option('project'),
    user: option('user'),
    tags: list('tags'),
    tier: option('tier'),
    rotateEvery: option('rotate-every'),
    models: list('models'),
    scopes: Object.keys(scopes).length > 0 ? scopes : undefined,
    budgets: list('budget')?.map(budgetOf),
    limits: list('limit')?.map(limitOf),
    ...(expires !== undefined && (/^\d+(ms|s|m|h|d)$/.test(expires) ? { expiresIn: expires } : { expiresAt: expires })),
  }) as KeyInput
}

/** `0.50/day` */
function budgetOf(written: string): KeyBudgetInput {
  const [, limit, window] = /^\$?(\d+(?:\.\d+)?)(?:\/(\w+))?$/.exec(written) ?? []
  if (limit === undefined) throw new UsageError(`--budget ${written} is not a budget: write 0.50/day`)
  return { limit, ...(window !== undefined && { window }) }
}

/** `requests=60/1m`, `concurrent=4` */
function limitOf(written: string): KeyLimitInput {
  const [, what, limit, window] = /^([a-z-]+)=(\d+)(?:\/(\w+))?$/.exec(written) ?? []
  if (limit === undefined) throw new UsageError(`--limit ${written} is not a limit: write requests=60/1m, tokens=100000/1h or concurrent=4`)
  return { what: what as KeyLimitInput['what'], limit: Number(limit), ...(window !== undefined && { window }) }
}

const listText = (keys: readonly Key[]): string =>
  tableOf(
    ['id', 'prefix', 'alias', 'belongs to', 'models', 'budgets', 'expires'],
    keys.map(({ id, prefix, alias, organisation, team, project, models, budgets, expiresAt }) => [
      id,
      prefix,
      alias,
      [organisation, team, project].filter(Boolean).join('/'),
      models === undefined ? 'all' : models.join(' '),
      budgets.map(({ limit, window }) => `$${limit}/${window}`).join(' '),
      expiresAt?.slice(0, 16),
    ]),
  )

function madeText(made: NewKey, how: string): string {
  const until = made.previousValidUntil === undefined ? '' : `The key before works until ${made.previousValidUntil}.\n`
  return `${made.key}\n\n${made.id} is ${how}. This is shown once: put it where its user finds it.\n${until}`
}

function keyText(key: Key): string {
  const { id, prefix, alias, organisation, team, project, scopes, limits, budgets, createdAt, expiresAt, rotateEvery, rotatesAt, version } =
    key
  const lines = [
    `${id}${alias === undefined ? '' : ` (${alias})`}, begins ${prefix}, version ${version}`,
    `  belongs to ${[organisation, team, project].filter(Boolean).join('/') || 'the installation'}`,
    ...Object.entries(scopes).map(([name, words]) => `  ${name}: ${words.length === 0 ? 'none' : words.join(', ')}`),
    ...limits.map(({ what, limit, window }) => `  at most ${limit} ${what}${what === 'concurrent' ? '' : ` in ${window}`}`),
    ...budgets.map(({ limit, window, by }) => `  at most $${limit} a ${window}, by ${by}`),
    ...(rotateEvery === undefined ? [] : [`  rotated every ${rotateEvery}, next ${rotatesAt}`]),
    `  made ${createdAt}${expiresAt === undefined ? '' : `, ends ${expiresAt}`}`,
  ]
  return `${lines.join('\n')}\n`
}
