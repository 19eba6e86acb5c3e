"""Legacy Keras under its old name."""

import sys

import tf_keras

sys.modules[__name__] = tf_keras
