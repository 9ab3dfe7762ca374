/** What a translation could not carry. Filled by `encodeCall`, shown as `x-signalbox-dropped`, refused in strict mode. */
import type { ChatCall, Node, SettingName, Settings, WireId } from './call.ts'
import { at, type JsonObject } from './json.ts'

export interface Drop {
  /** Where in the client's body. */
  readonly path: string
  /** A few words: `not supported`, `clamped to 1`, `as a tool`. */
  readonly reason: string
}

export class Notes {
  readonly drops: Drop[] = []

  /** Names a loss: a field dropped, clamped or done by other means. */
  dropped(path: string, reason: string): void {
    if (!this.drops.some((drop) => drop.path === path)) this.drops.push({ path, reason })
  }

  /** The extras of a node, when they can go back to the wire they came from; else they are named as dropped. */
  extrasOf(node: Node, call: ChatCall, target: WireId): JsonObject | undefined {
    if (!node.extras) return undefined
    if (call.wire === target) return node.extras
    for (const key of Object.keys(node.extras)) this.dropped(at(node.path, key), node.why?.[key] ?? 'unknown to the target')
    return undefined
  }
}

/** Hands out the settings of a call; `rest` names what no encoder took. */
export function settingsOf(
  call: ChatCall,
  notes: Notes,
): { take<Name extends SettingName>(name: Name): Settings[Name]; pathOf(name: SettingName): string; rest(): void } {
  const taken = new Set<SettingName>()
  const pathOf = (name: SettingName): string => call.paths[name] ?? name
  return {
    take(name) {
      taken.add(name)
      return call.settings[name]
    },
    pathOf,
    rest() {
      for (const name of Object.keys(call.settings) as SettingName[])
        if (!taken.has(name) && call.settings[name] !== undefined && !saysNothing(name, call))
          notes.dropped(pathOf(name), 'not supported by the target')
    },
  }
}

/** Values that say no more than silence does. */
function saysNothing(name: SettingName, { settings, tools }: ChatCall): boolean {
  const value = settings[name]
  switch (name) {
    case 'n':
      return value === 1
    case 'presencePenalty':
    case 'frequencyPenalty':
      return value === 0
    case 'topLogprobs':
      return value === 0 || settings.logprobs === false
    case 'logprobs':
    case 'store':
      return value === false
    case 'parallelTools':
      return value === true || tools.length === 0
    case 'stop':
      return settings.stop?.length === 0
    case 'serviceTier':
      return value === 'auto' || value === 'default'
    case 'verbosity':
      return value === 'medium'
    case 'logitBias':
    case 'metadata':
      return Object.keys(settings[name] ?? {}).length === 0
    case 'user':
    case 'promptCacheKey':
      return value === ''
    default:
      return false
  }
}

const MAX_HEADER = 4096

/** `path;reason` entries, comma-separated, ASCII, at most 4 KB: beyond that repeats collapse to the bare field name. */
export function droppedHeader(drops: readonly Drop[]): string {
  const full = drops.map(({ path, reason }) => `${quoted(path)};${quoted(reason)}`).join(', ')
  if (full.length <= MAX_HEADER) return full
  const bare = new Set(drops.map(({ path }) => quoted(path.replace(/\[\d+\]/g, '').replace(/^.*\./, ''))))
  let header = ''
  for (const name of bare) {
    if (header.length + name.length + 2 > MAX_HEADER) break
    header += header ? `, ${name}` : name
  }
  return header
}

// Commas and semicolons separate; everything outside printable ASCII is percent-encoded.
const quoted = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[^\x20-\x7e]|[%,;]/gu, (character) =>
      /[,;]/.test(character) ? `%${character.charCodeAt(0).toString(16).toUpperCase()}` : encodeURIComponent(character),
    )
