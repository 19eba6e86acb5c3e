"""Evaluates Bayesmark's problems; runs in an environment that has it, see `bayesmark`.

Each line read is a JSON request, {"problem": NAME, "points": [...]}, and each line written its
answer: {"losses": [...]}, or {"space": ...} where there are no points, or {"error": TEXT}.
"""

import functools
import json
import sys
import warnings

from bayesmark.sklearn_funcs import SklearnModel


@functools.lru_cache(maxsize=1)
def function(problem):
    """Returns a problem, named MODEL_DATASET_METRIC."""
    return SklearnModel(*SklearnModel.inverse_test_case_str(problem))


def answer(request):
    """Returns the answer to a request."""
    problem = function(request["problem"])
    if request["points"] is None:
        return {"space": problem.get_api_config()}
    # The second loss is on data that no search sees.
    return {"losses": [problem.evaluate(point)[0] for point in request["points"]]}


def main():
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        try:
            reply = answer(json.loads(line))
        except Exception as error:
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
