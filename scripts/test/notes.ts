/** What the processes of the tests write down for the runner: it is there even when one of them ends without a word. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Holds the name of the process that runs the file. */
export const claimNote = (notes: string, index: number): string => join(notes, `file-${index}`)
/** Holds the id of the process. */
export const pidNote = (notes: string, name: string): string => join(notes, `process-${name}`)

/** The files that a process took, in their order. */
export function claimedBy(name: string, notes: string, files: readonly string[]): readonly string[] {
  return files.filter((_, index) => {
    const note = claimNote(notes, index)
    return existsSync(note) && readFileSync(note, 'utf8') === name
  })
}

/** Its end at once: a loop without an end hears no other signal. */
export function kill(name: string, notes: string): void {
  try {
    process.kill(Number(readFileSync(pidNote(notes, name), 'utf8')), 'SIGKILL')
  } catch {
    // It has not begun, or has ended by itself.
  }
}
