/** Sections whose engines come later: their shapes are fixed now, so that a configuration written today stays valid. */
import { z } from 'zod'
import { amount, bodyFields, duration, headers, optionalDuration, secret, size } from './schema-parts.ts'

const names = z.array(z.string().min(1))
const share = z.number().min(0).max(1)

const appliesTo = z
  .strictObject({
    models: names.optional().describe('Routes and `provider/model` names.'),
    keys: names.optional().describe('Aliases of gateway keys.'),
    teams: names.optional().describe('Teams.'),
    tools: names.optional().describe('Names of tools.'),
  })
  .optional()
  .describe('What it is attached to. Absent: everything.')

const guard = z
  .strictObject({
    kind: z
      .enum([
        'pii',
        'credentials',
        'injection',
        'patterns',
        'blocklist',
        'schema',
        'grounding',
        'language',
        'length',
        'moderation',
        'webhook',
        'judge',
      ])
      .describe('What it looks for.'),
    on: z
      .array(z.enum(['input', 'output', 'tool-arguments', 'tool-results']))
      .min(1)
      .default(['input', 'output'])
      .describe('What it reads.'),
    action: z.enum(['allow', 'flag', 'redact', 'block', 'reroute', 'approve']).default('block').describe('What a finding leads to.'),
    to: z.string().min(1).optional().describe('The route to go to, for the action `reroute`.'),
    timeout: duration('2s').describe('How long it may take.'),
    onFailure: z.enum(['open', 'closed']).default('closed').describe('When the guard itself fails: let pass (`open`) or stop (`closed`).'),
    dryRun: z.boolean().default(false).describe('Only tell what it would have done.'),
    threshold: share.optional().describe('The score from which a finding counts.'),
    patterns: names.optional().describe('Regular expressions (RE2), for the kind `patterns`.'),
    entities: names.optional().describe('Kinds of personal data, for the kind `pii`: `email`, `iban`, `card` …'),
    file: z.string().min(1).optional().describe('A list of hashes or words, one per line, for the kind `blocklist`.'),
    schema: bodyFields.optional().describe('A JSON Schema, for the kind `schema`.'),
    languages: names.optional().describe('Allowed languages, for the kind `language`.'),
    max: z.int().min(1).optional().describe('Most characters, for the kind `length`.'),
    url: z.url().optional().describe('The service to ask, for the kinds `webhook` and `moderation`.'),
    headers: headers.optional().describe('Headers for that service.'),
    key: secret.optional().describe('Its credential.'),
    model: z.string().min(1).optional().describe('The route or `provider/model` to ask, for the kinds `judge` and `grounding`.'),
    prompt: z.string().min(1).optional().describe('The question to ask it.'),
    appliesTo,
  })
  .describe('One guard.')

export const guards = z.record(z.string(), guard).optional().describe('Guardrails, by name. They run in this order.')

export const cache = z
  .strictObject({
    exact: z
      .strictObject({
        enabled: z.boolean().default(false).describe('Answer identical requests from the cache.'),
        ttl: duration('5m').describe('How long an answer lives.'),
      })
      .prefault({})
      .describe('Identical requests.'),
    semantic: z
      .strictObject({
        enabled: z.boolean().default(false).describe('Answer requests of the same meaning from the cache.'),
        ttl: duration('24h').describe('How long an answer lives.'),
        threshold: share.default(0.95).describe('Cosine similarity from which two requests mean the same.'),
        embedder: z.string().min(1).default('lexical').describe('`lexical`, `local`, or the `provider/model` of an embeddings endpoint.'),
        verifier: z.string().min(1).optional().describe('A route that confirms each hit.'),
      })
      .prefault({})
      .describe('Requests of the same meaning.'),
    embeddings: z.boolean().default(false).describe('Cache answers of embeddings endpoints.'),
    scope: z.enum(['key', 'team', 'tenant', 'all']).default('key').describe('Who shares answers.'),
    coalesce: z.boolean().default(false).describe('Send identical concurrent requests once.'),
    maxSize: size('64MB').describe('Most memory to use.'),
    models: names.optional().describe('Routes it holds for. Absent: all.'),
  })
  .optional()
  .describe('Answers that are given again.')

export const tiers = z
  .record(
    z.string(),
    z
      .strictObject({
        models: names.min(1).describe('Routes of this tier.'),
        next: z.string().min(1).optional().describe('The tier to fall to when a budget is crossed or a model is lost.'),
      })
      .describe('One tier.'),
  )
  .optional()
  .describe('Classes of service, by name: `free`, `standard`, `premium`.')

const mcpServer = z
  .strictObject({
    url: z.url().optional().describe('A Streamable HTTP or SSE server.'),
    command: z.string().min(1).optional().describe('A program that speaks MCP over stdio.'),
    args: z.array(z.string()).default([]).describe('Its arguments.'),
    env: z.record(z.string(), z.string()).default({}).describe('Its environment; values may be secret references.'),
    cwd: z.string().min(1).optional().describe('Its working directory.'),
    openapi: z.string().min(1).optional().describe('An OpenAPI document (URL or file) whose operations become tools.'),
    headers: headers.optional().describe('Headers for every request.'),
    key: secret.optional().describe('Its credential.'),
    tools: names.optional().describe('Tools to offer. Absent: all.'),
    prefix: z.string().optional().describe('Put before the names of its tools.'),
    timeout: duration('60s').describe('How long one tool call may take.'),
    idle: optionalDuration('10m').describe('A stdio server is stopped after this long without a call.'),
    pin: z.boolean().default(true).describe('Quarantine tools whose definition changes.'),
  })
  .describe('One MCP server.')

export const mcp = z
  .strictObject({
    servers: z.record(z.string(), mcpServer).default({}).describe('MCP servers, by name.'),
    virtual: z
      .record(
        z.string(),
        z
          .strictObject({
            servers: names.min(1).describe('The servers it draws from.'),
            tools: names.optional().describe('Tools to offer, as `server/tool`.'),
            rename: z.record(z.string(), z.string()).default({}).describe('New names, by `server/tool`.'),
          })
          .describe('One virtual server.'),
      )
      .default({})
      .describe('Selections of tools under a name of their own, served at `/mcp/<name>`.'),
    search: z.boolean().default(false).describe('Offer `search_tools`, `describe_tool` and `call_tool` instead of every tool.'),
    approve: names.default([]).describe('Tools (`server/tool`) that a person must approve.'),
  })
  .optional()
  .describe('Tool servers.')

const messages = z.array(
  z.strictObject({
    role: z.enum(['system', 'user', 'assistant']).describe('Who speaks.'),
    content: z.string().describe('The text, with `{{variables}}`.'),
  }),
)

export const prompts = z
  .record(
    z.string(),
    z
      .strictObject({
        template: z.string().min(1).optional().describe('A single text, with `{{variables}}` and `{{> partials}}`.'),
        messages: messages.optional().describe('Several turns, instead of `template`.'),
        variables: z.record(z.string(), z.string()).default({}).describe('Defaults of variables.'),
        model: z.string().min(1).optional().describe('The route or `provider/model` to use.'),
        version: z.int().min(1).default(1).describe('Its version.'),
        labels: names.default([]).describe('Labels: `production`, `draft`.'),
      })
      .describe('One prompt.'),
  )
  .optional()
  .describe('Prompt templates, by name.')

const step = z
  .strictObject({
    id: z.string().min(1).describe('What later steps call its result.'),
    kind: z.enum(['generate', 'classify', 'branch', 'map', 'judge', 'tool']).default('generate').describe('What it does.'),
    model: z.string().min(1).optional().describe('The route or `provider/model` to use.'),
    prompt: z.string().min(1).optional().describe('The name of a prompt, or a text with `{{steps.id}}`.'),
    tool: z.string().min(1).optional().describe('The tool to call, as `server/tool`.'),
    labels: names.optional().describe('What `classify` may answer.'),
    over: z.string().min(1).optional().describe('The list that `map` goes through.'),
    when: z.string().min(1).optional().describe('A CEL expression: the step runs only if it is true.'),
    next: z.record(z.string(), z.string()).optional().describe('For `branch`: the step to go to, by label.'),
  })
  .describe('One step.')

export const workflows = z
  .record(
    z.string(),
    z
      .strictObject({
        steps: z.array(step).min(1).describe('What is done, in order.'),
        output: z.string().min(1).optional().describe('The step whose result is the answer. Absent: the last.'),
        maxCost: amount.optional().describe('USD that one run may cost.'),
        timeout: duration('5m').describe('How long one run may take.'),
        maxDepth: z.int().min(1).max(100).default(10).describe('Most rounds of tool calls.'),
      })
      .describe('One workflow.'),
  )
  .optional()
  .describe('Chains of calls that answer as one model, by name.')
