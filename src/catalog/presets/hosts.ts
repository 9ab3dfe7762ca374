/** What a host takes away from, or adds to, the models it serves, whatever their families can do elsewhere. */
import type { Capabilities } from '../../core/target.ts'

/** `name` is the model's bare name in lower case. */
type Host = (name: string) => Capabilities

const objectOnly: Host = () => ({ jsonSchema: false, jsonSchemaWithTools: false })

/** DashScope follows schemas with its newest families only. */
const alibaba: Host = (name) => (/^qwen-?3[.-][78]/.test(name) ? { jsonSchema: true } : { jsonSchema: false, jsonSchemaWithTools: false })

export const hosts: Readonly<Record<string, Host>> = {
  alibaba,
  'alibaba-cn': alibaba,
  'alibaba-coding-plan': alibaba,
  'alibaba-coding-plan-cn': alibaba,
  'alibaba-token-plan': alibaba,
  'alibaba-token-plan-cn': alibaba,
  cohere: () => ({ jsonSchemaWithTools: false }),
  deepseek: objectOnly,
  groq: () => ({ jsonSchemaWithTools: false }),
  perplexity: () => ({ tools: false }),
  zai: objectOnly,
  'zai-coding-plan': objectOnly,
  zhipuai: objectOnly,
  'zhipuai-coding-plan': objectOnly,
}
