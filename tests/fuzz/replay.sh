#!/bin/sh
# replay.sh CORPUS PROGRAM...: each program (fuzz/NAME) reads the files of CORPUS/NAME. One line
# each, "ok NAME" or "FAILED NAME" with the end of what it said.
corpus=$1
shift
failed=0
for program in "$@"; do
	name=${program##*/}
	log=$program.replay.log
	folder=$corpus/$name
	[ -d "$folder" ] || folder=
	if "$program" ${folder:+"$folder"} >"$log" 2>&1 </dev/null; then
		echo "ok $name ($(tail -n 1 "$log"))"
	else
		echo "FAILED $name"
		tail -n 40 "$log"
		failed=1
	fi
done
exit $failed
