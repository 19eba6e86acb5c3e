"""Ray, through the adapter that the documentation shows."""

from __future__ import annotations

import sys

import pytest

from tests.distributed.launch import communicate
from tests.engine.engine_helpers import ROOT, contents, make_engine
from tests.managed.cases import installed
from tests.test_docs import script_of

pytestmark = pytest.mark.slow

SCRIPT = """
import os, sys, time
from tests.engine.engine_helpers import evaluate, make_engine

ray.init(num_cpus=2, include_dashboard=False, _temp_dir=sys.argv[2])
executor = RayExecutor()
died = sys.argv[3]

def dies_once(worker_id, parameters):
    try:
        os.close(os.open(died, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return evaluate(worker_id, parameters)
    os._exit(1)

engine = make_engine(sys.argv[1], dies_once, backend=executor, evaluators=3)
engine.fit(skip_cv_checks=True)
print("evaluated", len(engine.dataset), ray.is_initialized())
"""


@pytest.mark.skipif(not installed("ray"), reason="needs ray")
def test_the_adapter_of_the_documentation(tmp_path, tmp_path_factory):
    code = script_of(ROOT / "docs" / "distributed.md", "py")
    adapter = code[code.index("import functools") : code.index("\nray.init()")]
    (tmp_path / "script.py").write_text(adapter + SCRIPT)
    # Sockets must not have long names.
    temporary = tmp_path_factory.getbasetemp()
    command = [sys.executable, tmp_path / "script.py", tmp_path / "shac", temporary]
    output = communicate(
        [*command, tmp_path / "died"],
        tmp_path,
        PYTHONPATH=str(ROOT),
        RAY_USAGE_STATS_ENABLED="0",
        RAY_AUTH_MODE="disabled",
    )
    assert "evaluated 18 True" in output
    assert (tmp_path / "died").exists()
    make_engine(tmp_path / "local").fit(skip_cv_checks=True)
    assert contents(tmp_path / "shac") == contents(tmp_path / "local")
