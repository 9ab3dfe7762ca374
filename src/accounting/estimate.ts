/** A token count without the provider's tokeniser: a calibrated estimate, always marked as one. */

/** Text in the scripts models see most has about four characters to a token; CJK has about one. */
export const estimateTokens = (value: unknown): number => Math.ceil(tokensIn(value))

function tokensIn(node: unknown): number {
  if (typeof node === 'string') return tokensOf(node)
  if (typeof node !== 'object' || node === null) return 0
  let tokens = 0
  if (Array.isArray(node)) {
    for (const item of node) tokens += tokensIn(item)
    return tokens
  }
  // Every object costs a little structure.
  tokens = 2
  const members = node as Readonly<Record<string, unknown>>
  for (const key in members) if (key !== 'data' && key !== 'file_data') tokens += tokensIn(members[key])
  return tokens
}

function tokensOf(text: string): number {
  if (text.startsWith('data:') && /^data:[^,]{0,100};base64,/.test(text)) return MEDIA_TOKENS
  let wide = 0
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) >= 0x2e80) wide++
  return wide + (text.length - wide) / 4
}

/** What vendors charge for a picture of ordinary size. */
const MEDIA_TOKENS = 1_000
