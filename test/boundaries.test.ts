/** Who may import whom. The folders of src/ are layers and stages; what a stage needs of another, `gateway.ts` hands to it. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, sep } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../src', import.meta.url))

/** What the files of a folder may import from other folders. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  core: [],
  wire: ['core'],
  ingress: ['core', 'wire'],
  policy: ['core'],
  secrets: ['core'],
  guards: ['core'],
  cache: ['core'],
  routing: ['core'],
  egress: ['core', 'wire'],
  accounting: ['core'],
  admission: ['core'],
  mcp: ['core', 'wire'],
  workflows: ['core'],
  store: ['core'],
  // Data and lookup.
  catalog: ['core'],
  // Plugs in as a provider does: it speaks the wires.
  testing: ['core', 'wire'],
  config: ['core'],
  admin: ['core', 'store', 'config'],
  // Lines of their own, with the simulator behind them.
  drills: ['core', 'config', 'testing'],
}

/** Files that join the parts and so see all of them, but never `server/`. */
const joiners = new Set([
  'gateway.ts',
  'admit.ts',
  'deliver.ts',
  'create-gateway.ts',
  'embed.ts',
  'embedded-spending.ts',
  'index.ts',
  'config/assemble.ts',
  'config/build-routes.ts',
])

/** Types have no code: these may be named across folders. */
const typesFrom: Readonly<Record<string, readonly string[]>> = {
  // What is known of models and prices is handed in; its shape is named.
  accounting: ['catalog'],
  drills: ['accounting', 'catalog'],
  config: [
    'wire',
    'ingress',
    'policy',
    'guards',
    'cache',
    'routing',
    'egress',
    'accounting',
    'admission',
    'mcp',
    'workflows',
    'store',
    'catalog',
  ],
}

interface Import {
  readonly from: string
  readonly specifier: string
  /** Nothing of it is left once types are taken out. */
  readonly typeOnly: boolean
}

const statement = /^\s*(?:import|export)\s+(type\s+)?(?:[\w*{}\s,$]+?\s+from\s+)?['"]([^'"]+)['"]/gm
const dynamic = /\bimport\(\s*['"]([^'"]+)['"]\s*\)(\s*\.\s*[A-Z])?/g

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8')
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/^\s*\/\/.*$/gm, '')
  return [
    ...[...text.matchAll(statement)].map(([whole, type, specifier = '']) => ({
      from: file,
      specifier,
      typeOnly: Boolean(type) || onlyTypes(whole),
    })),
    ...[...text.matchAll(dynamic)].map(([, specifier = '', type]) => ({ from: file, specifier, typeOnly: Boolean(type) })),
  ]
}

/** `import { type A, type B } from …` leaves nothing either. */
const onlyTypes = (whole: string): boolean => {
  const names = /\{([^}]*)\}/
    .exec(whole)?.[1]
    ?.split(',')
    .map((name) => name.trim())
    .filter(Boolean)
  return names !== undefined && names.length > 0 && names.every((name) => name.startsWith('type ')) && !/import\s+\w/.test(whole)
}

const files = globSync('**/*.ts', { cwd: root })
  .map((file) => file.split(sep).join('/'))
  .filter((file) => !file.endsWith('.test.ts') && !file.includes('/fixtures/'))
const imports = files.flatMap(importsOf)
const folderOf = (file: string): string => (file.includes('/') ? (file.split('/')[0] ?? '') : '')
const isRelative = ({ specifier }: Import): boolean => specifier.startsWith('.')
const targetOf = ({ from, specifier }: Import): string =>
  normalize(join(dirname(from), specifier))
    .split(sep)
    .join('/')
const told = (some: readonly Import[]): string[] => some.map(({ from, specifier }) => `${from} imports ${specifier}`)

test('imports are found, of every form', () => {
  assert.ok(imports.length > 100)
  assert.ok(imports.some(({ from, specifier }) => from === 'wire/wire.ts' && specifier === '../core/event.ts'))
  assert.ok(imports.some(({ from, specifier }) => from === 'server/cli.ts' && specifier === './commands/serve.ts'))
  const folders = new Set(files.map(folderOf))
  for (const folder of folders) assert.ok(folder === '' || folder === 'server' || allowed[folder], `src/${folder} has no rule here`)
})

test('every relative import names a file that exists, with its ending', () => {
  const known = new Set(files)
  assert.deepEqual(
    told(
      imports.filter(
        (one) => isRelative(one) && targetOf(one).endsWith('.ts') && !targetOf(one).startsWith('..') && !known.has(targetOf(one)),
      ),
    ),
    [],
  )
  assert.deepEqual(told(imports.filter((one) => isRelative(one) && !/\.(ts|json)$/.test(one.specifier))), [])
})

test('core and wire need nothing but the language: no `node:` module, no package', () => {
  const outside = imports.filter((one) => ['core', 'wire'].includes(folderOf(one.from)) && !isRelative(one))
  assert.deepEqual(told(outside), [])
})

test('nothing imports the server', () => {
  const bad = imports.filter((one) => isRelative(one) && folderOf(targetOf(one)) === 'server' && folderOf(one.from) !== 'server')
  assert.deepEqual(told(bad), [])
})

test('stages do not know each other', () => {
  const bad = imports.filter((one) => {
    const from = folderOf(one.from)
    if (!isRelative(one) || joiners.has(one.from) || from === 'server' || from === '') return false
    const to = folderOf(targetOf(one))
    if (to === from || allowed[from]?.includes(to)) return false
    return !(one.typeOnly && typesFrom[from]?.includes(to))
  })
  assert.deepEqual(told(bad), [])
})

test('the files at the top join the parts, and are few', () => {
  const top = files.filter((file) => folderOf(file) === '')
  assert.deepEqual(
    top.filter((file) => !joiners.has(file)),
    [],
  )
})

test('members of one kind are imported by name, not through barrels of the whole folder', () => {
  const bad = imports.filter((one) => isRelative(one) && /^\.\.?\/?$/.test(one.specifier))
  assert.deepEqual(told(bad), [])
})
