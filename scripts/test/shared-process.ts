/**
 * One process that runs many test files, one after the other. Started by shared.ts; its words are a directory for notes, its own name, and
 * the files. A file is a suite: its hooks hold for itself only, and it has ended before the next one is read.
 */
import { writeFileSync } from 'node:fs'
import { suite } from 'node:test'
import { pathToFileURL } from 'node:url'
import { claimNote, pidNote } from './notes.ts'

const [notes = '', name = '', ...files] = process.argv.slice(2)

/** Whoever makes the note first runs the file: that way no process is left with a long list while the others are done. */
function claim(index: number): boolean {
  try {
    writeFileSync(claimNote(notes, index), name, { flag: 'wx' })
    return true
  } catch {
    return false
  }
}

writeFileSync(pidNote(notes, name), String(process.pid))

// A test that waits for something which does not keep a process alive runs into its time limit, instead of ending the tests of all others.
// When the runner has been killed there is nobody to tell.
const runner = process.ppid
const alive = setInterval(() => process.ppid === runner || process.exit(1), 500)

for (const [index, file] of files.entries()) {
  if (!claim(index)) continue
  await suite(file, async () => {
    await import(pathToFileURL(file).href)
  })
}

clearInterval(alive)
