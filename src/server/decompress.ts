/** Compressed request bodies, with a cap on what they grow to. */
import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate, zstdDecompress } from 'node:zlib'
import { GatewayError } from '../core/error.ts'

const decompressors = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
  zstd: promisify(zstdDecompress),
} as const

/** Several encodings, one over the other, are undone in turn. */
export async function decompressed(body: Uint8Array, encodings: string, limit: number): Promise<Uint8Array> {
  let current = body
  const names = encodings.split(',').map((name) => name.trim().toLowerCase())
  if (names.length > 3)
    throw new GatewayError('unsupported-media-type', 'The body is compressed too many times over.', { shouldRetry: false })
  for (const name of names.reverse()) {
    if (name === 'identity' || name === '') continue
    if (!Object.hasOwn(decompressors, name))
      throw new GatewayError(
        'unsupported-media-type',
        `The content encoding \`${name.slice(0, 40)}\` is not known. Known: gzip, deflate, br, zstd.`,
        { shouldRetry: false },
      )
    try {
      current = await decompressors[name as keyof typeof decompressors](current, { maxOutputLength: limit })
    } catch (error) {
      if ((error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE')
        throw new GatewayError('too-large', `The request body is larger than ${limit} bytes after decompression.`, { shouldRetry: false })
      throw new GatewayError('invalid-request', `The request body is not valid ${name} data.`, { shouldRetry: false, cause: error })
    }
  }
  return current
}
