import OpenAI from 'openai'
import {
  type Client,
  callersKey,
  citySchema,
  type Place,
  picture,
  type Question,
  type Said,
  statusIn,
  type Turn,
  tools,
} from '../client.ts'

type Item = OpenAI.Responses.ResponseInputItem

export function openaiResponses({ url, fetch }: Place): Client {
  const sdk = new OpenAI({ baseURL: `${url}/v1`, apiKey: callersKey, maxRetries: 0, ...(fetch ? { fetch } : {}) })
  const model = 'gpt-5.5'

  async function turn(question: Question, input: readonly Item[]): Promise<Turn> {
    const params = {
      model: question.model ?? model,
      store: false,
      input: [...input],
      ...(question.system ? { instructions: question.system } : {}),
      ...(question.maxTokens === undefined ? {} : { max_output_tokens: question.maxTokens }),
      ...(question.tools ? { tools: tools.map((tool) => ({ type: 'function' as const, strict: true, ...tool })) } : {}),
      ...(question.forced ? { tool_choice: { type: 'function' as const, name: question.forced } } : {}),
      ...(question.reasoning
        ? { reasoning: { effort: 'medium' as const, summary: 'auto' as const }, include: ['reasoning.encrypted_content' as const] }
        : {}),
      ...(question.structured
        ? { text: { format: { type: 'json_schema' as const, name: 'city', strict: true, schema: { ...citySchema } } } }
        : {}),
    }
    const options = question.signal ? { signal: question.signal } : {}
    let pieces = 0
    let response: OpenAI.Responses.Response
    if (question.streamed) {
      const stream = sdk.responses.stream(params, options)
      let ended = false
      for await (const event of stream) {
        if (event.type === 'response.output_text.delta') {
          pieces++
          question.onText?.(event.delta)
        }
        if (event.type === 'response.failed') throw new Error(event.response.error?.message ?? 'failed')
        if (event.type === 'response.completed' || event.type === 'response.incomplete') ended = true
      }
      if (!ended) throw new Error('The stream broke off.')
      response = await stream.finalResponse()
    } else response = await sdk.responses.create(params, options)
    const calls = response.output.filter((item) => item.type === 'function_call')
    return {
      said: {
        text: response.output_text,
        reasoning: response.output.map((item) => (item.type === 'reasoning' ? item.summary.map(({ text }) => text).join('') : '')).join(''),
        calls: calls.map((call) => ({ id: call.call_id, name: call.name, input: JSON.parse(call.arguments) })),
        finish: finish(response, calls.length),
        inputTokens: response.usage?.input_tokens,
        outputTokens: response.usage?.output_tokens,
        pieces,
      },
      answer: (results) =>
        turn({ ...question, forced: undefined }, [
          ...input,
          ...(response.output as Item[]),
          ...results.map(({ id, text }): Item => ({ type: 'function_call_output', call_id: id, output: text })),
        ]),
    }
  }

  return {
    name: 'openai (Responses)',
    wire: 'openai-responses',
    model,
    showsReasoning: true,
    malformedPath: 'input[0].content',
    statusOf: statusIn,
    ask: (question) => {
      const content: unknown = question.malformed
        ? 17
        : question.image
          ? [
              { type: 'input_text', text: question.text },
              { type: 'input_image', detail: 'auto', image_url: `data:${picture.mime};base64,${picture.base64}` },
            ]
          : question.text
      return turn(question, [{ role: 'user', content: content as string }])
    },
    count: async (text) => (await sdk.responses.inputTokens.count({ model, input: text })).input_tokens,
    models: async () => (await Array.fromAsync(sdk.models.list())).map(({ id }) => id),
  }
}

function finish(response: OpenAI.Responses.Response, calls: number): Said['finish'] {
  if (response.status === 'incomplete') return response.incomplete_details?.reason === 'max_output_tokens' ? 'length' : 'other'
  if (response.status !== 'completed') return 'other'
  return calls > 0 ? 'tools' : 'stop'
}
