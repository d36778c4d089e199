#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# count.sh RESULTS NAME COMMAND...: runs a test and writes how many of its cases passed, failed and were skipped to
# RESULTS/NAME.count. The cases are its lines "ok - ", "not ok - " and "skip - ", or what its last line of the form
# "N passed, N failed, N skipped" says. A test that ends badly without saying which case failed has one failed case; one
# that says nothing is itself a case.
set -u
results=$1 name=$2
shift 2
mkdir -p "$results"
# If this script is killed (a time limit), the test has failed.
echo "0 1 0" > "$results/$name.count"

"$@" > "$results/$name.log" 2>&1 < /dev/null
status=$?
cat "$results/$name.log"

awk -v status=$status '
	/^ok - / { passed++ }
	/^not ok - / { failed++ }
	/^skip - / { skipped++ }
	/^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped/ { closing = 1; p = $1; f = $3; s = $5 }
	END {
		if (closing) { passed = p; failed = f; skipped = s }
		# Killed by a signal: whatever was running did not report.
		if (status > 128) failed++
		if (status == 77 && passed + failed + skipped == 0) skipped = 1
		else if (status != 0 && status != 77 && failed + 0 == 0) failed = 1
		else if (passed + failed + skipped == 0) passed = 1
		print passed + 0, failed + 0, skipped + 0
	}' "$results/$name.log" > "$results/$name.count"

# A failed case is a failure even if the program forgot to say so.
if [ $status -eq 0 ] && [ "$(cut -d' ' -f2 "$results/$name.count")" != 0 ]; then
	status=1
fi
exit $status
