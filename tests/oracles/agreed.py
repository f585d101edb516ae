"""What other libraries say of a table of labels. Runs in the environment of .ci/oracles: python agreed.py TABLE.npz.

The table is `labels` (units, raters), whole numbers from 0 to K, K where nothing was said, and `categories`, K. Printed
is {coefficient: {library: value}}. What a library needs that a table with gaps has not, it is given as complete rows
only, and its values are under "complete".
"""

from __future__ import annotations

import itertools
import json
import sys
import warnings

import agreement
import irrCAC.raw
import krippendorff
import numpy as np
import pandas as pd
from agreement.utils.kernels import identity_kernel, linear_kernel, quadratic_kernel
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats import inter_rater

KERNELS = {"identity": identity_kernel, "linear": linear_kernel, "quadratic": quadratic_kernel}


def ordinal_metric(counts):
    """Krippendorff's own, for irrCAC to weigh with: it has another under that name."""
    margins = counts[counts.sum(axis=1) > 1].sum(axis=0)
    middle = np.cumsum(margins) - margins / 2
    distance = np.subtract.outer(middle, middle) ** 2
    return 1 - distance / distance.max()


def by_irrcac(labels, size, counts):
    frame = pd.DataFrame(np.where(labels == size, np.nan, labels))
    every = [float(one) for one in range(size)]

    def value(method, weights="identity"):
        table = irrCAC.raw.CAC(frame, weights=weights, categories=every, digits=15)
        return getattr(table, method)()["est"]["coefficient_value"]

    found = {
        "fleiss_kappa": value("fleiss"),
        "conger_kappa": value("conger"),
        "brennan_prediger": value("bp"),
        "ac1": value("gwet"),
        "ac2_linear": value("gwet", "linear"),
        "ac2_quadratic": value("gwet", "quadratic"),
        "alpha_nominal": value("krippendorff"),
        "alpha_interval": value("krippendorff", "quadratic"),
        "alpha_ordinal": value("krippendorff", ordinal_metric(counts)),
    }
    table = irrCAC.raw.CAC(frame, categories=every, digits=15)
    return found | {"percent": table.fleiss()["est"]["pa"]}


def by_agreement(labels, size, counts):
    users = np.stack([(labels == one).sum(axis=0) for one in range(size)], axis=1)

    def gamma(name):
        return agreement.metrics.gwets_gamma(counts, KERNELS[name])

    return {
        "percent": agreement.metrics.observed_agreement(counts),
        "fleiss_kappa": agreement.metrics.scotts_pi(counts),
        "conger_kappa": agreement.metrics.cohens_kappa(counts, users),
        "brennan_prediger": agreement.metrics.s_score(counts),
        "ac1": gamma("identity"),
        "ac2_linear": gamma("linear"),
        "ac2_quadratic": gamma("quadratic"),
        "alpha_nominal": agreement.metrics.krippendorffs_alpha(counts),
        "alpha_interval": agreement.metrics.krippendorffs_alpha(counts, quadratic_kernel),
    }


def by_krippendorff(labels, size):
    data = np.where(labels == size, np.nan, labels).T
    domain = [float(one) for one in range(size)]
    return {
        f"alpha_{level}": krippendorff.alpha(data, level_of_measurement=level, value_domain=domain)
        for level in ("nominal", "ordinal", "interval")
    }


def by_statsmodels(labels, size):
    """Of complete rows."""
    counts = np.stack([(labels == one).sum(axis=1) for one in range(size)], axis=1)
    return {
        "fleiss_kappa": inter_rater.fleiss_kappa(counts, method="fleiss"),
        "brennan_prediger": inter_rater.fleiss_kappa(counts, method="randolph"),
    }


def of_pairs(labels, size):
    """Cohen's kappas of every two raters, by both: [[a, b, weights, statsmodels, scikit-learn], …]."""
    found = []
    for one, other in itertools.combinations(range(labels.shape[1]), 2):
        both = (labels[:, one] < size) & (labels[:, other] < size)
        first, second = labels[both, one], labels[both, other]
        table = np.zeros((size, size))
        np.add.at(table, (first, second), 1)
        for name in ("unweighted", "linear", "quadratic"):
            weights = None if name == "unweighted" else name
            stats = inter_rater.cohens_kappa(table, wt=weights, return_results=False)
            learn = cohen_kappa_score(first, second, labels=range(size), weights=weights)
            found.append([one, other, name, float(stats), float(learn)])
    return found


def main(path):
    read = np.load(path)
    labels, size = read["labels"].astype(np.int64), int(read["categories"])
    counts = np.stack([(labels == one).sum(axis=1) for one in range(size)], axis=1)
    complete = labels[(labels < size).all(axis=1)]
    by = {
        "irrCAC": by_irrcac(labels, size, counts),
        "agreement": by_agreement(labels, size, counts.astype(float)),
        "krippendorff": by_krippendorff(labels, size),
    }
    return {
        "all": by,
        "complete": {"statsmodels": by_statsmodels(complete, size)},
        "pairs": of_pairs(labels, size),
    }


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.stdout.write(json.dumps(main(sys.argv[1]), default=float))
