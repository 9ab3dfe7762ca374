/** How much of the memory that the process may have it uses, 0 to 1: of V8's heap, or of what the machine or container has. */
import { totalmem } from 'node:os'
import { getHeapStatistics } from 'node:v8'

export function memoryUse(): number {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics()
  return Math.max(used / limit, process.memoryUsage.rss() / allowance())
}

/** Without a limit of its own, a process is told of none, or of one beyond the machine's memory. */
function allowance(): number {
  const constrained = process.constrainedMemory()
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem()
}
