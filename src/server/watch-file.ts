/**
 * Tells when a file has changed, however that was done: written in place, replaced by another (editors, `mv`), or reached
 * through a link that now leads elsewhere (mounted configuration maps).
 */
import { type FSWatcher, realpathSync, statSync, watch } from 'node:fs'
import { basename, dirname } from 'node:path'

export interface WatchOptions {
  /** How long the file must be at rest. Milliseconds. */
  readonly debounceMs?: number
  /** How often it is looked at where the system cannot tell. Milliseconds. */
  readonly pollMs?: number
}

/** Returns a function that ends the watch. Keeps no process alive. */
export function watchFile(file: string, changed: () => void, { debounceMs = 150, pollMs = 5_000 }: WatchOptions = {}): () => void {
  let seen = stampOf(file)
  let rest: ReturnType<typeof setTimeout> | undefined
  const look = (): void => {
    rest = undefined
    const stamp = stampOf(file)
    // Between removal and replacement there is nothing to read.
    if (stamp === undefined || stamp === seen) return
    seen = stamp
    changed()
  }
  const soon = (): void => {
    clearTimeout(rest)
    rest = setTimeout(look, debounceMs)
    rest.unref()
  }
  const watchers: FSWatcher[] = []
  // A directory is watched, not the file: a watched file that is replaced is watched no more.
  for (const directory of new Set([dirname(file), dirname(realOf(file))])) {
    try {
      const names = new Set([basename(file), basename(realOf(file)), '..data'])
      const watcher = watch(directory, { persistent: false }, (_event, name) => {
        if (name === null || names.has(name)) soon()
      })
      watcher.on('error', () => watcher.close())
      watchers.push(watcher)
    } catch {
      // No watches left, or a file system without them: the poll below sees it.
    }
  }
  const poll = setInterval(look, pollMs)
  poll.unref()
  return () => {
    clearInterval(poll)
    clearTimeout(rest)
    for (const watcher of watchers) watcher.close()
  }
}

function realOf(file: string): string {
  try {
    return realpathSync(file)
  } catch {
    return file
  }
}

function stampOf(file: string): string | undefined {
  try {
    const { ino, size, mtimeMs } = statSync(file)
    return `${ino} ${size} ${mtimeMs}`
  } catch {
    return undefined
  }
}
