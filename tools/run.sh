#!/bin/sh
# run.sh PROGRAM: tries postern out on this machine: it listens on port 2525, and behind it a sink
# on port 2526 puts what it gets into the Maildir run/mail. Ends with Ctrl-C.
set -eu
program=$1
tools=$(cd "$(dirname "$0")" && pwd)
port=${PORT:-2525}
sink=${SINK_PORT:-2526}

mkdir -p run/mail run/state
ln -sfn "$tools/../rules/defaults" run/defaults
if [ ! -f run/postern.yaml ]; then
	cat >run/postern.yaml <<-END
		hostname: mx.example.com
		user: nobody
		run_dir: $PWD/run
		state_dir: $PWD/run/state
		log: { target: stderr, format: text, level: info }
		listen: [ { address: "127.0.0.1:$port", tls: off } ]
		backend: { servers: [ "127.0.0.1:$sink" ], tls: off }
		relay: { domains: [ example.com ] }
		dns: { servers: [] }
		filters: { ptr: {} }
		policy: [ include: defaults/policy.yaml ]
		thresholds: { tag: 5, reject: 12 }
	END
fi

"$program" sink --listen "127.0.0.1:$sink" --maildir run/mail &
pid=$!
trap 'kill $pid 2>/dev/null || :' EXIT
trap 'exit 0' INT TERM
echo "postern listens on 127.0.0.1:$port, run/postern.yaml is its configuration; for example:"
echo "    swaks --server 127.0.0.1:$port --from a@example.org --to c@example.com"
"$program" -c run/postern.yaml run
