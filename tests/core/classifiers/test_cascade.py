"""One classifier is trained or refused; all of them in order accept rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from pyshac.core.basics import seeding
from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.classifiers.features import UNSCALED
from pyshac.core.classifiers.training import Admission, train_classifier
from pyshac.core.dataset.objective import MAX, get_objective
from tests.cascades import cascade_of, plainly_accepts, trained_cascade, unit_square

NUM_CLASSIFIERS = 6


def train(rows, is_good, admission=Admission.ACCURATE, seed=1, region=None):
    rows = np.asarray(rows, dtype=np.float32)
    if rows.ndim == 1:
        rows = rows[:, None]
    stream = seeding.stream(seed, seeding.Purpose.TRAIN)
    is_good = np.asarray(is_good, dtype=bool)
    return train_classifier(rows, is_good, stream, admission, region=region)


class TestTraining:
    def test_a_rule_is_learnt_and_passes_the_check(self):
        random = np.random.default_rng(1)
        rows = random.random((60, 3))
        training = train(rows, rows[:, 1] > np.median(rows[:, 1]))
        assert training.classifier is not None
        assert training.reason.startswith("accuracy 0.9") or training.reason == "accuracy 1.00"
        fresh = random.random((500, 3))
        predicted = training.classifier.predict(UNSCALED(fresh))
        assert np.mean(predicted == (fresh[:, 1] > np.median(rows[:, 1]))) > 0.9

    @pytest.mark.parametrize("admission", Admission)
    @pytest.mark.parametrize("label", [True, False])
    def test_one_label_teaches_nothing(self, admission, label):
        training = train(np.arange(20), [label] * 20, admission)
        assert training.classifier is None
        assert training.reason == "no sample is better than the others"

    @pytest.mark.parametrize("objective", ["max", "min"])
    def test_ties_teach_nothing(self, objective):
        training = train(np.arange(20), get_objective(objective).better_half(np.ones(20)))
        assert training.classifier is None
        assert training.reason == "no sample is better than the others"

    @pytest.mark.parametrize("num_good", [1, 9])
    def test_a_class_of_one_is_too_few_to_check(self, num_good):
        is_good = np.arange(10) < num_good
        training = train(np.arange(10), is_good)
        assert training.classifier is None
        assert training.reason == "one good or one bad sample is too few for cross validation"
        unchecked = train(np.arange(10), is_good, Admission.USEFUL)
        assert unchecked.classifier is not None
        assert unchecked.classifier.predict(np.arange(10, dtype=np.float32)[:, None]).tolist() == (
            is_good.tolist()
        )

    @pytest.mark.parametrize("admission", Admission)
    def test_a_constant_classifier_never_counts(self, admission):
        is_good = np.arange(20) < 8
        training = train(np.ones(20), is_good, admission)
        assert training.classifier is None
        assert training.reason == "it predicts the same for every sample"

    def test_one_that_is_wrong_more_often_than_right_is_refused(self):
        # Of alternating labels, the nearest samples always say the wrong one.
        rows, is_good = np.arange(40), np.arange(40) % 2 == 0
        training = train(rows, is_good)
        assert training.classifier is None
        assert training.reason.startswith("its cross-validated accuracy is only 0.")
        assert float(training.reason.split()[-1]) < 0.5
        unchecked = train(rows, is_good, Admission.USEFUL)
        assert unchecked.classifier is not None
        assert unchecked.reason == "unchecked"

    @pytest.mark.parametrize("num_rows", [2, 3, 4, 5, 7, 8])
    def test_small_batches_can_be_learnt_from(self, num_rows):
        rows = np.arange(num_rows, dtype=float)
        is_good = MAX.better_half(rows)
        training = train(rows, is_good, Admission.USEFUL)
        assert training.classifier is not None
        assert training.classifier.predict(UNSCALED(rows[:, None])).tolist() == is_good.tolist()

    @pytest.mark.parametrize("num_good", [2, 3, 4, 5, 20])
    def test_small_classes_have_fewer_folds(self, num_good):
        training = train(np.arange(40), np.arange(40) < num_good)
        assert training.classifier is not None
        assert float(training.reason.removeprefix("accuracy ")) > 0.8

    def test_the_same_stream_gives_the_same_classifier(self):
        random = np.random.default_rng(2)
        rows, is_good = random.random((50, 4)), random.random(50) < 0.5
        first, second = (train(rows, is_good, Admission.USEFUL, seed=3) for _ in range(2))
        assert first.classifier.to_bytes() == second.classifier.to_bytes()
        learnable = rows[:, 0] + 0.3 * random.random(50) > 0.65
        outcomes = [train(rows, learnable, seed=3) for _ in range(2)]
        assert outcomes[0].reason == outcomes[1].reason
        assert outcomes[0].classifier.to_bytes() == outcomes[1].classifier.to_bytes()

    def test_nothing_touches_the_global_random_state(self):
        np.random.seed(1)
        before = np.random.get_state()[1].copy()
        train(np.arange(20), np.arange(20) < 10)
        assert (np.random.get_state()[1] == before).all()

    def test_the_arguments_are_left_as_they_are(self):
        rows, is_good = np.arange(20.0)[:, None], np.arange(20) < 10
        before = rows.copy(), is_good.copy()
        train(rows, is_good)
        assert (rows == before[0]).all()
        assert (is_good == before[1]).all()

    def test_features_are_in_single_precision(self):
        encoded = np.array([[0.1, 1e9 + 1], [2**-149, -3.5]])
        features = UNSCALED(encoded[::-1])
        assert features.dtype == np.float32
        assert features.flags.c_contiguous
        assert (features == encoded[::-1].astype(np.float32)).all()


@pytest.fixture(scope="module")
def space():
    return unit_square()


@pytest.fixture(scope="module")
def cascade(space):
    return trained_cascade(
        space, lambda rows: -((rows[:, 0] - 0.3) ** 2) - (rows[:, 1] - 0.6) ** 2, NUM_CLASSIFIERS
    )


class TestAccepts:
    @given(
        forgiven=st.integers(0, NUM_CLASSIFIERS), seed=st.integers(0, 2**32), n=st.integers(0, 15)
    )
    def test_as_a_plain_loop_over_rows_and_classifiers(self, cascade, forgiven, seed, n):
        # Half of the rows lie where most classifiers accept.
        rows = np.random.default_rng(seed).random((n, 2))
        rows[::2] = 0.2 * rows[::2] + [0.2, 0.5]
        expected = []
        for row in rows:
            rejections = 0
            for classifier in cascade:
                if not classifier.predict(row[None].astype(np.float32))[0]:
                    rejections += 1
            expected.append(rejections <= forgiven)
        assert cascade.accepts(rows, forgiven).tolist() == expected

    @pytest.mark.parametrize("forgiven", range(NUM_CLASSIFIERS + 2))
    def test_as_asking_every_classifier_about_many_rows(self, cascade, space, forgiven):
        rows = space.draw(5000, np.random.SeedSequence(5))
        accepted = cascade.accepts(rows, forgiven)
        assert (accepted == plainly_accepts(cascade, rows, forgiven)).all()
        assert accepted.dtype == np.bool_
        assert accepted.any()
        assert accepted.all() == (forgiven >= NUM_CLASSIFIERS)

    def test_whoever_rejects_first_counts_no_more_than_the_others(self, cascade, space):
        rows = space.draw(3000, np.random.SeedSequence(6))
        backwards = Cascade(list(cascade)[::-1], cascade.features)
        for forgiven in range(NUM_CLASSIFIERS + 1):
            both = cascade.accepts(rows, forgiven), backwards.accepts(rows, forgiven)
            assert (both[0] == both[1]).all()

    def test_no_classifiers_accept_everything(self):
        assert Cascade().accepts(np.zeros((3, 2))).tolist() == [True] * 3
        assert len(Cascade()) == 0

    def test_no_rows(self, cascade):
        assert cascade.accepts(np.zeros((0, 2))).tolist() == []

    def test_rows_are_compared_in_single_precision(self, space):
        cascade = cascade_of(space, lambda rows: rows[:, 0] > 0.5)
        rows = space.draw(1000, np.random.SeedSequence(7))
        rounded = rows.astype(np.float32).astype(float)
        assert (cascade.accepts(rows) == cascade.accepts(rounded)).all()


class TestList:
    def test_first_append_and_iteration(self, cascade):
        assert len(cascade) == NUM_CLASSIFIERS
        assert list(cascade.first(2)) == list(cascade)[:2]
        assert len(cascade.first(0)) == 0
        shorter = cascade.first(2)
        shorter.append(list(cascade)[5])
        assert list(shorter) == [*list(cascade)[:2], list(cascade)[5]]
        assert len(cascade) == NUM_CLASSIFIERS

    def test_the_list_given_is_left_as_it_is(self, cascade):
        given_list = list(cascade)
        Cascade(given_list).append(given_list[0])
        assert len(given_list) == NUM_CLASSIFIERS


def test_numbers_beyond_single_precision_are_its_largest():
    rows = np.array([[1e300, -1e300, 1.5]])
    largest = np.finfo(np.float32).max
    np.testing.assert_array_equal(UNSCALED(rows), np.float32([[largest, -largest, 1.5]]))
