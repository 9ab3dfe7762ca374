import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { watchFile } from './watch-file.ts'

async function watched(
  work: (path: string, directory: string) => Promise<void>,
  prepare?: (path: string, directory: string) => void,
): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'signalbox-watch-'))
  const path = join(directory, 'signalbox.yaml')
  if (prepare) prepare(path, directory)
  else writeFileSync(path, 'one')
  let changes = 0
  const end = watchFile(path, () => changes++, { debounceMs: 60, pollMs: 250 })
  try {
    await work(path, directory)
    await sleep(500)
    return changes
  } finally {
    end()
    rmSync(directory, { recursive: true, force: true })
  }
}

test('a file that is written in place is told once, however many writes that took', async () => {
  assert.equal(
    await watched(async (path) => {
      for (const text of ['', 'half', 'whole text']) {
        writeFileSync(path, text)
        await sleep(5)
      }
    }),
    1,
  )
})

test('a file that an editor replaces is told each time', async () => {
  assert.equal(
    await watched(async (path, directory) => {
      for (const text of ['two', 'three']) {
        writeFileSync(join(directory, 'new~'), text)
        renameSync(join(directory, 'new~'), path)
        await sleep(400)
      }
    }),
    2,
  )
})

test('a file that is taken away and put back is told when it is there again', async () => {
  assert.equal(
    await watched(async (path) => {
      unlinkSync(path)
      await sleep(150)
      writeFileSync(path, 'again')
    }),
    1,
  )
})

test('a mounted configuration that is swapped behind its link is told', async () => {
  const version = (directory: string, name: string, text: string): void => {
    mkdirSync(join(directory, name))
    writeFileSync(join(directory, name, 'signalbox.yaml'), text)
  }
  assert.equal(
    await watched(
      async (_path, directory) => {
        version(directory, 'v2', 'two')
        symlinkSync('v2', join(directory, '..data_tmp'))
        renameSync(join(directory, '..data_tmp'), join(directory, '..data'))
      },
      (path, directory) => {
        version(directory, 'v1', 'one')
        symlinkSync('v1', join(directory, '..data'))
        symlinkSync(join('..data', 'signalbox.yaml'), path)
      },
    ),
    1,
  )
})

test('other files of the directory are nothing to it', async () => {
  assert.equal(await watched(async (_path, directory) => writeFileSync(join(directory, 'signalbox.db'), 'x')), 0)
})
