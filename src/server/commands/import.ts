/** `signalbox import litellm FILE`, `signalbox import portkey FILE`: another gateway's configuration as ours, with what it could not carry. */
import { readFileSync, writeFileSync } from 'node:fs'
import { stringify } from 'yaml'
import type { Imported, Lost } from '../../config/importers/imported.ts'
import { type ImportContext, importLitellm } from '../../config/importers/litellm.ts'
import { importPortkey } from '../../config/importers/portkey.ts'
import { genericPresets } from '../../config/known.ts'
import { parseConfig } from '../../config/parse.ts'
import { readYaml } from '../../config/yaml.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import { type CommandArgs, catalogFrom, catalogPathOf } from './catalog-file.ts'

const importers: Readonly<Record<string, (value: JsonObject, context: ImportContext) => Imported>> = {
  litellm: importLitellm,
  portkey: importPortkey,
}

/** 0 when a configuration came of it, 1 when what came of it has problems, 2 when there was nothing to read. */
export async function importCommand({ positionals: [from = '', file], options, write }: CommandArgs): Promise<number> {
  const told = (text: string): number => {
    write(`import: ${text}\n`)
    return 2
  }
  const importer = Object.hasOwn(importers, from) ? importers[from] : undefined
  if (!importer) return told(`from what? There are ${Object.keys(importers).join(' and ')}: signalbox import litellm config.yaml`)
  if (file === undefined) return told(`which file? signalbox import ${from} FILE`)
  let content: string
  try {
    content = readFileSync(file === '-' ? 0 : file, 'utf8')
  } catch (error) {
    return told(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  // JSON is YAML too.
  const read = readYaml(content, 'YAML')
  if ('problem' in read) return told(`${file}:${read.problem.line ?? 1}: ${read.problem.message}`)
  if (!isObject(read.value)) return told(`${file} holds no configuration`)
  const catalog = catalogFrom(catalogPathOf(undefined))
  const imported = importer(read.value, {
    knows: (preset) => Object.hasOwn(genericPresets, preset) || catalog.provider(preset) !== undefined,
    keyVariable: (preset) => catalog.provider(preset)?.env.find((name) => /KEY|TOKEN/.test(name)),
  })
  const problems = parseConfig(imported.config, { env: referenced(imported), catalog: () => catalog }).problems.map(
    ({ path, message }): Lost => ({ path, reason: message }),
  )
  if (options['json'] === true) write(`${JSON.stringify({ config: imported.config, lost: imported.lost, problems }, null, 2)}\n`)
  else {
    const yaml = `${heading(from, imported.lost, problems)}${stringify(imported.config)}`
    const out = options['out']
    if (typeof out === 'string') {
      writeFileSync(out, yaml)
      write(`${out} is written. ${report(imported.lost, problems)}`)
    } else write(yaml)
  }
  return problems.length === 0 ? 0 : 1
}

/** Variables need not be set where a configuration is imported. */
function referenced({ config }: Imported): Record<string, string> {
  const names = JSON.stringify(config).matchAll(/"env:(\w+)"|\$\{(\w+)\}/g)
  const usual = ['AZURE_RESOURCE_NAME']
  return Object.fromEntries([...[...names].map(([, key, variable]) => key ?? variable ?? ''), ...usual].map((name) => [name, 'set-later']))
}

const lines = (some: readonly Lost[], mark: string): string =>
  some.map(({ path, reason }) => `${mark}${path || '(file)'}: ${reason.split('\n')[0]}\n`).join('')

const heading = (from: string, lost: readonly Lost[], problems: readonly Lost[]): string =>
  `# Imported from ${from}. Check it: signalbox check\n${lost.length > 0 ? `# Not carried:\n${lines(lost, '#   ')}` : ''}${problems.length > 0 ? `# To be put right:\n${lines(problems, '#   ')}` : ''}`

const report = (lost: readonly Lost[], problems: readonly Lost[]): string =>
  `${lost.length === 0 ? 'Everything was carried.\n' : `Not carried:\n${lines(lost, '  ')}`}${problems.length > 0 ? `To be put right:\n${lines(problems, '  ')}` : ''}`
