/** A token count without the provider's tokeniser: a calibrated estimate, always marked as one. */

/** Text in the scripts models see most has about four characters to a token; CJK has about one. */
export function estimateTokens(value: unknown): number {
  let tokens = 0
  const visit = (node: unknown): void => {
    if (typeof node === 'string') tokens += tokensOf(node)
    else if (Array.isArray(node)) for (const item of node) visit(item)
    else if (typeof node === 'object' && node !== null) {
      // Every object costs a little structure.
      tokens += 2
      for (const [key, member] of Object.entries(node)) if (key !== 'data' && key !== 'file_data') visit(member)
    }
  }
  visit(value)
  return Math.ceil(tokens)
}

function tokensOf(text: string): number {
  if (/^data:[^,]{0,100};base64,/.test(text)) return MEDIA_TOKENS
  let wide = 0
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) >= 0x2e80) wide++
  return wide + (text.length - wide) / 4
}

/** What vendors charge for a picture of ordinary size. */
const MEDIA_TOKENS = 1_000
