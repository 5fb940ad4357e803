#!/bin/sh
# lint.sh: what other eyes than the compiler's see; none of it is part of check. Uses those of
# clang-tidy, cppcheck and shellcheck that are installed.
cd "$(dirname "$0")/.." || exit 2
# shellcheck disable=SC2089 # the quotes are meant for the compiler
flags="-std=gnu17 -D_GNU_SOURCE -I. -DPOSTERN_VERSION=\"\" -DPOSTERN_DATADIR=\"\"
	-DPOSTERN_SYSCONFDIR=\"\" -DPOSTERN_RUNDIR=\"\" -DPOSTERN_STATEDIR=\"\""
checks='-*,bugprone-*,clang-analyzer-*,misc-redundant-expression,performance-*'
checks="$checks,-bugprone-easily-swappable-parameters,-bugprone-reserved-identifier"
checks="$checks,-bugprone-assignment-in-if-condition,-bugprone-branch-clone"
checks="$checks,-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling"
sources=$(find lib filters rules proxy web-status -name '*.c' 2>/dev/null | sort)
failed=0

# shellcheck disable=SC2086,SC2090 # lists of words
if command -v clang-tidy >/dev/null; then
	echo "== clang-tidy"
	clang-tidy --quiet --checks="$checks" --warnings-as-errors='*' $sources -- $flags || failed=1
fi
if command -v cppcheck >/dev/null; then
	echo "== cppcheck"
	cppcheck -q --std=c11 --enable=warning,portability --inline-suppr --error-exitcode=1 \
		-D_GNU_SOURCE -I. lib filters rules proxy || failed=1
fi
if command -v shellcheck >/dev/null; then
	echo "== shellcheck"
	shellcheck -x autogen.sh check quickstart tests/*.sh tests/*/*.sh tools/*.sh || failed=1
fi
exit $failed
