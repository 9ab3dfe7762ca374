/** A Gemini stream without `alt=sse`: the same frames as the elements of one JSON array, with Google's own line ends between them. */
import type { Chunk } from '../core/http.ts'
import { bytesOf } from '../core/http.ts'
import { SseReader } from '../wire/sse.ts'

export async function* arrayOfFrames(frames: AsyncIterable<Chunk>): AsyncGenerator<Chunk> {
  const reader = new SseReader()
  let separator = '['
  for await (const chunk of frames) {
    let text = ''
    for (const { data } of reader.push(typeof chunk === 'string' ? bytesOf(chunk) : chunk)) {
      text += separator + data
      separator = '\n,\r\n'
    }
    if (text !== '') yield text
  }
  yield separator === '[' ? '[]' : '\n]'
}
