import OpenAI from 'openai'
import { type Client, callersKey, citySchema, finishOf, type Place, picture, type Question, statusIn, type Turn, tools } from '../client.ts'

type Message = OpenAI.ChatCompletionMessageParam

export function openaiChat({ url, fetch }: Place): Client {
  const sdk = new OpenAI({ baseURL: `${url}/v1`, apiKey: callersKey, maxRetries: 0, ...(fetch ? { fetch } : {}) })
  const model = 'gpt-5.5'

  async function turn(question: Question, messages: readonly Message[]): Promise<Turn> {
    const params = {
      model: question.model ?? model,
      messages: [...messages],
      ...(question.maxTokens === undefined ? {} : { max_completion_tokens: question.maxTokens }),
      ...(question.tools ? { tools: tools.map((tool) => ({ type: 'function' as const, function: { ...tool } })) } : {}),
      ...(question.forced ? { tool_choice: { type: 'function' as const, function: { name: question.forced } } } : {}),
      ...(question.reasoning ? { reasoning_effort: 'medium' as const } : {}),
      ...(question.structured
        ? { response_format: { type: 'json_schema' as const, json_schema: { name: 'city', strict: true, schema: { ...citySchema } } } }
        : {}),
    }
    const options = question.signal ? { signal: question.signal } : {}
    let reasoning = ''
    let pieces = 0
    let completion: OpenAI.ChatCompletion
    if (question.streamed) {
      const stream = sdk.chat.completions.stream({ ...params, stream_options: { include_usage: true } }, options)
      for await (const chunk of stream) {
        const delta = chunk.choices[0]?.delta as { content?: string | null; reasoning_content?: string } | undefined
        if (delta?.content) {
          pieces++
          question.onText?.(delta.content)
        }
        reasoning += delta?.reasoning_content ?? ''
      }
      completion = await stream.finalChatCompletion()
    } else {
      completion = await sdk.chat.completions.create(params, options)
      reasoning = (completion.choices[0]?.message as { reasoning_content?: string } | undefined)?.reasoning_content ?? ''
    }
    const [choice] = completion.choices
    if (!choice) throw new Error('no choice')
    const calls = (choice.message.tool_calls ?? []).filter((call) => call.type === 'function')
    return {
      said: {
        text: choice.message.content ?? '',
        reasoning,
        calls: calls.map((call) => ({ id: call.id, name: call.function.name, input: JSON.parse(call.function.arguments) })),
        finish: finishOf(choice.finish_reason, ['tool_calls'], ['length'], ['stop']),
        inputTokens: completion.usage?.prompt_tokens,
        outputTokens: completion.usage?.completion_tokens,
        pieces,
      },
      answer: (results) =>
        turn({ ...question, forced: undefined }, [
          ...messages,
          question.streamed ? { role: 'assistant', content: choice.message.content, tool_calls: calls } : choice.message,
          ...results.map(({ id, text }): Message => ({ role: 'tool', tool_call_id: id, content: text })),
        ]),
    }
  }

  return {
    name: 'openai (Chat Completions)',
    wire: 'openai-chat',
    model,
    showsReasoning: true,
    malformedPath: 'messages[0].content',
    statusOf: statusIn,
    ask: (question) => {
      const url = `data:${picture.mime};base64,${picture.base64}`
      const content: unknown = question.malformed
        ? 17
        : question.image
          ? [
              { type: 'text', text: question.text },
              { type: 'image_url', image_url: { url } },
            ]
          : question.text
      return turn(question, [
        ...(question.system ? [{ role: 'system' as const, content: question.system }] : []),
        { role: 'user', content: content as string },
      ])
    },
    models: async () => (await Array.fromAsync(sdk.models.list())).map(({ id }) => id),
  }
}
