/** What SDKs offer beyond single calls: runners of tool loops, chats with a history, schemas in zod. Through the gateway to all four wires. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI } from '@ai-sdk/openai'
import Anthropic from '@anthropic-ai/sdk'
import { betaZodTool } from '@anthropic-ai/sdk/helpers/beta/zod'
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod'
import { type CallableTool, FunctionCallingConfigMode, GoogleGenAI } from '@google/genai'
import { ChatOpenAI } from '@langchain/openai'
import { generateText, isStepCount, streamText, tool } from 'ai'
import OpenAI from 'openai'
import { zodResponseFormat, zodTextFormat } from 'openai/helpers/zod'
import { z } from 'zod'
import { callersKey } from './client.ts'
import { rig, wires } from './rig.ts'

const place = z.object({ city: z.string() })
const weather = 'Sunny, 21 degrees'
const question = 'Use get_weather, please.'
const City = z.object({ name: z.string(), population: z.number().int(), districts: z.array(z.string()) })
const city = { name: 'name', population: 7, districts: ['districts'] }

for (const wire of wires) {
  const { url, close } = await rig(wire)
  after(close)
  const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: callersKey, maxRetries: 0 })
  const anthropic = new Anthropic({ baseURL: url, apiKey: callersKey, maxRetries: 0 })
  const google = new GoogleGenAI({ apiKey: callersKey, httpOptions: { baseUrl: url } })

  test(`openai → ${wire}: runTools runs a tool and ends`, async () => {
    for (const stream of [false, true] as const) {
      const seen: unknown[] = []
      const get_weather = {
        type: 'function' as const,
        function: {
          name: 'get_weather',
          parse: JSON.parse,
          parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
          description: 'Weather',
          function: (input: object) => {
            seen.push(input)
            return weather
          },
        },
      }
      const params = { model: 'gpt-5.5', messages: [{ role: 'user' as const, content: question }], tools: [get_weather] }
      const runner = stream ? openai.chat.completions.runTools({ ...params, stream }) : openai.chat.completions.runTools(params)
      assert.match((await runner.finalContent()) ?? '', /get_weather answered: .*Sunny/)
      assert.deepEqual(seen, [{ city: 'city' }])
    }
  })

  test(`openai → ${wire}: parses answers with zod`, async () => {
    const messages = [{ role: 'user' as const, content: 'A city' }]
    const chat = await openai.chat.completions.parse({ model: 'gpt-5.5', messages, response_format: zodResponseFormat(City, 'city') })
    assert.deepEqual(chat.choices[0]?.message.parsed, city)
    const response = await openai.responses.parse({ model: 'gpt-5.5', input: 'A city', text: { format: zodTextFormat(City, 'city') } })
    assert.deepEqual(response.output_parsed, city)
  })

  test(`@anthropic-ai/sdk → ${wire}: the tool runner runs a tool and ends`, async () => {
    for (const stream of [false, true] as const) {
      // The runner writes into the messages it is given.
      const get_weather = betaZodTool({ name: 'get_weather', description: 'Weather', inputSchema: place, run: () => weather })
      const params = {
        model: 'claude-sonnet-4-6',
        max_tokens: 1000,
        messages: [{ role: 'user' as const, content: question }],
        tools: [get_weather],
      }
      const final = await (stream
        ? anthropic.beta.messages.toolRunner({ ...params, stream })
        : anthropic.beta.messages.toolRunner(params)
      ).runUntilDone()
      assert.match(final.content.map((block) => (block.type === 'text' ? block.text : '')).join(''), /get_weather answered: .*Sunny/)
    }
  })

  test(`@anthropic-ai/sdk → ${wire}: parses answers with zod`, async () => {
    const messages = [{ role: 'user' as const, content: 'A city' }]
    const params = { model: 'claude-sonnet-4-6', max_tokens: 1000, messages, output_config: { format: zodOutputFormat(City) } }
    assert.deepEqual((await anthropic.messages.parse(params)).parsed_output, city)
  })

  test(`@google/genai → ${wire}: a chat remembers, streamed turns and thoughts included`, async () => {
    const chat = google.chats.create({
      model: 'gemini-3.8-flash',
      config: {
        thinkingConfig: { includeThoughts: true },
        tools: [{ functionDeclarations: [{ name: 'get_weather', parametersJsonSchema: z.toJSONSchema(place) }] }],
      },
    })
    let name = ''
    let id: string | undefined
    for await (const chunk of await chat.sendMessageStream({ message: question })) {
      const [call] = chunk.functionCalls ?? []
      if (call) [name, id] = [call.name ?? '', call.id]
    }
    assert.equal(name, 'get_weather')
    const answer = await chat.sendMessage({ message: { functionResponse: { ...(id ? { id } : {}), name, response: { output: weather } } } })
    assert.match(answer.text ?? '', /get_weather answered: .*Sunny/)
    assert.match((await chat.sendMessage({ message: 'Thank you' })).text ?? '', /You said: Thank you/)
  })

  test(`@google/genai → ${wire}: calls functions by itself`, async () => {
    const callable: CallableTool = {
      tool: async () => ({ functionDeclarations: [{ name: 'get_weather', parametersJsonSchema: z.toJSONSchema(place) }] }),
      callTool: async (calls) =>
        calls.map(({ id, name }) => ({
          functionResponse: { ...(id ? { id } : {}), ...(name ? { name } : {}), response: { output: weather } },
        })),
    }
    const config = { tools: [callable], toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.AUTO } } }
    const answer = await google.models.generateContent({ model: 'gemini-3.8-flash', contents: question, config })
    assert.match(answer.text ?? '', /get_weather answered: .*Sunny/)
  })

  for (const [name, model] of [
    ['@ai-sdk/openai', createOpenAI({ baseURL: `${url}/v1`, apiKey: callersKey }).chat('gpt-5.5')],
    ['@ai-sdk/anthropic', createAnthropic({ baseURL: `${url}/v1`, apiKey: callersKey })('claude-sonnet-4-6')],
  ] as const) {
    test(`ai + ${name} → ${wire}: runs tools over several steps`, async () => {
      const tools = { get_weather: tool({ inputSchema: place, execute: async () => weather }) }
      const params = { model, prompt: question, tools, stopWhen: isStepCount(4), maxRetries: 0 }
      const plain = await generateText(params)
      assert.match(plain.text, /get_weather answered: .*Sunny/)
      assert.equal(plain.steps.length, 2)
      assert.match(await streamText(params).text, /get_weather answered: .*Sunny/)
    })
  }

  test(`ai + @ai-sdk/openai (Responses) → ${wire}: thinks over several steps with the settings that it has by itself`, async () => {
    const model = createOpenAI({ baseURL: `${url}/v1`, apiKey: callersKey }).responses('gpt-5.5')
    const tools = { get_weather: tool({ inputSchema: place, execute: async () => weather }) }
    const providerOptions = { openai: { reasoningEffort: 'low', reasoningSummary: 'auto' } }
    const { text } = await generateText({ model, prompt: question, tools, providerOptions, stopWhen: isStepCount(4), maxRetries: 0 })
    assert.match(text, /get_weather answered: .*Sunny/)
  })

  test(`@langchain/openai → ${wire}: withStructuredOutput gives an object`, async () => {
    const chat = new ChatOpenAI({ model: 'gpt-5.5', apiKey: callersKey, maxRetries: 0, configuration: { baseURL: `${url}/v1` } })
    for (const method of ['jsonSchema', 'functionCalling'] as const) {
      const value = await chat.withStructuredOutput(City, { name: 'city', method }).invoke('A city')
      assert.deepEqual(value, city, method)
    }
  })
}
