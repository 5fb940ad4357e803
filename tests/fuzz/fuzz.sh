#!/bin/sh
# fuzz.sh PROGRAM SECONDS: lets libFuzzer look for inputs that break the program fuzz/NAME.
# What it learns is kept beside the program in corpus/NAME, what breaks it in crashes/NAME-*;
# it begins with the seeds of tests/fuzz/corpus/NAME. Few seconds for many targets: SECONDS is
# the whole time of one.
program=$1
seconds=$2
name=${program##*/}
place=$(dirname "$program")
seeds=$(dirname "$0")/corpus/$name
words=$(dirname "$0")/corpus/$name.dict

mkdir -p "$place/corpus/$name" "$place/crashes"
[ -d "$seeds" ] || seeds=
set -- "$place/corpus/$name" ${seeds:+"$seeds"}
[ -f "$words" ] && set -- -dict="$words" "$@"
exec "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
	-artifact_prefix="$place/crashes/$name-" "$@" </dev/null
