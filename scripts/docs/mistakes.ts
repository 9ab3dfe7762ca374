import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCatalog } from '../../src/catalog/catalog.ts'
import { loadConfigFile } from '../../src/config/load.ts'
import { problemText } from '../../src/server/commands/check.ts'

// A block of configuration that is wrong, and the block below it: what `signalbox check` says of it.
const example = /```yaml mistake\n([\s\S]*?)```\n\n```text\n[\s\S]*?```/g

/** The page with, below each mistake, what `signalbox check` really says. */
export async function withRealOutput(page: string): Promise<string> {
  const outputs = await Promise.all([...page.matchAll(example)].map(([, yaml = '']) => outputOf(yaml)))
  let index = 0
  return page.replace(example, (_whole, yaml: string) => `\`\`\`yaml mistake\n${yaml}\`\`\`\n\n\`\`\`text\n${outputs[index++]}\`\`\``)
}

export async function outputOf(yaml: string): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'signalbox-docs-'))
  try {
    const file = join(directory, 'signalbox.yaml')
    writeFileSync(file, yaml)
    const { problems } = await loadConfigFile(file, { env: { OPENAI_API_KEY: 'sk-example' }, catalog: createCatalog })
    return problems.map((problem) => problemText('signalbox.yaml', problem).replace(/^\n/, '')).join('\n')
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
