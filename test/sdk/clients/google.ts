import {
  ApiError,
  type Content,
  type GenerateContentConfig,
  type GenerateContentResponse,
  GoogleGenAI,
  type Part,
  ThinkingLevel,
} from '@google/genai'
import { type Client, callersKey, citySchema, finishOf, type Place, picture, type Question, type Turn, tools } from '../client.ts'

export function google({ url, fetch }: Place): Client {
  const sdk = new GoogleGenAI({ apiKey: callersKey, httpOptions: { baseUrl: url, ...(fetch ? { fetch } : {}) } })
  const model = 'gemini-3.8-flash'

  async function turn(question: Question, contents: readonly Content[]): Promise<Turn> {
    const config: GenerateContentConfig = {
      ...(question.system ? { systemInstruction: question.system } : {}),
      ...(question.maxTokens === undefined ? {} : { maxOutputTokens: question.maxTokens }),
      ...(question.tools
        ? {
            tools: [
              {
                functionDeclarations: tools.map(({ name, description, parameters }) => ({
                  name,
                  description,
                  parametersJsonSchema: parameters,
                })),
              },
            ],
          }
        : {}),
      ...(question.forced
        ? { toolConfig: { functionCallingConfig: { mode: 'ANY' as never, allowedFunctionNames: [question.forced] } } }
        : {}),
      ...(question.reasoning ? { thinkingConfig: { includeThoughts: true, thinkingLevel: ThinkingLevel.MEDIUM } } : {}),
      ...(question.structured ? { responseMimeType: 'application/json', responseJsonSchema: citySchema } : {}),
      ...(question.signal ? { abortSignal: question.signal } : {}),
    }
    const params = { model: question.model ?? model, contents: [...contents], config }
    const parts: Part[] = []
    let pieces = 0
    let last: GenerateContentResponse
    if (question.streamed) {
      let seen: GenerateContentResponse | undefined
      for await (const chunk of await sdk.models.generateContentStream(params)) {
        seen = chunk
        for (const part of chunk.candidates?.[0]?.content?.parts ?? []) {
          parts.push(part)
          if (part.text && !part.thought) {
            pieces++
            question.onText?.(part.text)
          }
        }
      }
      if (!seen) throw new Error('The stream was empty.')
      last = seen
    } else {
      last = await sdk.models.generateContent(params)
      parts.push(...(last.candidates?.[0]?.content?.parts ?? []))
    }
    const finishReason = last.candidates?.[0]?.finishReason
    // The SDK takes a stream without a finish reason for a whole one.
    if (finishReason === undefined) throw new Error('The answer broke off.')
    const calls = parts.flatMap(({ functionCall }) => (functionCall ? [functionCall] : []))
    const usage = last.usageMetadata
    const finish = finishOf(finishReason, [], ['MAX_TOKENS'], ['STOP'])
    return {
      said: {
        text: parts.map((part) => (part.thought ? '' : (part.text ?? ''))).join(''),
        reasoning: parts.map((part) => (part.thought ? (part.text ?? '') : '')).join(''),
        calls: calls.map((call) => ({ id: call.id ?? '', name: call.name ?? '', input: call.args })),
        finish: calls.length > 0 && finish === 'stop' ? 'tools' : finish,
        inputTokens: usage?.promptTokenCount,
        outputTokens: usage && (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0),
        pieces,
      },
      answer: (results) =>
        turn({ ...question, forced: undefined }, [
          ...contents,
          { role: 'model', parts },
          {
            role: 'user',
            parts: results.map(({ id, name, text }) => ({
              functionResponse: { ...(id === '' ? {} : { id }), name, response: { output: text } },
            })),
          },
        ]),
    }
  }

  return {
    name: '@google/genai',
    wire: 'gemini',
    model,
    showsReasoning: true,
    malformedPath: 'contents[0].parts[0].text',
    statusOf: (error) => (error instanceof ApiError ? error.status : undefined),
    ask: (question) => {
      const parts: Part[] = [{ text: (question.malformed ? 17 : question.text) as string }]
      if (question.image) parts.push({ inlineData: { mimeType: picture.mime, data: picture.base64 } })
      return turn(question, [{ role: 'user', parts }])
    },
    count: async (text) => (await sdk.models.countTokens({ model, contents: text })).totalTokens ?? 0,
    models: async () => (await Array.fromAsync(await sdk.models.list())).map(({ name = '' }) => name.replace(/^models\//, '')),
  }
}
