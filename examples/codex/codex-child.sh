CODEX_HOME=~/codex-agent codex -c model_providers.countersign.base_url="$OPENAI_BASE_URL" \
  -c model_providers.countersign.env_key=OPENAI_API_KEY exec 'Say hello.'
