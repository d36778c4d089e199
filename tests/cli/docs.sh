#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Help, manual page and completions name the same options and exit statuses as the code.
. "$(dirname "$0")/common.inc"

root=$(dirname "$0")/../..
man=$root/docs/man/wasmkeep.1

# The page without its markup, so that options can be looked for.
sed 's/\\-/-/g' "$man" > "$work/man"
for command in run validate inspect memory compile; do
	tool $command --help
	options=$(sed -n '/^Options:/,/^$/p' "$work/out" | grep -Eo -- '^ +(-., )?--[a-z-]+' | grep -Eo -- '--[a-z-]+')
	[ -n "$options" ] || not_ok "$command --help has options"
	for option in $options; do
		missing=
		grep -q -- "$option\\b" "$work/man" || missing="$missing the manual page"
		grep -q -- "$option\\b" "$root/cli/completions/bash" || missing="$missing bash"
		grep -q -- "$option\\b" "$root/cli/completions/zsh" || missing="$missing zsh"
		grep -q -- "-l ${option#--}\\b" "$root/cli/completions/fish" || missing="$missing fish"
		[ -z "$missing" ] && ok "$command $option is documented" || not_ok "$command $option is documented" "not in$missing"
	done
done
tool help run
for number in $(sed -n 's/^\tWK_EXIT_[A-Z_]* = \([0-9]*\),\{0,1\}.*/\1/p' "$root/cli/exit_status.h"); do
	[ "$number" -eq 0 ] && continue
	if grep -q "^  $number  " "$work/out" && grep -qx "\\.B $number" "$man"; then
		ok "exit status $number is documented"
	else
		not_ok "exit status $number is documented"
	fi
done
tool --version
version=$(cut -d ' ' -f 2 "$work/out")
grep -q "^\\.TH .*Wasmkeep $version" "$man" && ok "the manual page has the version" || not_ok "the manual page has the version"

if command -v mandoc > /dev/null; then
	mandoc -Tlint -W warning "$man" > "$work/lint" 2>&1
	[ -s "$work/lint" ] && not_ok "mandoc has nothing to say" "$(cat "$work/lint")" || ok "mandoc has nothing to say"
else
	skip "mandoc has nothing to say" "no mandoc"
fi
if command -v man > /dev/null && command -v groff > /dev/null; then
	man --warnings -l "$man" 2> "$work/lint" > /dev/null
	[ -s "$work/lint" ] && not_ok "man has no warnings" "$(cat "$work/lint")" || ok "man has no warnings"
else
	skip "man has no warnings" "no man"
fi
for shell in bash zsh fish; do
	if ! command -v $shell > /dev/null; then
		skip "the completion for $shell is well-formed" "no $shell"
	elif $shell -n "$root/cli/completions/$shell" 2> "$work/lint"; then
		ok "the completion for $shell is well-formed"
	else
		not_ok "the completion for $shell is well-formed" "$(cat "$work/lint")"
	fi
done
if command -v bash > /dev/null; then
	# complete WORDS...: what bash would offer for the last word.
	complete() {
		bash -c 'source "$0/cli/completions/bash"; compopt() { :; }; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
			_wasmkeep; echo "${COMPREPLY[*]}"' "$root" "$@"
	}
	[ "$(complete wasmkeep val)" = validate ] && ok "bash completes a command" || not_ok "bash completes a command"
	[ "$(complete wasmkeep run --time)" = --timeout ] && ok "bash completes an option" || not_ok "bash completes an option"
	[ "$(complete wasmkeep run --report = j)" = json ] && ok "bash completes a value" || not_ok "bash completes a value"
	[ -z "$(complete wasmkeep run x.wasm --time)" ] && ok "bash leaves the program's words alone" ||
		not_ok "bash leaves the program's words alone"
fi
finish
