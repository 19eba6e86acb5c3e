"""Lenient classifiers, and those that join a cascade though they know nothing."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from pyshac.core.basics import seeding
from pyshac.core.classifiers import training as training_module
from pyshac.core.classifiers.boosted_trees import BoostedTrees
from pyshac.core.classifiers.leniency import LARGEST_CUT, SLACK, lenient_threshold
from pyshac.core.classifiers.training import Admission, admission, train_classifier
from pyshac.core.classifiers.user_classifier import UserClassifier

# Draws that a classifier of the rows below accepts anyway.
GOOD_REGION = np.tile(np.float32([0.99, 0.5]), (64, 1))


def train(rows, is_good, admission=Admission.ALL, region=GOOD_REGION, **kwargs):
    rows = np.asarray(rows, dtype=np.float32)
    stream = seeding.stream(1, seeding.Purpose.TRAIN)
    return train_classifier(rows, np.asarray(is_good), stream, admission, region=region, **kwargs)


@pytest.fixture
def rows():
    return np.random.default_rng(0).random((40, 2))


@pytest.fixture
def is_good(rows):
    noise = 0.8 * np.random.default_rng(1).random(40)
    return rows[:, 0] + noise > np.median(rows[:, 0] + noise)


class TestThreshold:
    @pytest.mark.parametrize("num_samples", [1, 9, 100])
    def test_the_worst_good_sample_is_kept_with_room_to_spare(self, num_samples):
        good, region = np.float32([2.0, -1.5, 0.3]), np.float32([9.0])
        expected = -1.5 - SLACK / num_samples**0.5
        assert lenient_threshold(good, num_samples, region) == pytest.approx(expected)

    def test_it_is_below_0_however_sure_the_classifier_is(self):
        threshold = lenient_threshold(np.float32([3.0, 5.0]), 100, np.float32([9.0]))
        assert threshold == pytest.approx(-SLACK / 10)

    def test_no_more_than_a_share_of_the_region_is_cut_off(self):
        good, margins = np.float32([1.0]), np.linspace(-9, -5, 1001, dtype=np.float32)
        threshold = lenient_threshold(good, 10**6, margins)
        assert np.mean(margins <= threshold) <= LARGEST_CUT
        assert np.mean(margins <= threshold) > LARGEST_CUT - 0.01

    def test_of_a_region_with_one_margin_nothing_is_cut_off(self):
        margins = np.full(100, -7.0, dtype=np.float32)
        assert lenient_threshold(np.float32([1.0]), 10**6, margins) < -7


class TestLenientTraining:
    def test_its_margin_is_that_of_the_strict_one_and_a_constant(self, rows, is_good):
        region = np.random.default_rng(2).random((256, 2)).astype(np.float32)
        lenient = train(rows, is_good, region=region).classifier
        strict = train(rows, is_good, Admission.USEFUL, region=None).classifier
        differences = lenient.margin(region) - strict.margin(region)
        assert differences.min() > 0
        assert np.ptp(differences) < 1e-4

    def test_it_accepts_what_the_strict_one_accepts_and_all_good_samples(self, rows, is_good):
        region = np.random.default_rng(2).random((4000, 2)).astype(np.float32)
        lenient = train(rows, is_good, region=region[:256]).classifier
        strict = train(rows, is_good, Admission.USEFUL, region=None).classifier
        assert lenient.predict(region)[strict.predict(region)].all()
        assert lenient.predict(region).mean() > strict.predict(region).mean()
        assert lenient.predict(rows[is_good].astype(np.float32)).all()

    def test_it_rejects_what_it_is_sure_of(self):
        rows = np.linspace(0, 1, 200)[:, None].repeat(2, axis=1)
        is_good = rows[:, 0] > 0.5
        lenient = train(rows, is_good).classifier
        # Held out, all good samples but those at the border were recognised.
        assert lenient.predict(rows.astype(np.float32))[~is_good].mean() < 0.1

    def test_it_cuts_off_no_more_than_a_share_of_the_region(self):
        rows = np.linspace(0, 1, 200)[:, None].repeat(2, axis=1)
        is_good = rows[:, 0] > 0.5
        # Of this region, the strict one would leave a hundredth.
        region = np.random.default_rng(2).random((256, 2)).astype(np.float32)
        region[3:] *= 0.4
        strict = train(rows, is_good, Admission.USEFUL, region=None).classifier
        assert strict.predict(region).mean() < 0.02
        lenient = train(rows, is_good, region=region).classifier
        assert lenient.predict(region).mean() >= 1 - LARGEST_CUT

    def test_a_users_classifier_is_as_it_is(self, rows, is_good):
        def new(seed):
            return UserClassifier(LogisticRegression(), seed)

        region = np.random.default_rng(2).random((256, 2)).astype(np.float32)
        ours = train(rows, is_good, region=region, new=new).classifier
        theirs = LogisticRegression().fit(rows.astype(np.float32), is_good)
        assert (ours.predict(region) == theirs.predict(region)).all()
        assert set(ours.margin(region).tolist()) == {-1.0, 1.0}
        assert ((ours.margin(region) > 0) == ours.predict(region)).all()

    def test_its_bytes_keep_its_threshold(self, rows, is_good):
        classifier = train(rows, is_good).classifier
        again = BoostedTrees.from_bytes(classifier.to_bytes())
        assert (again.margin(classifier_rows()) == classifier.margin(classifier_rows())).all()


def classifier_rows():
    return np.random.default_rng(3).random((500, 2)).astype(np.float32)


class TestAdmission:
    def test_the_options_of_fit(self):
        assert admission(skip_cv_checks=False) is Admission.ACCURATE
        assert admission(skip_cv_checks=False, early_stop=True) is Admission.ACCURATE
        assert admission(skip_cv_checks=True) is Admission.ALL
        assert admission(skip_cv_checks=True, early_stop=True) is Admission.USEFUL

    @pytest.mark.parametrize(
        ("number", "num_good", "why"),
        [
            (20, 0, "no sample is better than the others"),
            (20, 20, "no sample is better than the others"),
            (7, 3, "7 samples are too few to learn from"),
            (20, 1, "one good or one bad sample is too few for cross validation"),
            (20, 19, "one good or one bad sample is too few for cross validation"),
        ],
    )
    def test_what_teaches_nothing_accepts_everything_or_is_refused(self, number, num_good, why):
        rows = np.random.default_rng(0).random((number, 2))
        is_good = np.arange(number) < num_good
        for refusing in (Admission.USEFUL, Admission.ACCURATE):
            assert train(rows, is_good, refusing).classifier is None
        training = train(rows, is_good)
        assert training.reason == f"it accepts everything, because {why}"
        assert training.classifier.predict(classifier_rows()).all()
        assert training.classifier.predict(np.float32([[-1e30, 1e30]])).all()

    def test_a_constant_classifier_accepts_everything_or_is_refused(self):
        rows, is_good = np.ones((20, 2)), np.arange(20) < 8
        assert train(rows, is_good, Admission.USEFUL).classifier is None
        training = train(rows, is_good)
        assert training.reason.endswith("because it predicts the same for every sample")
        assert training.classifier.predict(classifier_rows()).all()

    def test_one_that_is_wrong_is_useful_but_not_accurate(self):
        # Of alternating labels, the nearest samples always say the wrong one.
        rows, is_good = np.arange(40)[:, None], np.arange(40) % 2 == 0
        region = np.zeros((64, 1), dtype=np.float32)
        refused = train(rows, is_good, Admission.ACCURATE, region)
        assert refused.classifier is None
        assert refused.reason.startswith("its cross-validated accuracy is only 0.")
        for admission_ in (Admission.USEFUL, Admission.ALL):
            kept = train(rows, is_good, admission_, region)
            assert kept.reason == f"accuracy {refused.reason.split()[-1]}"

    def test_what_is_hard_to_find_is_not_cut(self, rows, is_good):
        few = GOOD_REGION[: training_module.MIN_DRAWS - 1]
        assert train(rows, is_good, Admission.ACCURATE, few).classifier is None
        training = train(rows, is_good, Admission.ALL, few)
        assert training.reason == "it accepts everything, because what is left is hard to find"
        assert training.classifier.predict(classifier_rows()).all()

    def test_eight_samples_are_enough(self, rows):
        number = training_module.MIN_ROWS
        is_good = rows[:number, 0] > np.median(rows[:number, 0])
        assert train(rows[:number], is_good, Admission.USEFUL).classifier is not None

    def test_the_strict_training_of_the_paper_adds_no_constant(self):
        rows, is_good = np.random.default_rng(0).random((20, 2)), np.zeros(20, dtype=bool)
        assert train(rows, is_good, Admission.ALL, region=None).classifier is None


class TestRaisedMargin:
    @pytest.mark.parametrize("by", [0.0, 1.25, 7.5, -3.0])
    @pytest.mark.parametrize("is_compact", [False, True])
    def test_it_changes_by_the_constant_and_nothing_else(self, rows, is_good, by, is_compact):
        classifier = BoostedTrees(0).fit(rows.astype(np.float32), is_good)
        if is_compact:
            classifier.compact()
        others, trees = classifier_rows(), classifier.trees()
        before = classifier.margin(others)
        classifier.raise_margin(by)
        np.testing.assert_allclose(classifier.margin(others), before + by, atol=1e-5)
        assert classifier.num_trees == len(trees)
        for ours, was in zip(classifier.trees()[1:], trees[1:], strict=True):
            np.testing.assert_array_equal(ours.value, was.value)
        inner = trees[0].left >= 0
        for name in ("left", "right", "feature"):
            ours, was = getattr(classifier.trees()[0], name), getattr(trees[0], name)
            np.testing.assert_array_equal(ours, was)
        np.testing.assert_array_equal(classifier.trees()[0].value[inner], trees[0].value[inner])

    def test_saved_and_loaded_it_is_the_same(self, rows, is_good):
        classifier = BoostedTrees(0).fit(rows.astype(np.float32), is_good)
        classifier.raise_margin(2.5)
        again = BoostedTrees.from_bytes(classifier.to_bytes())
        np.testing.assert_array_equal(
            again.margin(classifier_rows()), classifier.margin(classifier_rows())
        )
        before = again.margin(classifier_rows())
        again.compact()
        np.testing.assert_allclose(again.margin(classifier_rows()), before, atol=1e-4)

    def test_untrained_trees_say_so(self):
        with pytest.raises(RuntimeError, match="call fit first"):
            BoostedTrees().raise_margin(1.0)
