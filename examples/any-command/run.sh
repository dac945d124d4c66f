#!/bin/sh
# run.sh answers: how is a command faster the second time, one that I cannot change?
#
# It calls ./report with "larder run" before it. The second call prints what the first one printed,
# and nothing runs; when the file that the report is about has changed, or the call is another one,
# it runs again. So it is for any command whose output depends on what one can name: its words, files
# (--file), variables (--env), input (--stdin), and how old it may be (--ttl).
#
#	go install github.com/larder-go/larder/cmd/larder@latest
#	./examples/any-command/run.sh
set -eu
cd "$(dirname "$0")"
command -v larder >/dev/null || { echo "install larder first: see the head of $0" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export RAN="$work/ran" LARDER_CACHE_DIR="$work/cache" # of your own, leave it out
list="$work/list.txt"

# say prints what comes next, runs it, and prints how often the report has run so far.
say() {
	echo "$1:"
	shift
	code=0
	"$@" || code=$?
	echo "    exit code $code, runs so far: $(grep -c ran "$RAN")"
}

printf 'tea\nmilk\ntea\n' >"$list"
say "the first time" larder run --ttl 15m --file "$list" -- ./report "$list"
say "the second time" larder run --ttl 15m --file "$list" -- ./report "$list"

echo tea >>"$list"
say "the list has changed" larder run --ttl 15m --file "$list" -- ./report "$list"
say "now, whatever is kept" larder run --refresh --file "$list" -- ./report "$list"
say "only if it is kept" larder run --offline --file "$list" -- ./report "$list"

# What fails is not kept: the next call tries again.
say "a failure" larder run -- ./report "$work/nowhere"
say "again" larder run -- ./report "$work/nowhere"
