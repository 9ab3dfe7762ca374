/** Use of the provider's own tools, which is billed by the piece beside the tokens. */
import type { Usage } from '../../core/event.ts'
import { isFilled, isNumber, isObject, type Json, type JsonObject, objectOf, stringOf } from '../../core/json.ts'

export type ToolUsage = Pick<Usage, 'webSearches' | 'fileSearches' | 'socialSearches' | 'codeRuns' | 'toolImages'>
type Kind = keyof ToolUsage
type Counts = { -readonly [Name in Kind]?: number | undefined }

/**
 * As the provider counts them (OpenAI searches of the web, xAI all); else by the answer's items, which is what OpenAI bills.
 * Undefined when nothing is said of any.
 */
export function toolsOf(response: JsonObject, usage: JsonObject): ToolUsage | undefined {
  const counted = countItems(response['output'])
  const openai = objectOf(response['tool_usage'])
  const xai = objectOf(usage['server_side_tool_usage_details'])
  if (!openai && !xai) return counted
  const counts = counted ?? {}
  const web = [objectOf(openai?.['web_search'])?.['num_requests'], xai?.['web_search_calls']].filter(isNumber)
  if (web.length > 0) counts.webSearches = Math.max(...web)
  if (xai) for (const [name, kind] of XAI) if (isNumber(xai[name])) counts[kind] = xai[name]
  // Nought is said of every answer: it is no use of anything.
  for (const kind of KINDS) if (counts[kind] === 0) counts[kind] = undefined
  return counts
}

const KINDS = ['webSearches', 'fileSearches', 'socialSearches', 'codeRuns', 'toolImages'] as const satisfies readonly Kind[]

const XAI = [
  ['file_search_calls', 'fileSearches'],
  ['x_search_calls', 'socialSearches'],
  ['code_interpreter_calls', 'codeRuns'],
  ['image_generation_calls', 'toolImages'],
] as const

function countItems(output: Json | undefined): Counts | undefined {
  if (!Array.isArray(output)) return undefined
  let counts: Counts | undefined
  let containers: Set<string> | undefined
  for (const item of output) {
    if (!isObject(item)) continue
    const kind = kindOf(item)
    if (kind === undefined) continue
    if (kind === 'codeRuns') {
      // One container is billed once, however often code runs in it and whatever comes of it.
      const container = containerOf(item)
      if (container !== undefined) {
        containers ??= new Set()
        if (containers.has(container)) continue
        containers.add(container)
      } else if (item['type'] === 'shell_call' || item['status'] === 'failed') continue
    } else if (item['status'] === 'failed') continue
    counts ??= {}
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  return counts
}

function kindOf(item: JsonObject): Kind | undefined {
  switch (item['type']) {
    case 'web_search_call':
      return isSearch(item) ? 'webSearches' : undefined
    case 'file_search_call':
      return 'fileSearches'
    case 'x_search_call':
      return 'socialSearches'
    case 'image_generation_call':
      return 'toolImages'
    case 'code_interpreter_call':
    case 'shell_call':
      return 'codeRuns'
    default:
      return undefined
  }
}

/** A shell without a container is the caller's own. */
function containerOf(item: JsonObject): string | undefined {
  const container = item['container_id'] ?? objectOf(item['environment'])?.['container_id']
  return isFilled(container) ? container : undefined
}

/** Opening a page and looking for words in it are no searches. */
function isSearch(item: JsonObject): boolean {
  const action = stringOf(objectOf(item['action'])?.['type'])
  return action === undefined || action === 'search'
}
