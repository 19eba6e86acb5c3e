"""Pictures of a search. They need Matplotlib, which `pip install pyshac[plot]` brings."""

from pyshac.utils.cascade_plots import plot_accepted_region, plot_importances
from pyshac.utils.importances import parameter_importances
from pyshac.utils.parameter_plots import plot_parallel_coordinates, plot_slice, plot_slices
from pyshac.utils.score_plots import plot_best_so_far, plot_dataset, plot_scores_by_stage

__all__ = [
    "parameter_importances",
    "plot_accepted_region",
    "plot_best_so_far",
    "plot_dataset",
    "plot_importances",
    "plot_parallel_coordinates",
    "plot_scores_by_stage",
    "plot_slice",
    "plot_slices",
]
