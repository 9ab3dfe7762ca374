// A lock between processes: a file with its holders' numbers. When all of them are dead, the next one takes it.
import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

const BEAT_MS = 5_000
// A number can belong to another program by now: nothing holds a lock this long without a sign of life.
const STALE_MS = 600_000
const POLL_MS = 100

/** Runs `work` while holding the lock. `work` is given a function that names a child process which counts as a holder too. */
export async function withLock(path, say, work, { staleMs = STALE_MS } = {}) {
  mkdirSync(dirname(path), { recursive: true })
  let told = false
  while (!take(path)) {
    recover(path, staleMs)
    if (!told && holders(path).length > 0) {
      told = true
      say(`waiting for another installation (process ${holders(path)[0]}) …`)
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  const beat = setInterval(() => touch(path), BEAT_MS)
  const release = () => rmSync(path, { force: true })
  process.once('exit', release)
  try {
    return await work((pid) => pid && writeFileSync(path, `${process.pid}\n${pid}`))
  } finally {
    clearInterval(beat)
    process.off('exit', release)
    release()
  }
}

function take(path) {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

/** Removes a lock that nobody holds. Only one process at a time may judge, lest it remove a fresh one. */
function recover(path, staleMs) {
  if (!isStale(path, staleMs)) return
  const judge = `${path}.recover`
  if (!take(judge)) {
    if (ageOf(judge) > 5_000) rmSync(judge, { force: true })
    return
  }
  try {
    if (isStale(path, staleMs)) rmSync(path, { force: true })
  } finally {
    rmSync(judge, { force: true })
  }
}

function isStale(path, staleMs) {
  const age = ageOf(path)
  // A file that was only just made may not hold its number yet.
  if (age === undefined || age < 50) return false
  return age > staleMs || !holders(path).some(isAlive)
}

function ageOf(path) {
  try {
    return Date.now() - statSync(path).mtimeMs
  } catch {
    return undefined
  }
}

function holders(path) {
  try {
    return readFileSync(path, 'utf8').split('\n').map(Number).filter(Boolean)
  } catch {
    return []
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

function touch(path) {
  try {
    const now = new Date()
    utimesSync(path, now, now)
  } catch {
    // Taken away by hand: nothing to keep fresh.
  }
}
