import Anthropic from '@anthropic-ai/sdk'
import { type Client, callersKey, citySchema, finishOf, type Place, picture, type Question, statusIn, type Turn, tools } from '../client.ts'

type Message = Anthropic.MessageParam

export function anthropic({ url, fetch }: Place): Client {
  const sdk = new Anthropic({ baseURL: url, apiKey: callersKey, maxRetries: 0, ...(fetch ? { fetch } : {}) })
  const model = 'claude-sonnet-4-6'

  async function turn(question: Question, messages: readonly Message[]): Promise<Turn> {
    const params: Anthropic.MessageCreateParamsNonStreaming = {
      model: question.model ?? model,
      max_tokens: question.maxTokens ?? 4000,
      messages: [...messages],
      ...(question.system ? { system: question.system } : {}),
      ...(question.tools
        ? {
            tools: tools.map(({ name, description, parameters }) => ({
              name,
              description,
              input_schema: structuredClone(parameters) as unknown as Anthropic.Tool.InputSchema,
            })),
          }
        : {}),
      ...(question.forced ? { tool_choice: { type: 'tool' as const, name: question.forced } } : {}),
      ...(question.reasoning ? { thinking: { type: 'enabled' as const, budget_tokens: 2000 } } : {}),
      ...(question.structured ? { output_config: { format: { type: 'json_schema' as const, schema: { ...citySchema } } } } : {}),
    }
    const options = question.signal ? { signal: question.signal } : {}
    let pieces = 0
    let message: Anthropic.Message
    if (question.streamed) {
      const stream = sdk.messages.stream(params, options)
      stream.on('text', (text) => {
        pieces++
        question.onText?.(text)
      })
      message = await stream.finalMessage()
    } else message = await sdk.messages.create(params, options)
    const { content, usage } = message
    return {
      said: {
        text: content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
        reasoning: content.map((block) => (block.type === 'thinking' ? block.thinking : '')).join(''),
        calls: content.filter((block) => block.type === 'tool_use').map(({ id, name, input }) => ({ id, name, input })),
        finish: finishOf(message.stop_reason, ['tool_use'], ['max_tokens'], ['end_turn']),
        inputTokens: usage.input_tokens + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0),
        outputTokens: usage.output_tokens,
        pieces,
      },
      answer: (results) =>
        turn({ ...question, forced: undefined }, [
          ...messages,
          { role: 'assistant', content },
          { role: 'user', content: results.map(({ id, text }) => ({ type: 'tool_result' as const, tool_use_id: id, content: text })) },
        ]),
    }
  }

  return {
    name: '@anthropic-ai/sdk',
    wire: 'anthropic-messages',
    model,
    showsReasoning: true,
    malformedPath: 'messages[0].content',
    statusOf: statusIn,
    ask: (question) => {
      const content: unknown = question.malformed
        ? 17
        : question.image
          ? [
              { type: 'image', source: { type: 'base64', media_type: picture.mime, data: picture.base64 } },
              { type: 'text', text: question.text },
            ]
          : question.text
      return turn(question, [{ role: 'user', content: content as string }])
    },
    count: async (text) => (await sdk.messages.countTokens({ model, messages: [{ role: 'user', content: text }] })).input_tokens,
    models: async () => (await Array.fromAsync(sdk.models.list())).map(({ id }) => id),
  }
}
