/** From what an operator wrote to a `Config`, or to everything that is wrong with it at once. */
import type { Config, Notice, Problem } from './config.ts'
import { crossCheck, type KnownProviders } from './cross-check.ts'
import { noEffectYet } from './effects.ts'
import { explain, type Found, found } from './explain.ts'
import { genericPresets } from './known.ts'
import { putBack, setAside } from './own-strategies.ts'
import { resolve } from './resolve.ts'
import { configSchema } from './schema.ts'

export interface ParseContext {
  /** Default: none set. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Reads what `file:` references name. Default: they are not looked at. */
  readonly readFile?: (path: string) => string
  /** The catalogue's providers; asked only when a preset is none of the generic ones. Default: any id is accepted. */
  readonly catalog?: () => KnownProviders
  /** What the command line says; it wins over the file. */
  readonly overrides?: { readonly host?: string | undefined; readonly port?: number | undefined }
  /** In another program's process: nothing listens, and the store defaults to `memory:`. */
  readonly embedded?: boolean
}

export interface Parsed {
  /** Present when there are no problems. */
  readonly config?: Config
  readonly problems: readonly Problem[]
  /** What is valid but does not do anything yet. */
  readonly notices: readonly Notice[]
}

/** Never throws. The line of each problem is unknown here: `loadConfigFile` adds it. */
export function parseConfig(value: unknown, { catalog, ...given }: ParseContext = {}): Parsed {
  let known: KnownProviders | undefined
  const context: ParseContext = {
    ...given,
    ...(catalog && {
      catalog: () => {
        known ??= catalog()
        return known
      },
    }),
  }
  if (value !== undefined && value !== null && (typeof value !== 'object' || Array.isArray(value)))
    return failed([found([], 'a configuration is a section (key: value)', 'start with `providers:`')])
  const { input, strategies } = setAside(value ?? {})
  const forbidden = protoKeys(input)
  if (forbidden.length > 0) return failed(forbidden)
  const result = configSchema.safeParse(input)
  if (!result.success) return failed(result.error.issues.flatMap((issue) => explain(issue, configSchema, input)))
  const problems = crossCheck(result.data, context)
  if (problems.length > 0) return failed(problems)
  const config = putBack(resolve(result.data, context), strategies)
  return { config, problems: [], notices: [...noEffectYet(config, input), ...limitations(config, context)] }
}

/** What the catalogue says of providers that cannot be called just as they stand. */
function limitations({ providers }: Config, { catalog }: ParseContext): Notice[] {
  return [...providers].flatMap(([id, { preset }]) => {
    const limitation = Object.hasOwn(genericPresets, preset) ? undefined : catalog?.().provider(preset)?.limitation
    return limitation ? [{ path: `providers.${id}`, message: limitation }] : []
  })
}

const failed = (problems: readonly Found[]): Parsed => ({ problems: problems.filter(isFirst), notices: [] })

/** Two ways to write one value may both be found wrong for the same reason. */
const isFirst = ({ path, message }: Found, index: number, all: readonly Found[]): boolean =>
  all.findIndex((one) => one.path === path && one.message === message) === index

/** `__proto__` is a name that objects cannot hold safely, wherever it stands. */
function protoKeys(root: unknown): Found[] {
  const problems: Found[] = []
  const visit = (value: unknown, keys: readonly PropertyKey[]): void => {
    if (typeof value !== 'object' || value === null || keys.length > 100) return
    for (const [name, member] of Object.entries(value)) {
      const key = Array.isArray(value) ? Number(name) : name
      if (key === '__proto__') problems.push(found([...keys, key], 'the name `__proto__` cannot be used', 'choose another name'))
      else if (typeof member === 'object' && member !== null) visit(member, [...keys, key])
    }
  }
  visit(root, [])
  return problems
}
