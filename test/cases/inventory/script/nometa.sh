#!/bin/sh
if [ "$1" = --list ]; then echo '{"g": {"hosts": ["a", "b"], "children": ["sub"]}, "sub": {"hosts": ["c"]}}'; else echo "{\"me\": \"$2\"}"; fi
