COUNTERSIGN_PROXY_TOKEN="$(countersign proxy token)"
export COUNTERSIGN_PROXY_TOKEN

CODEX_HOME=~/codex-agent codex exec 'Say hello.'
