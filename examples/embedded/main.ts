/**
 * The gateway inside an application: no server, no port. OpenAI's SDK talks to it through `fetch`, and the first target
 * that works answers.
 */
import OpenAI from 'openai'
import { createGateway } from 'signalbox'

const gateway = createGateway({
  providers: { simulator: {} },
  models: {
    assistant: {
      targets: [
        { provider: 'simulator', model: 'fail-503' }, // a provider that is down
        { provider: 'simulator', model: 'echo' }, // so this one answers
      ],
    },
  },
})

const openai = new OpenAI({ apiKey: 'any', fetch: gateway.fetch })

const answer = await openai.chat.completions.create({
  model: 'assistant',
  messages: [{ role: 'user', content: 'Is anybody there?' }],
})
console.log(answer.choices[0]?.message.content)

const stream = await openai.chat.completions.create({
  model: 'assistant',
  messages: [{ role: 'user', content: 'Word by word, please.' }],
  stream: true,
})
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta.content ?? '')
process.stdout.write('\n')

await gateway.close()
