// Installs what the lock file says. One at a time: others wait, and find it done.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { withLock } from './lock.mjs'
import { cacheDirectory, hasDev, isInstalled, lockHash, missesNode, readStamp, treeMatches, writeStamp } from './state.mjs'

const say = (line) => console.error(`signalbox: ${line}`)

/** Answers the exit code: 0 when everything is in place. */
export async function install(root, { dev: wanted }) {
  return withLock(join(cacheDirectory(root), 'install.lock'), say, async (note) => {
    if (isInstalled(root, { dev: wanted })) return 0
    const hash = lockHash(root)
    const stamp = readStamp(root)
    // What `npm test` has brought is never taken away again.
    const dev = wanted || stamp.dev === true || hasDev(root)
    if (treeMatches(root, { dev })) {
      writeStamp(root, { hash, dev })
      return 0
    }
    // Adding development dependencies leaves a running gateway's files alone; a changed lock file does not.
    const running = stamp.hash === hash ? undefined : runningGateway(root)
    if (running !== undefined) {
      say(`package-lock.json has changed, but a gateway runs from this directory (process ${running}). Stop it, then start again.`)
      return 1
    }
    say(stamp.hash ? 'installing what package-lock.json says …' : 'installing dependencies, once. This takes up to a minute …')
    const started = Date.now()
    let code = await npm(root, dev, note)
    // npm is silent about an optional package that it could not fetch, and the pinned Node is one.
    if (code === 0 && missesNode(root)) code = await npm(root, dev, note)
    if (code === 0 && missesNode(root)) code = 1
    if (code !== 0) {
      say('npm could not install the dependencies (its words are above). Check the network and the registry, then start again.')
      return code
    }
    writeStamp(root, { hash, dev })
    say(`installed in ${Math.round((Date.now() - started) / 1000)} s.`)
    return 0
  })
}

/** Runs npm, quietly, without install scripts, without writing package.json or the lock file. */
function npm(root, dev, note) {
  const options = [
    'install',
    '--prefix',
    root,
    '--no-save',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--no-progress',
    '--loglevel=error',
    '--package-lock=true',
    '--global=false',
    '--include=optional',
    dev ? '--include=dev' : '--omit=dev',
  ]
  const script = process.env.npm_execpath
  const [command, first] = script?.endsWith('npm-cli.js') && existsSync(script) ? [process.execPath, [script]] : ['npm', []]
  const child = spawn(command, [...first, ...options], {
    cwd: root,
    // npm's list of what it changed is not for this terminal's reader, and standard output belongs to the command that follows.
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: command === 'npm' && process.platform === 'win32',
  })
  note(child.pid)
  const signals = ['SIGTERM', 'SIGINT', 'SIGHUP']
  let stopped
  const forward = (signal) => {
    stopped = signal
    child.kill(signal)
  }
  for (const signal of signals) process.on(signal, forward)
  return new Promise((resolve) => {
    const end = (code) => {
      for (const signal of signals) process.off(signal, forward)
      resolve(stopped ? 128 + constants.signals[stopped] : code)
    }
    child.once('error', (error) => {
      say(`npm does not start (${error.message}). Install npm, or run \`npm ci\` yourself.`)
      end(1)
    })
    child.once('exit', (code) => end(code ?? 1))
  })
}

/** The process id of a gateway that runs from this directory. Notes of dead ones are cleared. */
function runningGateway(root) {
  const directory = join(cacheDirectory(root), 'running')
  if (!existsSync(directory)) return undefined
  for (const name of readdirSync(directory)) {
    const path = join(directory, name)
    const pid = readPids(path).find((candidate) => isOurs(candidate))
    if (pid !== undefined) return pid
    rmSync(path, { force: true })
  }
  return undefined
}

function readPids(path) {
  try {
    return readFileSync(path, 'utf8').split('\n').map(Number).filter(Boolean)
  } catch {
    return []
  }
}

/** Alive, and not another program that was given the same number since. */
function isOurs(pid) {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (error.code !== 'EPERM') return false
  }
  const command = commandOf(pid)
  return command === undefined || /bootstrap\.mjs|server[\\/]cli/.test(command)
}

function commandOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    const { status, stdout } =
      process.platform === 'win32' ? {} : spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' })
    return status === 0 ? stdout : undefined
  }
}
