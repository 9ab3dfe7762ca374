/** Types and lint, without tests: `npm run check`. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

const steps = [
  { name: 'types', program: 'typescript/bin/tsc', args: ['-p', '.'] },
  { name: 'lint', program: '@biomejs/biome/bin/biome', args: ['check', '--error-on-warnings', '--diagnostic-level=warn'] },
] as const

/** True when every step passes. Prints what does not. */
export function check(): boolean {
  const results = steps.map(({ name, program, args }) => {
    const started = performance.now()
    const { status } = spawnSync(process.execPath, [join(root, 'node_modules', program), ...args], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    const took = ((performance.now() - started) / 1000).toFixed(1)
    console.log(`${status === 0 ? '✔' : '✖'} ${name} (${took} s)`)
    return status === 0
  })
  return results.every(Boolean)
}

if (import.meta.main) process.exitCode = check() ? 0 : 1
