import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { CACHE } from './processes.ts'

/** With newer ones of its own dependencies than these it answers every stream with 500. */
const MANIFEST = {
  private: true,
  dependencies: { '@portkey-ai/gateway': '1.15.2' },
  overrides: { hono: '4.9.7', '@hono/node-server': '1.14.1' },
}

/**
 * Path of the peer's start script, installed on first use into the cache: it is no dependency of the project. Throws when it cannot be
 * installed.
 */
export async function installPeer(): Promise<string> {
  const dir = join(CACHE, 'portkey')
  const script = join(dir, 'node_modules/@portkey-ai/gateway/build/start-server.js')
  const manifest = join(dir, 'package.json')
  const wanted = JSON.stringify(MANIFEST, null, 2)
  if (existsSync(script) && readFileSync(manifest, 'utf8') === wanted) return script
  mkdirSync(dir, { recursive: true })
  writeFileSync(manifest, wanted)
  // A shell, because on Windows npm is a script.
  await promisify(execFile)('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: dir, shell: true, timeout: 180_000 })
  if (!existsSync(script)) throw new Error('npm installed something else')
  return script
}
