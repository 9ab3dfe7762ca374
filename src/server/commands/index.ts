/** Every command but `serve`, with its options and help. */
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import type { CommandArgs } from './catalog-file.ts'
import { serveHelp } from './serve.ts'

const version = (): string => JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')).version

/** The exit code: 0 done, 1 the answer is no, 2 the question was wrong. */
export async function runCommand(argv: readonly string[]): Promise<number> {
  let code = 0
  const program = new Command('signalbox')
    .description('One gateway in front of every model provider.')
    .version(version(), '--version', 'tell the version')
    .helpCommand(false)
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'signalbox: ')) })
    .addHelpText('after', '\nFrom a clone: npm run -s signalbox -- <command>. More in docs/guide/.')

  program
    .command('serve')
    .description('start the gateway (`signalbox serve --help`)')
    .helpOption(false)
    .allowUnknownOption()
    .action(() => void process.stdout.write(serveHelp))

  program
    .command('check')
    .description('check a configuration, and tell what it amounts to')
    .argument('[file]', 'the configuration; default: signalbox.{yaml,json,ts} here')
    .option('--config <file>', 'the same, as a flag')
    .option('--json', 'print JSON')
    .action(act(async () => (await import('./check.ts')).checkCommand))

  program
    .command('explain')
    .description('tell where a call would go and why; nothing is sent')
    .argument('[file]', 'the body of the call as JSON; - for standard input')
    .option('--model <name>', 'the model to ask for')
    .option('--prompt <text>', 'with --model alone: what is said')
    .option('--dialect <wire>', 'openai-chat, openai-responses, anthropic-messages or gemini; default: by its shape')
    .option('--require <list>', 'as x-signalbox-require: context>=128k, json_schema')
    .option('--prefer <list>', 'as x-signalbox-prefer: cost;q=0.8, latency;q=0.2')
    .option('--region <name>', 'as x-signalbox-region')
    .option('--max-cost <usd>', 'as x-signalbox-max-cost')
    .option('--max-latency <duration>', 'as x-signalbox-max-latency')
    .option('--metadata <json>', 'as x-signalbox-metadata')
    .option('--url <url>', 'ask this running gateway, which knows how its targets do')
    .option('--key <key>', 'its key; default: SIGNALBOX_KEY')
    .option('--config <file>', 'work it out from this configuration; default: signalbox.{yaml,json,ts} here')
    .option('--json', 'print JSON')
    .action(act(async () => (await import('./explain.ts')).explainCommand))

  program
    .command('drill')
    .description('break the first targets of routes on purpose, and tell whether calls still get their answer')
    .argument('[routes...]', 'the routes; default: all')
    .option('--route <names>', 'the same, separated by commas')
    .option('--fault <names>', 'only these: error, rate-limit, slow, stall, truncate, bad-json, refused')
    .option('--live', 'really call healthy targets; without it the simulator answers for all of them')
    .option('--wait <duration>', 'no wait for a target is longer than this; default 1s, with --live as the routes say')
    .option('--config <file>', 'the configuration; default: signalbox.{yaml,json,ts} here')
    .option('--json', 'print JSON')
    .action(act(async () => (await import('./drill.ts')).drillCommand))

  program
    .command('import')
    .description("turn another gateway's configuration into ours")
    .argument('<words...>', 'litellm FILE or portkey FILE')
    .option('--out <file>', 'where to write it; default: printed')
    .option('--json', 'print what came of it as JSON')
    .action(act(async () => (await import('./import.ts')).importCommand))

  program
    .command('models')
    .description('find models in the catalogue')
    .argument('[words...]', 'words that must occur in id, name, provider or family')
    .option('--provider <id>', 'only of this provider')
    .option('--tools', 'only with tool calls')
    .option('--reasoning', 'only models that reason')
    .option('--schema', 'only with structured output by JSON Schema')
    .option('--input <kind>', 'only those that take this: image, pdf, audio, video')
    .option('--output <kind>', 'only those that give this: image, audio')
    .option('--context <tokens>', 'at least this context window: 128k, 1m')
    .option('--max-price <usd>', 'at most this price of input, per million tokens')
    .option('--current', 'leave out deprecated and retired models')
    .option('--limit <n>', 'how many to show')
    .option('--catalog <file>', 'a catalogue written by `catalog sync --out`')
    .option('--config <file>', 'the configuration whose catalogue is meant')
    .option('--json', 'print JSON')
    .action(act(async () => (await import('./models.ts')).modelsCommand))

  program
    .command('catalog')
    .description('tell what the catalogue holds; `catalog sync` refreshes it')
    .argument('[action...]', 'show (default) or sync')
    .option('--url <url>', 'source of the facts, in the shape of models.dev')
    .option('--out <file>', 'where the refreshed catalogue is kept')
    .option('--timeout <duration>', 'how long to wait for the source')
    .option('--config <file>', 'the configuration whose catalogue is meant')
    .option('--json', 'print JSON')
    .action(act(async () => (await import('./catalog.ts')).catalogCommand))

  const managing = (name: string, text: string): Command =>
    program
      .command(name)
      .description(text)
      .option('--url <url>', 'the running gateway; default: as the configuration says, else http://127.0.0.1:8484')
      .option('--config <file>', 'the configuration that it runs with; default: signalbox.{yaml,json,ts} here')
      .option('--organisation <id>', 'only, or for, this organisation')
      .option('--json', 'print JSON')
      .addHelpText('after', "\nThe key is read from SIGNALBOX_ADMIN_KEY: the owner's, or an admin's.")

  managing('keys', 'gateway keys: list (default), create, show ID, revoke ID, rotate ID')
    .argument('[words...]', 'what to do, and the id of a key')
    .option('--alias <name>', 'create: what people call it')
    .option('--group <name>', 'create: keys that are told together')
    .option('--models <list>', 'create: names it may ask for, separated by commas')
    .option('--budget <list>', 'create: 0.50/day, 10/month')
    .option('--limit <list>', 'create: requests=60/1m, tokens=100000/1h, concurrent=4')
    .option('--expires <when>', 'create: 30d, or 2027-01-31')
    .option('--rotate-every <span>', 'create: another secret by itself every 30d (access.rotation)')
    .option('--team <id>', 'create: the team it is of')
    .option('--project <id>', 'create: the project it is of')
    .option('--user <name>', 'create: whom its calls are for')
    .option('--tags <list>', 'create: put on every call')
    .option('--tier <name>', 'create: the class of service')
    .option('--tiers <list>', 'create: tiers it may ask for')
    .option('--endpoints <list>', 'create: chat, count, models, explain')
    .option('--tools <list>', 'create: MCP tools, as server/tool')
    .option('--ips <list>', 'create: addresses it may be used from, as CIDR ranges')
    .option('--overlap <duration>', 'rotate: so long the key before works too; default 1h')
    .action(act(async () => (await import('./keys.ts')).keysCommand))

  managing('usage', 'what was used and what it cost')
    .argument('[words...]')
    .option('--by <list>', 'key, model, team, day …, separated by commas; default: key')
    .option('--from <when>', '2026-01-31, or 7d for seven days ago; default: this month')
    .option('--to <when>', 'the same; default: now')
    .option('--only <key>', 'only this key')
    .option('--format <name>', 'table (default), json, csv, jsonl or focus')
    .action(act(async () => (await import('./usage.ts')).usageCommand))

  managing('requests', 'calls, newest first: list (default), show ID')
    .argument('[words...]', 'what to do, and the id of a call (`x-signalbox-request-id`)')
    .option('--key <id>', 'list: only calls with this key')
    .option('--user <name>', 'list: only calls for this user')
    .option('--team <id>', 'list: only calls of this team')
    .option('--project <id>', 'list: only calls of this project')
    .option('--tag <name>', 'list: only calls with this tag')
    .option('--route <name>', 'list: only calls on this route')
    .option('--provider <id>', 'list: only calls that this provider served')
    .option('--model <name>', 'list: only calls that this model served')
    .option('--status <status>', 'list: only calls that ended so: 429, or a class, 4xx')
    .option('--state <state>', 'list: running, settled or lost')
    .option('--min-cost <usd>', 'list: only calls that cost so much')
    .option('--from <when>', 'list: 2026-01-31, or 1h for an hour ago')
    .option('--to <when>', 'list: the same, excluded; default: now')
    .option('--limit <n>', 'list: how many; default 20')
    .option('--after <place>', 'list: go on after this place')
    .action(act(async () => (await import('./requests.ts')).requestsCommand))

  managing('budget', 'budgets: list (default), create, status [ID], remove ID')
    .argument('[words...]', 'what to do, and the id of a budget')
    .option('--limit <usd>', 'create: how much')
    .option('--name <text>', 'create: what it is called')
    .option('--window <name>', 'create: day, month (default), total …, or the last so long: 24h')
    .option('--time-zone <name>', 'create: where windows begin; default UTC')
    .option('--by <dimension>', 'create: all (default), key, user, team, project, tag, model …')
    .option('--value <name>', 'create: only this one; status: which one')
    .option('--models <list>', 'create: only calls for these names')
    .option('--on-breach <what>', 'create: refuse (default), next-tier or queue')
    .action(act(async () => (await import('./budget.ts')).budgetCommand))

  managing('audit', 'who did what: list (default); verify tells whether the log is whole')
    .argument('[words...]', 'list or verify')
    .option('--after <seq>', 'list: go on after this entry')
    .option('--limit <n>', 'list: how many; default 100')
    .action(act(async () => (await import('./audit.ts')).auditCommand))

  managing('secrets', 'stored credentials: list (default), set NAME, rotate NAME, remove NAME, rotate-master REFERENCE')
    .argument('[words...]', 'what to do, and a name; the value comes from standard input')
    .option('--file <path>', 'set, rotate: read the value from this file')
    .option('--env <name>', 'set, rotate: read the value from this environment variable')
    .option('--fresh', 'rotate-master, with the key of a KMS: a new master key in any case')
    .action(act(async () => (await import('./secrets.ts')).secretsCommand))

  managing('reconcile', "compare the ledger with the providers' statements")
    .argument('[words...]')
    .option('--from <when>', 'whole days; 2026-01-31, or 7d for seven days ago')
    .option('--to <when>', 'the same, excluded; default: today')
    .option('--last', 'show the report of the last run')
    .action(act(async () => (await import('./reconcile.ts')).reconcileCommand))

  function act(load: () => Promise<(args: CommandArgs) => Promise<number>>) {
    return async (positionals: string | readonly string[] | undefined, options: CommandArgs['options']): Promise<void> => {
      const run = await load()
      const words = positionals === undefined ? [] : typeof positionals === 'string' ? [positionals] : positionals
      code = await run({ positionals: words, options, write: (text) => void process.stdout.write(text) })
    }
  }

  try {
    if (argv.length === 0) program.outputHelp()
    else await program.parseAsync([...argv], { from: 'user' })
    return code
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? 0 : 2
  }
}
