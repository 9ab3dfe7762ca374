import { ChatAnthropic } from '@langchain/anthropic'
import { type AIMessageChunk, type BaseMessage, HumanMessage, SystemMessage, ToolMessage } from '@langchain/core/messages'
import { ChatOpenAI } from '@langchain/openai'
import {
  type Client,
  callersKey,
  citySchema,
  finishOf,
  type Place,
  picture,
  type Question,
  type Said,
  statusIn,
  type Turn,
  tools,
} from '../client.ts'

interface Runner {
  invoke(messages: BaseMessage[], options: { signal?: AbortSignal }): Promise<AIMessageChunk>
  stream(messages: BaseMessage[], options: { signal?: AbortSignal }): Promise<AsyncIterable<AIMessageChunk>>
}

interface Flavour extends Omit<Client, 'ask' | 'statusOf'> {
  readonly runner: (question: Question) => Runner
}

const openaiTools = tools.map((tool) => ({ type: 'function' as const, function: { ...tool } }))
const format = { type: 'json_schema' as const, json_schema: { name: 'city', strict: true, schema: { ...citySchema } } }

function openaiFlavour({ url, fetch }: Place, responses: boolean): Flavour {
  const model = 'gpt-5.5'
  return {
    name: `@langchain/openai (${responses ? 'Responses' : 'Chat Completions'})`,
    wire: responses ? 'openai-responses' : 'openai-chat',
    model,
    showsReasoning: responses,
    forgetsReasoning: responses,
    runner: (question) => {
      const chat = new ChatOpenAI({
        model: question.model ?? model,
        apiKey: callersKey,
        maxRetries: 0,
        useResponsesApi: responses,
        streamUsage: true,
        configuration: { baseURL: `${url}/v1`, ...(fetch ? { fetch } : {}) },
        ...(question.maxTokens === undefined ? {} : { maxTokens: question.maxTokens }),
        ...(question.reasoning ? { reasoning: { effort: 'medium', ...(responses ? { summary: 'auto' as const } : {}) } } : {}),
        ...(responses ? { zdrEnabled: true } : {}),
      })
      return chat.withConfig({
        ...(question.tools ? { tools: openaiTools } : {}),
        ...(question.forced ? { tool_choice: question.forced } : {}),
        ...(question.reasoning && responses ? { include: ['reasoning.encrypted_content' as const] } : {}),
        ...(question.structured ? { response_format: format } : {}),
      }) as unknown as Runner
    },
  }
}

function anthropicFlavour({ url, fetch }: Place): Flavour {
  const model = 'claude-sonnet-4-6'
  return {
    name: '@langchain/anthropic',
    wire: 'anthropic-messages',
    model,
    addsStartTokens: true,
    showsReasoning: true,
    runner: (question) => {
      const chat = new ChatAnthropic({
        model: question.model ?? model,
        apiKey: callersKey,
        maxRetries: 0,
        maxTokens: question.maxTokens ?? 4000,
        anthropicApiUrl: url,
        ...(fetch ? { clientOptions: { fetch } } : {}),
        ...(question.reasoning ? { thinking: { type: 'enabled' as const, budget_tokens: 2000 } } : {}),
      })
      return chat.withConfig({
        ...(question.tools
          ? { tools: tools.map(({ name, description, parameters }) => ({ name, description, input_schema: parameters })) }
          : {}),
        ...(question.forced ? { tool_choice: { type: 'tool' as const, name: question.forced } } : {}),
        ...(question.structured ? { outputConfig: { format: { type: 'json_schema' as const, schema: { ...citySchema } } } } : {}),
      } as never) as unknown as Runner
    },
  }
}

export const langchainClients = (place: Place): readonly Client[] =>
  [openaiFlavour(place, false), openaiFlavour(place, true), anthropicFlavour(place)].map(clientOf)

function clientOf({ runner, ...facts }: Flavour): Client {
  async function turn(question: Question, messages: readonly BaseMessage[]): Promise<Turn> {
    const options = question.signal ? { signal: question.signal } : {}
    let message: AIMessageChunk
    let pieces = 0
    if (question.streamed) {
      let joined: AIMessageChunk | undefined
      for await (const chunk of await runner(question).stream([...messages], options)) {
        joined = joined ? joined.concat(chunk) : chunk
        if (chunk.text === '') continue
        pieces++
        question.onText?.(chunk.text)
      }
      if (!joined) throw new Error('The stream was empty.')
      message = joined
    } else message = await runner(question).invoke([...messages], options)
    const calls = message.tool_calls ?? []
    return {
      said: {
        text: message.text,
        reasoning: reasoningOf(message),
        calls: calls.map(({ id = '', name, args }) => ({ id, name, input: args })),
        finish: finish(message, calls.length),
        inputTokens: message.usage_metadata?.input_tokens,
        outputTokens: message.usage_metadata?.output_tokens,
        pieces,
      },
      answer: (results) =>
        turn({ ...question, forced: undefined }, [
          ...messages,
          message,
          ...results.map(({ id, name, text }) => new ToolMessage({ tool_call_id: id, name, content: text })),
        ]),
    }
  }

  return {
    ...facts,
    statusOf: statusIn,
    ask: (question) =>
      turn(question, [
        ...(question.system ? [new SystemMessage(question.system)] : []),
        new HumanMessage({
          content: question.image
            ? [
                { type: 'text', text: question.text },
                { type: 'image_url', image_url: { url: `data:${picture.mime};base64,${picture.base64}` } },
              ]
            : question.text,
        }),
      ]),
  }
}

function reasoningOf(message: AIMessageChunk): string {
  return message.contentBlocks
    .map((block) => (block.type === 'reasoning' && typeof block.reasoning === 'string' ? block.reasoning : ''))
    .join('')
}

function finish({ response_metadata: metadata, additional_kwargs: more }: AIMessageChunk, calls: number): Said['finish'] {
  const said = metadata as {
    finish_reason?: string
    stop_reason?: string
    status?: string
    incomplete_details?: { reason?: string } | null
  }
  if (said.status === 'incomplete') return said.incomplete_details?.reason === 'max_output_tokens' ? 'length' : 'other'
  if (said.status === 'completed') return calls > 0 ? 'tools' : 'stop'
  const word = said.finish_reason ?? said.stop_reason ?? (more as { stop_reason?: string }).stop_reason
  return finishOf(word, ['tool_calls', 'tool_use'], ['length', 'max_tokens'], ['stop', 'end_turn'])
}
