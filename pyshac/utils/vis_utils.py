"""Plots of a search. They need Matplotlib, which `pip install pyshac[plot]` installs."""

from pyshac.looking.importances import parameter_importances
from pyshac.plots.cascade_plots import plot_accepted_region, plot_importances
from pyshac.plots.curve_plots import plot_curves
from pyshac.plots.parameter_plots import plot_parallel_coordinates, plot_slice, plot_slices
from pyshac.plots.score_plots import plot_best_so_far, plot_dataset, plot_scores_by_stage
from pyshac.plots.time_plots import plot_timeline

__all__ = [
    "parameter_importances",
    "plot_accepted_region",
    "plot_best_so_far",
    "plot_curves",
    "plot_dataset",
    "plot_importances",
    "plot_parallel_coordinates",
    "plot_scores_by_stage",
    "plot_slice",
    "plot_slices",
    "plot_timeline",
]
