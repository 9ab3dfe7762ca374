import type { Feature } from '../../core/features.ts'

const kinds: Readonly<Record<string, Feature>> = { image: 'image', audio: 'audio', video: 'video', pdf: 'pdf' }

/** A kind of medium (`image`), or a MIME type (`audio/wav`). Plain text needs nothing. */
export function addMedia(features: Set<Feature>, kind: string | undefined): void {
  if (kind === undefined) return
  const slash = kind.indexOf('/')
  const name = kind === 'application/pdf' ? 'pdf' : slash < 0 ? kind : kind.slice(0, slash)
  const feature = Object.hasOwn(kinds, name) ? kinds[name] : undefined
  if (feature) features.add(feature)
}
