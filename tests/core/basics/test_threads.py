"""The thread variables of workers."""

import pytest

from pyshac.core.basics.threads import thread_variables

OTHERS = [
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "PJRT_NPROC",
]
NAMES = ["OMP_NUM_THREADS", *OTHERS]


@pytest.mark.parametrize(
    ("environment", "followed"),
    [
        ({}, "8"),
        ({"OMP_NUM_THREADS": "3"}, "3"),
        ({"OMP_NUM_THREADS": " +03 "}, "3"),
        ({"MKL_NUM_THREADS": "5"}, "5"),
        # OpenMP's decides, wherever it stands.
        ({"MKL_NUM_THREADS": "5", "OMP_NUM_THREADS": "3"}, "3"),
        ({"NUMBA_NUM_THREADS": "5", "OPENBLAS_NUM_THREADS": "2"}, "2"),
        # A number for each level of nested parallelism.
        ({"OMP_NUM_THREADS": "4,2"}, "4"),
        ({"OMP_NUM_THREADS": "4, 2 ,1"}, "4"),
    ],
)
def test_what_is_not_set_follows_what_is(environment, followed):
    found = thread_variables(environment, 8)
    assert found == {name: followed for name in NAMES if name not in environment}


@pytest.mark.parametrize("text", ["many", "0", "-2", "2.5", "4;2", "4,", "1" * 20, "٣"])
def test_what_is_no_number_keeps_its_value_and_decides_nothing(text):
    assert thread_variables({"OMP_NUM_THREADS": text}, 8) == dict.fromkeys(OTHERS, "8")
    both = {"OMP_NUM_THREADS": text, "BLIS_NUM_THREADS": "2"}
    assert set(thread_variables(both, 8).values()) == {"2"}
    assert not both.keys() & thread_variables(both, 8).keys()


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_variable_is_not_set(text):
    assert thread_variables({"OMP_NUM_THREADS": text}, 8) == dict.fromkeys(NAMES, "8")
