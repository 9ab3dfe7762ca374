/** Finds and reads a configuration file: YAML, JSON or TypeScript. Readers are loaded only when they are needed. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import type { Config, Notice, Problem } from './config.ts'
import type { ParseContext } from './parse.ts'

const names = ['signalbox.yaml', 'signalbox.json', 'signalbox.ts'] as const

/** The configuration of a directory, if it has one. */
export const findConfigFile = (directory: string): string | undefined =>
  names.map((name) => join(directory, name)).find((path) => existsSync(path))

export interface Loaded {
  /** Absolute. */
  readonly file: string
  /** Present when there are no problems. */
  readonly config?: Config
  readonly problems: readonly Problem[]
  readonly notices: readonly Notice[]
}

/** Reads and checks a file. Never throws: what is wrong with the file itself is a problem too. `file:` references are relative to it. */
export async function loadConfigFile(path: string, context: Omit<ParseContext, 'readFile'> = {}): Promise<Loaded> {
  const file = resolve(path)
  const fail = (problem: Omit<Problem, 'path'>): Loaded => ({ file, problems: [{ path: '', ...problem }], notices: [] })

  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    return fail({ message: `${file} cannot be read (${codeOf(error)})`, remedy: 'check the path, and that the file may be read' })
  }
  const read = await contentOf(file, text)
  if ('problem' in read) return fail(read.problem)

  const { parseConfig } = await import('./parse.ts')
  const readFile = (name: string): string => readFileSync(isAbsolute(name) ? name : join(dirname(file), name), 'utf8')
  const parsed = parseConfig(read.value, { ...context, readFile })
  if (parsed.problems.length === 0 || isCode(file)) return { file, ...parsed }
  const { locate } = await import('./locate.ts')
  return { file, ...parsed, problems: locate(text, parsed.problems) }
}

type Read = { readonly value: unknown } | { readonly problem: Omit<Problem, 'path'> }

async function contentOf(file: string, text: string): Promise<Read> {
  if (isCode(file)) return fromCode(file)
  if (file.endsWith('.json')) {
    try {
      return { value: JSON.parse(text) }
    } catch {
      // The YAML reader knows more places and kinds of mistakes, and JSON is YAML.
    }
  }
  const { readYaml } = await import('./yaml.ts')
  return readYaml(text, file.endsWith('.json') ? 'JSON' : 'YAML')
}

async function fromCode(file: string): Promise<Read> {
  try {
    // A changed file is another module: reloading must not get the old one.
    const { freshImport } = await import('./fresh-import.ts')
    const module = await freshImport(file)
    const value = module['config'] ?? module['default']
    if (value !== undefined) return { value }
    return { problem: { message: 'nothing is exported', remedy: 'write `export const config = defineConfig({ … })`' } }
  } catch (error) {
    return {
      problem: {
        message: `the file does not run: ${error instanceof Error ? error.message : String(error)}`,
        remedy: 'it is run by Node as it is: types are taken out, nothing else',
      },
    }
  }
}

const isCode = (file: string): boolean => /\.[cm]?[jt]s$/.test(file)
const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : 'unreadable')
