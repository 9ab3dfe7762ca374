/** What models are asked to be able to do, by the names that callers use. */
export const features = [
  'tools',
  'forced_tool',
  'parallel_tools',
  'json_schema',
  'json_schema_with_tools',
  'reasoning',
  'logprobs',
  'image',
  'pdf',
  'audio',
  'video',
  'image_output',
  'audio_output',
  'streaming',
] as const
export type Feature = (typeof features)[number]

/** Other names that callers know them by. */
export const featureAliases: Readonly<Record<string, Feature>> = {
  vision: 'image',
  images: 'image',
  tool_use: 'tools',
  function_calling: 'tools',
  tool_choice: 'forced_tool',
  structured_output: 'json_schema',
  structured_outputs: 'json_schema',
  response_format: 'json_schema',
  thinking: 'reasoning',
  document: 'pdf',
  documents: 'pdf',
  stream: 'streaming',
}

export function featureOf(name: string): Feature | undefined {
  if ((features as readonly string[]).includes(name)) return name as Feature
  return Object.hasOwn(featureAliases, name) ? featureAliases[name] : undefined
}
