/** Dates on which vendors take models away, where the catalogue's facts do not say so. By provider, then model. */
export interface Lifecycle {
  /** ISO date from which the vendor advises against it. */
  readonly deprecated?: string
  /** ISO date on which it stops answering. */
  readonly shutdown: string
}

const on = (shutdown: string, ...models: readonly string[]): readonly (readonly [string, Lifecycle])[] =>
  models.map((model) => [model, { shutdown }] as const)

export const lifecycles: Readonly<Record<string, Readonly<Record<string, Lifecycle>>>> = {
  openai: Object.fromEntries([
    ...on('2026-10-23', 'gpt-4', 'gpt-3.5-turbo', 'o1', 'o3-mini', 'o4-mini', 'gpt-4.1-nano'),
    ...on('2026-12-11', 'gpt-5', 'o3'),
    ...on('2027-01-14', 'gpt-4o', 'gpt-4.1'),
    ...on('2027-04-01', 'gpt-5.1', 'gpt-5.4-nano'),
  ]),
  anthropic: Object.fromEntries(on('2026-11-30', 'claude-sonnet-4-5', 'claude-sonnet-4-5-20250929')),
  deepseek: Object.fromEntries(on('2026-07-24', 'deepseek-chat', 'deepseek-reasoner')),
}
