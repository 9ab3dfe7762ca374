/** `generationConfig`: limits, sampling, format and thinking. */
import type { Effort, Format, ReasoningWish, SettingName, Settings } from '../../core/call.ts'
import { invalid } from '../../core/error.ts'
import type { Json } from '../../core/json.ts'
import { wordOf } from '../../core/json.ts'
import { schemaOf } from './decode-tools.ts'
import type { Fields } from './fields.ts'

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

export interface Decoded {
  readonly settings: Mutable<Settings>
  readonly paths: { [Name in SettingName]?: string }
  format?: Format
  reasoning?: ReasoningWish
  /** What has no meaning here, under its whole path. */
  readonly rest: [string, Json][]
}

const NUMBERS = {
  temperature: 'temperature',
  topP: 'topP',
  topK: 'topK',
  candidateCount: 'n',
  maxOutputTokens: 'maxTokens',
  seed: 'seed',
  presencePenalty: 'presencePenalty',
  frequencyPenalty: 'frequencyPenalty',
  logprobs: 'topLogprobs',
} as const satisfies Record<string, SettingName>

export function generationConfigOf(config: Fields, decoded: Decoded): void {
  const { settings, paths, rest } = decoded
  for (const [name, setting] of Object.entries(NUMBERS)) {
    const number = config.number(name)
    if (!number) continue
    settings[setting] = number.value
    paths[setting] = number.path
  }
  const logprobs = config.boolean('responseLogprobs')
  if (logprobs) {
    settings.logprobs = logprobs.value
    paths.logprobs = logprobs.path
  }
  const stop = wordsOf(config, 'stopSequences')
  if (stop) {
    settings.stop = stop.words
    paths.stop = stop.path
  }
  const modalities = wordsOf(config, 'responseModalities')
  if (modalities) {
    settings.modalities = modalities.words.map((word) => word.toLowerCase())
    paths.modalities = modalities.path
  }
  decoded.format = formatOf(config, rest)
  const thinking = config.object('thinkingConfig')
  if (thinking) decoded.reasoning = reasoningOf(thinking)
  rest.push(...config.rest(`${config.path}.`))
}

function wordsOf(config: Fields, name: string): { words: string[]; path: string } | undefined {
  const member = config.take(name)
  if (!member) return undefined
  const list: readonly Json[] = Array.isArray(member.value) ? member.value : [member.value as Json]
  return {
    path: member.path,
    words: list.map((word) => {
      if (typeof word !== 'string') throw invalid(`${name} must be a list of strings.`, member.path)
      return word
    }),
  }
}

function formatOf(config: Fields, rest: [string, Json][]): Format | undefined {
  const mime = config.take('responseMimeType')
  if (mime && typeof mime.value !== 'string') throw invalid('responseMimeType must be a string.', mime.path)
  const schema = schemaOf(config, 'responseJsonSchema', 'responseSchema')
  if (schema) {
    // A choice among words is a format of its own; elsewhere its schema says the same.
    if (mime && mime.value !== 'application/json') rest.push([mime.path, mime.value])
    return { type: 'schema', path: schema.path, schema: schema.schema }
  }
  if (!mime) return undefined
  if (mime.value === 'application/json') return { type: 'json', path: mime.path }
  if (mime.value === 'text/plain') return { type: 'text', path: mime.path }
  rest.push([mime.path, mime.value])
  return undefined
}

const EFFORTS = new Set<string>(['minimal', 'low', 'medium', 'high', 'xhigh'])

function reasoningOf(thinking: Fields): ReasoningWish {
  const visible = thinking.boolean('includeThoughts')?.value
  const budget = thinking.number('thinkingBudget')?.value
  const member = thinking.take('thinkingLevel')
  if (member && typeof member.value !== 'string') throw invalid('thinkingLevel must be a string.', member.path)
  const level = wordOf(member?.value).toLowerCase()
  const known = EFFORTS.has(level)
  const unknown: [string, Json][] = member && !known && level !== 'thinking_level_unspecified' ? [['thinkingLevel', member.value]] : []
  return {
    path: thinking.path,
    ...(budget === 0 ? { on: false } : budget === -1 ? { on: true } : {}),
    ...(known && { effort: level as Effort }),
    ...(budget !== undefined && { budget }),
    ...(visible !== undefined && { visible }),
    ...thinking.extras(unknown),
  }
}
