"""
Renders strings of a playbook with Debian's Ansible: a JSON request in, a JSON list out. Each answer is text, or with
"native" the value that Ansible makes of it.
"""

import json
import sys

from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

request = json.load(sys.stdin)
loader = DataLoader()
loader.set_basedir(request["folder"])
native = request.get("native", False)
answers = []
for template in request["templates"]:
    # Afresh for each: an expression may change what it is given.
    templar = Templar(loader=loader, variables=json.loads(json.dumps(request["variables"])))
    try:
        made = templar.template(template, convert_data=native)
        value = json.loads(json.dumps(made, default=str)) if native else None
        answers.append({"value": value} if native else {"text": str(made)})
    except Exception as error:
        answers.append({"error": f"{type(error).__name__}: {error}"})
json.dump(answers, sys.stdout)
