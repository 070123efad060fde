#!/bin/sh
if [ "$1" = --list ]; then
cat <<'J'
{"web": {"hosts": ["w1", "w2"], "vars": {"port": 80, "f": 1.0}}, "db": ["d1"], "all": {"children": ["web", "db"]},
 "_meta": {"hostvars": {"w1": {"x": [1, "a", null]}, "d1": {"y": {"z": true}}}}}
J
fi
