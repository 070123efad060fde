"""Renders strings of a playbook with Debian's Ansible: a JSON request in, a JSON list out."""

import json
import sys

from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

request = json.load(sys.stdin)
loader = DataLoader()
loader.set_basedir(request["folder"])
answers = []
for template in request["templates"]:
    templar = Templar(loader=loader, variables=dict(request["variables"]))
    try:
        answers.append({"text": str(templar.template(template, convert_data=False))})
    except Exception as error:
        answers.append({"error": f"{type(error).__name__}: {error}"})
json.dump(answers, sys.stdout)
