"""Print a template as CloudFormation receives it; runs in the environment of the SAM CLI."""

import sys
from pathlib import Path

from samcli.lib.translate.sam_template_validator import SamTemplateValidator
from samcli.yamlhelper import yaml_parse
from samtranslator.translator.managed_policy_translator import ManagedPolicyLoader


def transformed(template: Path) -> str:
    """Return the template as ``sam validate`` expands it, without an account and with dummy code paths.

    Raises:
        InvalidSamDocumentException: the template is not valid.
    """
    no_account = ManagedPolicyLoader(iam_client=None)
    parsed = yaml_parse(template.read_text(encoding="utf-8"))
    text: str = SamTemplateValidator(
        parsed, no_account, region="us-east-1"
    ).get_translated_template_if_valid()
    return text


if __name__ == "__main__":
    print(transformed(Path(sys.argv[1])))
