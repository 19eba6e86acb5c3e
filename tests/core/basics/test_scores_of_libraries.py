"""Scores as the common libraries hand them out: real tensors, variables, metrics and columns."""

from __future__ import annotations

import math

import pytest

from pyshac.core.basics.checks import check_score


def refuses(score: object) -> bool:
    with pytest.raises(TypeError, match="score of sample 1 must be a number"):
        check_score(score, "sample 1")
    return True


@pytest.mark.slow
class TestTorch:
    @pytest.fixture
    def torch(self):
        return pytest.importorskip("torch")

    def test_tensors_of_one_number_are_scores(self, torch):
        half = torch.tensor(0.5)
        for score in (
            half,
            torch.tensor(0.5, requires_grad=True),
            torch.nn.Parameter(half),
            torch.tensor([[0.5]]),
            half.to(torch.bfloat16),
            half.to(torch.float16),
            half.double() * 1,
            torch.quantize_per_tensor(torch.tensor([0.5]), 0.1, 0, torch.qint8),
            torch.tensor([0.5]).to_sparse(),
            torch.nn.functional.mse_loss(torch.zeros(4), torch.full((4,), 0.5**0.5)),
        ):
            assert check_score(score, "sample 1") == pytest.approx(0.5)
        assert check_score(torch.tensor(3), "sample 1") == 3.0

    def test_what_is_not_finite_stands_for_a_failed_sample(self, torch):
        for score in (torch.tensor(math.nan), torch.tensor([math.inf]), torch.zeros(0).mean()):
            assert math.isnan(check_score(score, "sample 1"))

    def test_others_are_refused(self, torch):
        for score in (
            torch.tensor(True),
            torch.tensor(1 + 0j),
            torch.tensor([1.0, 2.0]),
            torch.tensor([]),
            torch.Size([1]),
            torch.nn.Linear(1, 1),
            torch.float32,
        ):
            assert refuses(score)

    def test_a_tensor_that_cannot_be_read_raises_its_own_error(self, torch):
        with pytest.raises(RuntimeError, match="meta tensors"):
            check_score(torch.tensor(0.5, device="meta"), "sample 1")
        assert refuses(torch.zeros(2, device="meta"))


@pytest.mark.slow
class TestTensorFlow:
    @pytest.fixture
    def tf(self):
        return pytest.importorskip("tensorflow")

    def test_tensors_and_variables_of_one_number_are_scores(self, tf):
        for score in (
            tf.constant(0.5),
            tf.constant([0.5]),
            tf.constant([[0.5]]),
            tf.constant(0.5, tf.bfloat16),
            tf.Variable(0.5),
            tf.Variable([0.5]),
            tf.reduce_mean([0.25, 0.75]),
        ):
            assert check_score(score, "sample 1") == 0.5
        assert check_score(tf.constant(3), "sample 1") == 3.0
        assert math.isnan(check_score(tf.constant([math.nan]), "sample 1"))

    def test_others_are_refused(self, tf):
        for score in (
            tf.constant(True),
            tf.constant("0.5"),
            tf.constant(1 + 0j),
            tf.constant([0.5, 1.0]),
            tf.Variable([True]),
            tf.Variable(["0.5"]),
            tf.sparse.from_dense([0.5]),
        ):
            assert refuses(score)

    def test_a_tensor_of_a_graph_has_no_value_yet(self, tf):
        traced = []

        @tf.function
        def trace(x):
            traced.append(x + 1)
            return x

        trace(tf.constant(1.0))
        assert refuses(traced[0])

    def test_keras_hands_out_scores(self, tf):
        keras = pytest.importorskip("keras")
        metric = keras.metrics.MeanSquaredError()
        metric.update_state([[0.0], [1.0]], [[1.0], [1.0]])
        assert check_score(metric.result(), "sample 1") == 0.5
        assert check_score(keras.Variable(0.5), "sample 1") == 0.5
        assert check_score(keras.ops.convert_to_tensor([0.5]), "sample 1") == 0.5
        assert refuses(metric)
        assert refuses(keras.KerasTensor((1,)))
        assert refuses({"loss": 0.5})


@pytest.mark.slow
class TestJax:
    @pytest.fixture
    def jax(self):
        return pytest.importorskip("jax")

    def test_arrays_of_one_number_are_scores(self, jax):
        for score in (
            jax.numpy.array(0.5),
            jax.numpy.array([0.5]),
            jax.numpy.array(0.5, jax.numpy.bfloat16),
            jax.numpy.bfloat16(0.5),
            jax.numpy.bfloat16(0.5).item(),
            jax.numpy.mean(jax.numpy.array([0.25, 0.75])),
        ):
            assert check_score(score, "sample 1") == 0.5
        assert math.isnan(check_score(jax.numpy.array(math.nan, jax.numpy.bfloat16), "sample 1"))

    def test_others_are_refused(self, jax):
        traced = []
        jax.jit(lambda x: traced.append(x) or x)(1.0)
        for score in (
            jax.numpy.array(True),
            jax.numpy.array(1j),
            jax.numpy.array([0.5, 1.0]),
            jax.random.key(0),
            jax.ShapeDtypeStruct((), jax.numpy.float32),
            traced[0],
        ):
            assert refuses(score)

    def test_an_array_that_cannot_be_read_raises_its_own_error(self, jax):
        deleted = jax.numpy.array(0.5)
        deleted.delete()
        with pytest.raises(RuntimeError, match="deleted"):
            check_score(deleted, "sample 1")


class TestPandas:
    @pytest.fixture
    def pd(self):
        return pytest.importorskip("pandas")

    def test_columns_of_one_number_are_scores(self, pd):
        for score in (pd.Series([0.5]), pd.Index([0.5])):
            assert check_score(score, "sample 1") == 0.5
        assert math.isnan(check_score(pd.Series([], dtype=float).mean(), "sample 1"))

    def test_others_are_refused(self, pd):
        for score in (
            pd.NA,
            pd.NaT,
            pd.Timestamp("2020"),
            pd.Timedelta("1s"),
            pd.Series([True]),
            pd.Series(["0.5"]),
            pd.Series(["0.5"], dtype="category"),
            pd.Series([pd.Timestamp("2020")]),
            pd.to_datetime(["2020"]),
            pd.to_timedelta(["1s"]),
            pd.Series([1.0, 2.0]),
            pd.Series([pd.NA], dtype="Float64"),
            pd.DataFrame([[0.5]]),
        ):
            assert refuses(score)


def test_metrics_of_scikit_learn_are_scores():
    metrics = pytest.importorskip("sklearn.metrics")
    assert check_score(metrics.accuracy_score([1, 0], [1, 1]), "sample 1") == 0.5
    assert check_score(metrics.mean_squared_error([1, 0], [1, 1]), "sample 1") == 0.5
    assert refuses(metrics.precision_recall_fscore_support([1, 0], [1, 1], zero_division=0))
    assert refuses(metrics.confusion_matrix([1, 0], [1, 1]))
