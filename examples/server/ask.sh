#!/bin/sh
# Asks one model in four dialects. The first argument is the gateway's address.
set -eu
url="${1:-http://127.0.0.1:8484}"
json='content-type: application/json'

echo '# Chat Completions'
curl -fsS "$url/v1/chat/completions" -H "$json" \
  -d '{"model": "helpful", "messages": [{"role": "user", "content": "Hello from Chat"}]}'

echo; echo '# Responses, streamed'
curl -fsSN "$url/v1/responses" -H "$json" \
  -d '{"model": "helpful", "stream": true, "input": "Hello from Responses"}'

echo; echo '# Messages'
curl -fsS "$url/v1/messages" -H "$json" -H 'anthropic-version: 2023-06-01' \
  -d '{"model": "helpful", "max_tokens": 100, "messages": [{"role": "user", "content": "Hello from Messages"}]}'

echo; echo '# Gemini'
curl -fsS "$url/v1beta/models/helpful:generateContent" -H "$json" \
  -d '{"contents": [{"role": "user", "parts": [{"text": "Hello from Gemini"}]}]}'
echo
