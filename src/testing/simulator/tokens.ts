/** Deterministic token counts, and which prompt prefixes have been seen before. */
import type { Ask, Piece, SimulatedUsage } from './types.ts'

/** About four characters each, at least one for any text. */
export const tokensOf = (text: string): number => Math.ceil(text.length / 4)

/** Tokens that every message costs beside its text. */
const perMessage = 3

export const promptTokens = (prompt: readonly string[]): number => prompt.reduce((sum, text) => sum + tokensOf(text) + perMessage, 0)

/** FNV-1a, 32 bits, in hexadecimal: short, stable, and good enough to tell texts apart in tests. */
export function digestOf(text: string): string {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0
  return hash.toString(16).padStart(8, '0')
}

export interface PrefixCache {
  /** Tokens of the longest known prefix, and of what this prompt adds; from now on all its prefixes are known. */
  visit(ask: Ask): { readonly cached: number; readonly written: number }
}

/** @param minTokens shortest prefix worth keeping. */
export function prefixCache(minTokens: number, maxEntries = 10_000): PrefixCache {
  const known = new Set<string>()
  return {
    visit({ prompt, model, cacheMarks }) {
      if (cacheMarks === 0) return { cached: 0, written: 0 }
      let key = model
      let tokens = 0
      let cached = 0
      const fresh: string[] = []
      for (const text of prompt) {
        key = `${digestOf(key + text)}${digestOf(text + key)}`
        tokens += tokensOf(text) + perMessage
        if (tokens < minTokens) continue
        if (known.has(key)) cached = tokens
        else fresh.push(key)
      }
      if (known.size + fresh.length > maxEntries) known.clear()
      for (const entry of fresh) known.add(entry)
      const written = cacheMarks !== undefined && tokens >= minTokens ? tokens - cached : 0
      return { cached, written }
    },
  }
}

export function usageOf(ask: Ask, pieces: readonly Piece[], { cached, written }: { cached: number; written: number }): SimulatedUsage {
  let output = 0
  let reasoning = 0
  for (const piece of pieces) {
    const tokens = piece.type === 'call' ? tokensOf(piece.name) + tokensOf(piece.arguments) : tokensOf(piece.text)
    output += tokens
    if (piece.type === 'reasoning') reasoning += tokens
  }
  return { input: promptTokens(ask.prompt), cached, written, output: output * ask.copies, reasoning }
}
