/**
 * Makes the package that is published, in `dist/`: `npm run build`, then `npm publish ./dist`. Node runs `.ts` from a clone, but not
 * from `node_modules`; so there everything is JavaScript with its types beside it, and nothing that only development needs.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** What is imported or started by name; the rest is what these import. */
const entries = [
  'src/index.ts',
  'src/testing/index.ts',
  'src/admin/client.generated.ts',
  'src/server/cli.ts',
  'src/server/threads/thread.ts',
]
const copied = ['README.md', 'LICENSE', 'docs/guide', 'docs/reference', 'src/catalog/data']

const OLDEST_NODE = 24
const BIN = 'bin/signalbox.mjs'
const bin = `#!/usr/bin/env node
import module from 'node:module'
if (Number(process.versions.node.split('.')[0]) < ${OLDEST_NODE}) {
  console.error(\`signalbox: this Node is \${process.version}. Install Node ${OLDEST_NODE} or later.\`)
  process.exit(1)
}
module.enableCompileCache()
await import('../src/server/cli.js')
`

interface PackageFile {
  readonly [name: string]: unknown
  readonly exports: Readonly<Record<string, string>>
}

export function build(directory = join(root, 'dist')): void {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(join(directory, dirname(BIN)), { recursive: true })
  compile(directory)
  for (const path of copied) cpSync(join(root, path), join(directory, path), { recursive: true })
  writeFileSync(join(directory, BIN), bin, { mode: 0o755 })
  const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as PackageFile
  writeFileSync(join(directory, 'package.json'), `${JSON.stringify(published(own), undefined, 2)}\n`)
}

/** Its own Node comes with a clone only. */
function published({
  private: _private,
  scripts: _scripts,
  devDependencies: _dev,
  optionalDependencies: _nodes,
  ...own
}: PackageFile): object {
  const exports = Object.entries(own.exports).map(([name, path]) => [
    name,
    path.endsWith('.ts') ? { types: path.replace(/\.ts$/, '.d.ts'), default: path.replace(/\.ts$/, '.js') } : path,
  ])
  return { ...own, engines: { node: `>=${OLDEST_NODE}` }, exports: Object.fromEntries(exports), bin: { signalbox: BIN } }
}

function compile(directory: string): void {
  const project = join(directory, 'tsconfig.json')
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    rewriteRelativeImportExtensions: true,
    allowImportingTsExtensions: false,
    rootDir: join(root, 'src'),
    outDir: join(directory, 'src'),
    typeRoots: [join(root, 'node_modules/@types')],
  }
  const files = entries.map((path) => join(root, path))
  writeFileSync(project, JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, files, include: [] }))
  const { status } = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', project], { stdio: 'inherit' })
  rmSync(project)
  if (status !== 0) throw new Error('the source does not compile')
  // What the compiler leaves as it is: imports in declarations, and files that are started.
  for (const file of globSync('src/**/*.{js,d.ts}', { cwd: directory })) {
    const path = join(directory, file)
    const text = readFileSync(path, 'utf8')
    const forms = file.endsWith('.js') ? /(new URL\('\.[^']*)\.ts(', import\.meta\.url\))/g : /((?:from |import\()['"]\.[^'"]*)\.ts(['"])/g
    const changed = text.replace(forms, '$1.js$2')
    if (changed !== text) writeFileSync(path, changed)
  }
}

if (import.meta.main) {
  const directory = resolve(process.argv[2] ?? join(root, 'dist'))
  build(directory)
  console.log(`${directory}: npm publish it from there`)
}
