#!/usr/bin/env node
// Starts Signalbox on any machine with npm and a Node of version 18 or later: installs what package-lock.json says when
// that has changed, then runs everything on the Node that came with it.
//
//   node scripts/bootstrap.mjs serve --port 8484        the command line, with production dependencies
//   node scripts/bootstrap.mjs --dev scripts/test.ts    a file, with development dependencies
//
// Plain JavaScript without dependencies, and quick when there is nothing to install: it runs before every start.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { constants, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheDirectory, isInstalled, nodeOf } from './bootstrap/state.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const OLDEST = 24

const args = process.argv.slice(2)
const dev = args[0] === '--dev'
const file = dev ? args[1] : join(root, 'src/server/cli.ts')
if (!file) {
  console.error('signalbox: --dev needs a file to run, as in: node scripts/bootstrap.mjs --dev scripts/test.ts')
  process.exit(2)
}

if (!isInstalled(root, { dev })) {
  const { install } = await import('./bootstrap/install.mjs')
  const code = await install(root, { dev })
  if (code !== 0) process.exit(code)
}

const ownNode = Number(process.versions.node.split('.')[0]) >= OLDEST ? process.execPath : undefined
run([nodeOf(root), ownNode].filter((path) => path && existsSync(path)))

/** Runs the file on the first Node that starts. Stays in this process group: who ends the group ends all. */
function run([node, ...others]) {
  if (!node) {
    console.error(
      `signalbox: there is no Node of its own for this machine (${process.platform}, ${process.arch}), and this one is ${process.version}. Install Node ${OLDEST} or later.`,
    )
    process.exit(1)
  }
  // On Alpine the pinned Node may be there but not start.
  const cache = process.env.NODE_COMPILE_CACHE ?? join(root, 'node_modules/.cache/node-compile')
  const serves = !dev && args[0] === 'serve'
  const unregister = serves ? register() : () => {}
  const child = spawn(node, [...(serves ? memoryFlags() : []), dev ? join(root, file) : file, ...args.slice(dev ? 2 : 0)], {
    stdio: 'inherit',
    env: { ...process.env, NODE_COMPILE_CACHE: cache },
  })
  unregister.child?.(child.pid)

  // A terminal and npm deliver signals to the whole group, so the child may get one twice: it must not mind.
  const forward = (signal) => child.kill(signal)
  const signals = ['SIGTERM', 'SIGINT', 'SIGHUP']
  for (const signal of signals) process.on(signal, forward)
  const watch = process.env.npm_lifecycle_event === undefined ? undefined : whenParentEnds(() => forward('SIGTERM'))
  const settle = () => {
    clearInterval(watch)
    for (const signal of signals) process.off(signal, forward)
    unregister()
  }
  child.once('error', (error) => {
    settle()
    if (others.length > 0) return run(others)
    console.error(`signalbox: ${node} does not start (${error.message}). Install Node ${OLDEST} or later.`)
    process.exit(1)
  })
  child.once('exit', (code, signal) => {
    settle()
    process.exit(code ?? 128 + (constants.signals[signal] ?? 0))
  })
}

/**
 * Calls to models live for seconds, and thousands at a time. With the young generation that Node has by default nearly all of what they
 * hold is copied twice and grows old with them; in a surge that is a fifth of the CPU. It grows only where it is needed.
 */
function memoryFlags() {
  const enough = Math.min(process.constrainedMemory?.() || Number.POSITIVE_INFINITY, totalmem()) >= 2 * 1024 ** 3
  return enough && !process.env.NODE_OPTIONS?.includes('semi-space') ? ['--max-semi-space-size=64'] : []
}

/** npm ends the shell between it and us, which passes no signal on. */
function whenParentEnds(act) {
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    act()
  }, 250)
  return watch
}

/** Leaves a note that a gateway runs, so that no installation changes its files under it. */
function register() {
  const note = join(cacheDirectory(root), 'running', String(process.pid))
  const write = (pids) => {
    try {
      mkdirSync(join(note, '..'), { recursive: true })
      writeFileSync(note, pids.join('\n'))
    } catch {
      // A read-only installation: nothing will be installed there either.
    }
  }
  write([process.pid])
  const unregister = () => rmSync(note, { force: true })
  unregister.child = (pid) => pid && write([process.pid, pid])
  return unregister
}
