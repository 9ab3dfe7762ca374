import { type Fault, type FaultId, faults } from '../../src/core/error.ts'

const whose: Readonly<Record<Fault['whose'], string>> = { caller: 'the caller', provider: 'the provider', gateway: 'the gateway' }
const retry: Readonly<Record<Fault['retry'], string>> = {
  same: 'the same target is tried again, then the next',
  next: 'the next key or target is tried at once',
  never: 'nothing else is tried',
}

/** One heading per code that callers see, with every cause that has it. */
export function errorsPage(): string {
  const codes = new Map<string, [FaultId, Fault][]>()
  for (const [id, fault] of Object.entries(faults) as [FaultId, Fault][])
    codes.set(fault.code, [...(codes.get(fault.code) ?? []), [id, fault]])
  const table = [...codes].map(([code, causes]) => `| [\`${code}\`](#${code}) | ${statusesOf(causes)} |`)
  const sections = [...codes]
    .toSorted(([left], [right]) => left.localeCompare(right))
    .map(([code, causes]) => `### \`${code}\`\n\n${causes.map(causeOf).join('\n')}\n`)
  return `<!-- Made by \`npm run docs\` from src/core/error.ts. -->

# Errors

Every error has one of these codes. It stands where the dialect of the request has room for it, and always in the header \`x-signalbox-error\`.

| dialect | code | path of the fault |
|---|---|---|
| OpenAI (Chat Completions, Responses) | \`error.code\` | \`error.param\` |
| Anthropic | \`error.details.error_code\` | start of the message |
| Gemini | \`details[]\` ErrorInfo \`reason\` | \`details[]\` BadRequest \`fieldViolations[0].field\` |

A provider's own 400, 404, 413, 422 and 429 keep their status and words. "What is tried" holds before the first byte of the answer;
after it an error event ends the stream.

| code | status |
|---|---|
${table.join('\n')}

${sections.join('\n')}`
}

const statusesOf = (causes: readonly [FaultId, Fault][]): string => [...new Set(causes.map(([, { status }]) => status))].join(', ')

const causeOf = ([id, fault]: [FaultId, Fault]): string =>
  `- **${fault.status}** (\`${id}\`, fault of ${whose[fault.whose]}). ${fault.meaning} What is tried: ${retry[fault.retry]}.`
