/** `signalbox secrets`: credentials in the built-in store. Values are read from standard input, a file or the environment: arguments are for all to see. */
import { readFileSync } from 'node:fs'
import { AdminError } from '../../admin/client-call.ts'
import { compact } from '../../core/json.ts'
import { type AdminCommand, adminCommand, needed, tableOf, UsageError } from './admin-command.ts'
import type { CommandArgs } from './catalog-file.ts'

export const secretsCommand = (args: CommandArgs, readInput = (): string => readFileSync(0, 'utf8')): Promise<number> =>
  adminCommand(
    'secrets',
    args,
    {
      async list(given) {
        const answer = await given.client.secrets.list(compact({ organisation: given.option('organisation') }))
        given.answer(answer, () => {
          const rows = answer.data.map(({ name, organisation, version, valueAt, masterKey }) => [
            name,
            organisation,
            version,
            valueAt.slice(0, 16),
            masterKey,
          ])
          return rows.length === 0
            ? 'There are no stored secrets: put one with `signalbox secrets set NAME`.\n'
            : tableOf(['name', 'organisation', 'version', 'since', 'master key'], rows)
        })
        return undefined
      },
      async set(given) {
        const name = nameIn(given)
        const organisation = given.option('organisation')
        const value = valueIn(given, readInput)
        const stored = await given.client.secrets.create({ name, value, ...compact({ organisation }) }).catch((error: unknown) => {
          if (error instanceof AdminError && error.status === 409)
            return given.client.secrets.rotate(name, { value }, compact({ organisation }))
          throw error
        })
        given.answer(stored, () => `${name} is stored (version ${stored.version}): refer to it as \`secret:${name}\`.\n`)
        return undefined
      },
      async rotate(given) {
        const name = nameIn(given)
        const value = valueIn(given, readInput)
        const stored = await given.client.secrets.rotate(name, { value }, compact({ organisation: given.option('organisation') }))
        given.answer(stored, () => `${name} has a new value (version ${stored.version}).\n`)
        return undefined
      },
      async remove(given) {
        const name = nameIn(given)
        await given.client.secrets.remove(name, compact({ organisation: given.option('organisation') }))
        given.answer({ removed: name }, () => `${name} is gone.\n`)
        return undefined
      },
      async 'rotate-master'(given) {
        const reference = needed(given, 'a reference to the new master key', 'signalbox secrets rotate-master env:SIGNALBOX_MASTER_KEY_2')
        const fresh = args.options['fresh'] === true
        const { changed, wrapped, rewrapped, failed } = await given.client.secrets.rotateMaster({ reference, ...(fresh && { fresh }) })
        given.answer({ changed, wrapped, rewrapped, failed }, () => {
          if (failed > 0) return `${rewrapped} secrets are under the new key; ${failed} are not: their old key is not at hand.\n`
          const write = `write \`masterKey: ${reference}\` under \`secrets:\` now`
          if (wrapped) return `The KMS wrapped the master key anew; ${write}, if it is not there yet.\n`
          return changed ? `${rewrapped} secrets are under the new key: ${write}.\n` : 'That is the master key already.\n'
        })
        return failed > 0 ? 1 : 0
      },
    },
    'list',
  )

const nameIn = (given: AdminCommand): string => needed(given, 'the name of a secret', 'signalbox secrets set openai-2 < key.txt')

function valueIn({ option, words }: AdminCommand, readInput: () => string): string {
  if (words.length > 1)
    throw new UsageError('a value does not belong on the command line, where others see it: pipe it in, or name --file or --env')
  const file = option('file')
  const variable = option('env')
  let value: string
  if (variable !== undefined) {
    value = process.env[variable] ?? ''
    if (value === '') throw new UsageError(`the environment variable ${variable} is not set`)
  } else if (file !== undefined) value = textOf(file)
  else value = readInput()
  if (value.trim() === '') throw new UsageError('the value is empty: pipe it in, or name --file or --env')
  return value.trim()
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}
