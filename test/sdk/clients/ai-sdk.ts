import { createAnthropic } from '@ai-sdk/anthropic'
import { createGoogle } from '@ai-sdk/google'
import { createOpenAI } from '@ai-sdk/openai'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { generateText, jsonSchema, type LanguageModel, type ModelMessage, Output, streamText, tool } from 'ai'
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

interface Flavour extends Pick<Client, 'wire'> {
  readonly name: string
  readonly model: string
  readonly of: (model: string) => LanguageModel
  readonly reasoning: Parameters<typeof generateText>[0]['providerOptions']
  readonly showsReasoning: boolean
}

function flavours({ url, fetch }: Place): readonly Flavour[] {
  const settings = { apiKey: callersKey, ...(fetch ? { fetch } : {}) }
  const openai = createOpenAI({ baseURL: `${url}/v1`, ...settings })
  const compatible = createOpenAICompatible({
    name: 'gateway',
    baseURL: `${url}/v1`,
    includeUsage: true,
    supportsStructuredOutputs: true,
    ...settings,
  })
  const anthropic = createAnthropic({ baseURL: `${url}/v1`, ...settings })
  const google = createGoogle({ baseURL: `${url}/v1beta`, ...settings })
  return [
    {
      name: 'ai + @ai-sdk/openai (Responses)',
      wire: 'openai-responses',
      model: 'gpt-5.5',
      of: (model) => openai.responses(model),
      reasoning: { openai: { reasoningEffort: 'medium', reasoningSummary: 'auto', store: false } },
      showsReasoning: true,
    },
    {
      name: 'ai + @ai-sdk/openai (Chat Completions)',
      wire: 'openai-chat',
      model: 'gpt-5.5',
      of: (model) => openai.chat(model),
      reasoning: { openai: { reasoningEffort: 'medium' } },
      showsReasoning: false,
    },
    {
      name: 'ai + @ai-sdk/openai-compatible',
      wire: 'openai-chat',
      model: 'plain',
      of: (model) => compatible(model),
      reasoning: { gateway: { reasoningEffort: 'medium' } },
      showsReasoning: true,
    },
    {
      name: 'ai + @ai-sdk/anthropic',
      wire: 'anthropic-messages',
      model: 'claude-sonnet-4-6',
      of: (model) => anthropic(model),
      reasoning: { anthropic: { thinking: { type: 'enabled', budgetTokens: 2000 } } },
      showsReasoning: true,
    },
    {
      name: 'ai + @ai-sdk/google',
      wire: 'gemini',
      model: 'gemini-3.8-flash',
      of: (model) => google(model),
      reasoning: { google: { thinkingConfig: { includeThoughts: true, thinkingLevel: 'medium' } } },
      showsReasoning: true,
    },
  ]
}

export const aiSdkClients = (place: Place): readonly Client[] => flavours(place).map(clientOf)

const toolSet = Object.fromEntries(
  tools.map(({ name, description, parameters }) => [
    name,
    tool({
      description,
      inputSchema: jsonSchema<Record<string, unknown>>(structuredClone(parameters) as unknown as Parameters<typeof jsonSchema>[0]),
    }),
  ]),
)
const citySpec = Output.object({ schema: jsonSchema(structuredClone(citySchema) as unknown as Parameters<typeof jsonSchema>[0]) })

function clientOf({ name, wire, model, of, reasoning, showsReasoning }: Flavour): Client {
  async function turn(question: Question, messages: readonly ModelMessage[]): Promise<Turn> {
    const params = {
      model: of(question.model ?? model),
      messages: [...messages],
      maxRetries: 0,
      maxOutputTokens: question.maxTokens ?? 4000,
      ...(question.system ? { instructions: question.system } : {}),
      ...(question.tools ? { tools: toolSet } : {}),
      ...(question.forced ? { toolChoice: { type: 'tool' as const, toolName: question.forced } } : {}),
      ...(question.reasoning ? { providerOptions: reasoning } : {}),
      ...(question.structured ? { output: citySpec } : {}),
      ...(question.signal ? { abortSignal: question.signal } : {}),
    }
    const { said, history } = question.streamed ? await streamed(params, question) : await plain(params)
    return {
      said,
      answer: (results) =>
        turn({ ...question, forced: undefined }, [
          ...messages,
          ...history,
          {
            role: 'tool',
            content: results.map(({ id, name, text }) => ({
              type: 'tool-result' as const,
              toolCallId: id,
              toolName: name,
              output: { type: 'text' as const, value: text },
            })),
          },
        ]),
    }
  }

  return {
    name,
    wire,
    model,
    showsReasoning,
    statusOf: statusIn,
    ask: (question) =>
      turn(question, [
        {
          role: 'user',
          content: question.image
            ? [
                { type: 'text', text: question.text },
                { type: 'file', data: picture.base64, mediaType: picture.mime },
              ]
            : question.text,
        },
      ]),
  }
}

interface Heard {
  readonly said: Said
  readonly history: readonly ModelMessage[]
}

async function plain(params: Parameters<typeof generateText>[0]): Promise<Heard> {
  const result = await generateText(params)
  return {
    said: {
      text: result.text,
      reasoning: result.reasoningText ?? '',
      calls: result.toolCalls.map(({ toolCallId, toolName, input }) => ({ id: toolCallId, name: toolName, input })),
      finish: finish(result.finishReason),
      inputTokens: result.usage.inputTokens,
      outputTokens: result.usage.outputTokens,
      pieces: 0,
    },
    history: result.responseMessages,
  }
}

async function streamed(params: Parameters<typeof streamText>[0], question: Question): Promise<Heard> {
  const result = streamText({ ...params, onError: () => {} })
  let pieces = 0
  for await (const part of result.stream) {
    if (part.type === 'error') throw part.error
    if (part.type === 'abort') throw new DOMException('aborted', 'AbortError')
    if (part.type !== 'text-delta') continue
    pieces++
    question.onText?.(part.text)
  }
  const [calls, usage] = [await result.toolCalls, await result.usage]
  return {
    said: {
      text: await result.text,
      reasoning: (await result.reasoningText) ?? '',
      calls: calls.map(({ toolCallId, toolName, input }) => ({ id: toolCallId, name: toolName, input })),
      finish: finish(await result.finishReason),
      inputTokens: usage.inputTokens,
      outputTokens: usage.outputTokens,
      pieces,
    },
    history: await result.responseMessages,
  }
}

function finish(reason: string): Said['finish'] {
  if (reason === 'tool-calls') return 'tools'
  return reason === 'stop' || reason === 'length' ? reason : 'other'
}
