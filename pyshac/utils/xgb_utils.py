"""A module of PySHAC 0.1 to 0.3 that is gone; importing it tells what there is instead."""

raise ModuleNotFoundError(
    "pyshac.utils.xgb_utils is gone since PySHAC 0.3. The classifiers of a search are "
    "engine.classifiers, restore_data() restores them, and engine.predict() draws samples that "
    "they accept.",
    # With its own name, `from pyshac.utils import xgb_utils` would hide this message.
    name="pyshac.utils",
)
