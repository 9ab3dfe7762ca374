/** One model, three vendors' SDKs. None of them knows who really answers. */
import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import OpenAI from 'openai'
import { createGateway } from 'signalbox'

const gateway = createGateway({
  providers: { simulator: {} },
  models: { shared: { targets: [{ provider: 'simulator', model: 'echo' }] } },
})
const fetch = gateway.fetch
const question = 'Who are you?'

const openai = new OpenAI({ apiKey: 'any', fetch })
const response = await openai.responses.create({ model: 'shared', input: question })
console.log('openai:   ', response.output_text)

const anthropic = new Anthropic({ apiKey: 'any', fetch })
const message = await anthropic.messages.create({ model: 'shared', max_tokens: 100, messages: [{ role: 'user', content: question }] })
console.log('anthropic:', message.content.map((block) => (block.type === 'text' ? block.text : '')).join(''))

const google = new GoogleGenAI({ apiKey: 'any', httpOptions: { fetch } })
const generated = await google.models.generateContent({ model: 'shared', contents: question })
console.log('google:   ', generated.text)

await gateway.close()
