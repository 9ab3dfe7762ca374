/** Log lines, written many at a time: a call never waits for its line. */
export interface LineWriter {
  write(line: string): void
  flush(): void
}

const FLUSH_MS = 50
const MAX_PENDING = 64 * 1024

export function lineWriter(out: (text: string) => void): LineWriter {
  let pending = ''
  let timer: ReturnType<typeof setTimeout> | undefined
  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    if (pending === '') return
    const text = pending
    pending = ''
    out(text)
  }
  return {
    write(line) {
      pending += line
      if (pending.length > MAX_PENDING) flush()
      else timer ??= setTimeout(flush, FLUSH_MS)
    },
    flush,
  }
}
