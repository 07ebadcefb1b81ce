"""The text is read back by supervisord's own parser: quoting is where such files go wrong."""

from pathlib import Path

import pytest
from supervisor.options import ServerOptions

from deploy.local.folder import StackFolder
from deploy.local.program import Program
from deploy.local.supervisor_conf import rendered

PEM = "-----BEGIN PRIVATE KEY-----\nab+/=%,'x\n-----END PRIVATE KEY-----\n"


def _read_back(folder: StackFolder, *programs: Program) -> list[object]:
    folder.write_text("conf", rendered(folder, programs, owner=1))
    options = ServerOptions()
    options.configfile = str(folder.path / "conf")
    options.process_config(do_usage=False)
    return [group.process_configs[0] for group in options.process_group_configs]


def test_commands_and_values_survive(tmp_path: Path) -> None:
    home = tmp_path / "a folder"
    StackFolder(home).create()
    program = Program("points", ("/bin/echo", "two words", "50%"), {"KEY": PEM, "URL": "postgresql://u:p%40@h/d"})
    (points,) = (one for one in _read_back(StackFolder(home), program) if vars(one)["name"] == "points")
    read = vars(points)
    assert read["command"] == "/bin/echo 'two words' 50%"
    assert read["environment"]["KEY"] == PEM.replace("\n", "\\n")
    assert read["environment"]["URL"] == "postgresql://u:p%40@h/d"
    assert read["stdout_logfile"] == str(home / "logs" / "points.log")


@pytest.mark.parametrize("value", ['a"b', "a ;b", "a #b"])
def test_what_the_file_cannot_hold_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(ValueError, match="cannot hold"):
        rendered(StackFolder(tmp_path), [Program("points", ("true",), {"KEY": value})])
