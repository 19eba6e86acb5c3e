"""Tunes a scikit-learn pipeline: its scaler, its model, and the hyperparameters of either model.

SHACSearchCV and scikit-learn's RandomizedSearchCV search for the same with the same budget. The
models are choices, and each has hyperparameters that exist only with it.
"""

from scipy.stats import loguniform, randint
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RandomizedSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import RobustScaler, StandardScaler
from sklearn.svm import SVC

from pyshac.integrations.sklearn import SHACSearchCV

BUDGET = 40
X, X_out, y, y_out = train_test_split(
    *load_breast_cancer(return_X_y=True), test_size=0.3, random_state=0
)
pipeline = Pipeline([("scale", StandardScaler()), ("model", SVC())])
scalers = [StandardScaler(), RobustScaler(), "passthrough"]
space = [
    {
        "scale": scalers,
        "model": [SVC(kernel="rbf"), SVC(kernel="poly")],
        "model__C": loguniform(1e-3, 1e3),
        "model__gamma": loguniform(1e-6, 1e1),
        "model__degree": randint(1, 5),
    },
    {
        "scale": scalers[:2],
        "model": [LogisticRegression(max_iter=300)],
        "model__C": loguniform(1e-4, 1e4),
    },
]


def main():
    options = {"n_iter": BUDGET, "scoring": "roc_auc", "cv": 3, "random_state": 0}
    search = SHACSearchCV(pipeline, space, **options).fit(X, y)
    random = RandomizedSearchCV(pipeline, space, **options).fit(X, y)

    for name, value in search.best_params_.items():
        print(f"  {name}: {value}")
    print(f"best of shac           {search.best_score_:.6f}")
    print(f"best of random search  {random.best_score_:.6f}")
    print(f"held out               {search.score(X_out, y_out):.6f}")


if __name__ == "__main__":
    main()
