/** How one model's many spellings find each other. */

/** Letter case, dots and dashes aside. */
export const foldedName = (name: string): string => name.toLowerCase().replace(/[._:@\s-]+/g, '-')

/** Without a release date, a snapshot number or `-latest` at its end; undefined when there is none. */
export function undatedName(name: string): string | undefined {
  const base = name.replace(/(?:[-@](?:20\d{6}|20\d\d-\d\d-\d\d)|-latest|@default)$/i, '')
  return base === name || base === '' ? undefined : base
}

/** What stands after the last `/`: `anthropic/claude-opus-5.5` → `claude-opus-5.5`. */
export const tailOf = (name: string): string => name.slice(name.lastIndexOf('/') + 1)
