/** All SDKs that the gateway is tested with. */
import type { Client, Place } from './client.ts'
import { aiSdkClients } from './clients/ai-sdk.ts'
import { anthropic } from './clients/anthropic.ts'
import { google } from './clients/google.ts'
import { langchainClients } from './clients/langchain.ts'
import { openaiChat } from './clients/openai-chat.ts'
import { openaiResponses } from './clients/openai-responses.ts'

export const vendorClients = (place: Place): readonly Client[] => [
  openaiChat(place),
  openaiResponses(place),
  anthropic(place),
  google(place),
]

export { aiSdkClients, langchainClients }
