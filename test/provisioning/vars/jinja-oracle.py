"""Renders templates with Debian's python3-jinja2 as Ansible sets it up: a JSON list in, a JSON list out."""

import json
import sys

import jinja2



class Missing(jinja2.StrictUndefined):
    """As in Ansible: a member of what is undefined is undefined."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __getitem__(self, key):
        return self


environment = jinja2.Environment(
    undefined=Missing,
    trim_blocks=True,
    keep_trailing_newline=True,
    extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"],
    finalize=lambda value: "" if value is None else value,
)
request = json.load(sys.stdin)
# Afresh for each: Python's indent appends to a list that it is given.
variables = json.dumps(request["variables"])
answers = []
for template in request["templates"]:
    try:
        answers.append({"text": environment.from_string(template).render(json.loads(variables))})
    except RecursionError:
        answers.append({"error": "RecursionError"})
    except Exception as error:
        answers.append({"error": f"{type(error).__name__}: {error}"})
json.dump(answers, sys.stdout)
