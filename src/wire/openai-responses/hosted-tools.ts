/** Use of the provider's own tools, which is billed by the piece beside the tokens. */
import type { Usage } from '../../core/event.ts'
import { arrayOf, isFilled, isNumber, isObject, type Json, type JsonObject, objectOf, stringOf } from '../../core/json.ts'

export type ToolUsage = Pick<Usage, 'webSearches' | 'fileSearches' | 'socialSearches' | 'codeRuns' | 'toolImages'>
type Counts = { -readonly [Kind in keyof ToolUsage]: number | undefined }

/** As the provider counts them (OpenAI searches of the web, xAI all); else by the answer's items, which is what OpenAI bills. */
export function toolsOf(response: JsonObject, usage: JsonObject): ToolUsage {
  const counts = countItems(response['output'])
  const told = objectOf(usage['server_side_tool_usage_details'])
  const web = [objectOf(objectOf(response['tool_usage'])?.['web_search'])?.['num_requests'], told?.['web_search_calls']].filter(isNumber)
  if (web.length > 0) counts.webSearches = Math.max(...web)
  if (told) for (const [name, kind] of XAI) if (isNumber(told[name])) counts[kind] = told[name]
  // Nought is said of every answer: it is no use of anything.
  for (const kind of KINDS) if (counts[kind] === 0) counts[kind] = undefined
  return counts
}

const KINDS = ['webSearches', 'fileSearches', 'socialSearches', 'codeRuns', 'toolImages'] as const

const XAI = [
  ['file_search_calls', 'fileSearches'],
  ['x_search_calls', 'socialSearches'],
  ['code_interpreter_calls', 'codeRuns'],
  ['image_generation_calls', 'toolImages'],
] as const

function countItems(output: Json | undefined): Counts {
  const counts: Counts = {}
  let containers: Set<string> | undefined
  const count = (kind: keyof Counts): void => {
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  for (const item of arrayOf(output)) {
    if (!isObject(item)) continue
    const failed = item['status'] === 'failed'
    switch (item['type']) {
      case 'web_search_call':
        if (!failed && isSearch(item)) count('webSearches')
        break
      case 'file_search_call':
        if (!failed) count('fileSearches')
        break
      case 'x_search_call':
        if (!failed) count('socialSearches')
        break
      case 'image_generation_call':
        if (!failed) count('toolImages')
        break
      case 'code_interpreter_call':
      case 'shell_call': {
        const container = item['container_id'] ?? objectOf(item['environment'])?.['container_id']
        // One container is billed once, however often code runs in it and whatever comes of it.
        if (isFilled(container)) {
          containers ??= new Set()
          if (containers.has(container)) break
          containers.add(container)
          count('codeRuns')
        } else if (!failed && item['type'] === 'code_interpreter_call') count('codeRuns')
        // A shell without a container is the caller's own.
        break
      }
    }
  }
  return counts
}

/** Opening a page and looking for words in it are no searches. */
function isSearch(item: JsonObject): boolean {
  const action = stringOf(objectOf(item['action'])?.['type'])
  return action === undefined || action === 'search'
}
