CODEX_ACCESS_TOKEN="$(countersign authority identity issue --account acct-1 --user user-1 --config authority.toml)"
export CODEX_ACCESS_TOKEN

countersign codex run --codex-home ~/codex-agent -- exec 'Say hello.'
