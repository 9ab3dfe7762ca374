/** What names of files and addresses tell of what is in them. */
import type { MediaKind } from '../core/call.ts'

export function kindOfMime(mime: string | undefined): MediaKind | undefined {
  const type = mime?.split('/', 1)[0]?.toLowerCase()
  return type === 'image' || type === 'audio' || type === 'video' ? type : mime ? 'document' : undefined
}

const MIMES: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  heic: 'image/heic',
  bmp: 'image/bmp',
  pdf: 'application/pdf',
  txt: 'text/plain',
  md: 'text/markdown',
  csv: 'text/csv',
  html: 'text/html',
  json: 'application/json',
  mp3: 'audio/mpeg',
  wav: 'audio/wav',
  ogg: 'audio/ogg',
  flac: 'audio/flac',
  m4a: 'audio/mp4',
  mp4: 'video/mp4',
  mov: 'video/quicktime',
  webm: 'video/webm',
}

/** The type that the name of a file or an address ends with, if it is one that models take. */
export function mimeOfName(name: string): string | undefined {
  const extension = /\.([a-z0-9]{2,5})(?:[?#].*)?$/i.exec(name)?.[1]?.toLowerCase()
  return extension === undefined || !Object.hasOwn(MIMES, extension) ? undefined : MIMES[extension]
}
