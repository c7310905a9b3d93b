"""The distributions that votes were drawn from, as far as the votes tell: a Dirichlet-multinomial model of all items.

Each item's votes are drawn from a distribution of its own, and these distributions follow one Dirichlet distribution,
whose parameters are fitted to the votes of all items by maximum likelihood (Minka 2000, Estimating a Dirichlet
distribution). Given an item's votes, its distribution then follows the Dirichlet distribution with the parameters plus
the votes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from judgeharness.domain.nouns import FloatArray

SMALLEST, LARGEST = 1e-4, 1e5
"""The bounds of the parameters, which are reached if all people agree, or if all items are alike."""


@dataclass(frozen=True, slots=True, eq=False)
class Dirichlet:
    """A fitted model.

    Attributes:
        parameters: The parameters, of shape (labels,).
        spread: The covariance of their logarithms, of shape (labels, labels), from the likelihood's curvature.
    """

    parameters: FloatArray
    spread: FloatArray

    def drawn(self, votes: FloatArray, random: np.random.Generator) -> FloatArray:
        """Draw a distribution for each item, given its votes. Maps (items, labels) to (items, labels).

        The parameters are drawn too, since they are only known as well as the votes tell.
        """
        logs = random.multivariate_normal(np.log(self.parameters), self.spread, method="eigh")
        gammas = random.standard_gamma(np.exp(np.clip(logs, np.log(SMALLEST), np.log(LARGEST))) + votes)
        gammas = np.maximum(gammas, 1e-300)
        shares: FloatArray = gammas / gammas.sum(axis=1, keepdims=True)
        return shares

    def entropies(self, votes: FloatArray) -> FloatArray:
        """Return the expected entropy of each item's distribution in nats, given its votes.

        Maps (items, labels) to (items,). Source: Wolpert and Wolf 1995, equation 22.
        """
        return _entropies(np.log(self.parameters), votes)

    def entropy_parts(self, votes: FloatArray) -> FloatArray:
        """Return values (items,) whose mean is that of `entropies`, and whose spread tells how sure this mean is.

        Besides its own entropy, an item has a part in the parameters, and so in the entropies of all items. `votes`
        are those that the model was fitted to.
        """
        logs, step = np.log(self.parameters), 1e-4
        slopes = [
            (_entropies(logs + one, votes).mean() - _entropies(logs - one, votes).mean()) / (2 * step)
            for one in step * np.eye(len(logs))
        ]
        parts: FloatArray = self.entropies(votes) + len(votes) * _scores(logs, votes) @ self.spread @ np.array(slopes)
        return parts


def fitted(votes: FloatArray) -> Dirichlet | None:
    """Fit the model to votes (items, labels). It is None if no item has two votes, which cannot tell people apart."""
    if not len(votes) or votes.sum(axis=1).max() < 2:
        return None
    from scipy.optimize import minimize

    start = np.log(2 * (votes.sum(axis=0) + 0.5) / (votes.sum() + 0.5 * votes.shape[1]))
    bounds = [(np.log(SMALLEST), np.log(LARGEST))] * votes.shape[1]
    rows, times = np.unique(votes, axis=0, return_counts=True)
    done = minimize(_cost, start, args=(rows, times / len(votes)), jac=True, method="L-BFGS-B", bounds=bounds)
    return Dirichlet(np.exp(done.x), _spread(done.x, rows, times.astype(np.float64)))


def _cost(logs: FloatArray, rows: FloatArray, weights: FloatArray) -> tuple[float, FloatArray]:
    """Return minus the weighted log-likelihood of votes (rows, labels), and its gradient by the logarithms."""
    from scipy.special import gammaln

    parameters = np.exp(logs)
    whole, n = parameters.sum(), rows.sum(axis=1)
    likelihood = gammaln(whole) - gammaln(whole + n) + (gammaln(parameters + rows) - gammaln(parameters)).sum(axis=1)
    return -float(weights @ likelihood), -(weights @ _scores(logs, rows))


def _scores(logs: FloatArray, votes: FloatArray) -> FloatArray:
    """Return the gradient of each item's log-likelihood by the logarithms. Maps (items, labels) to (items, labels)."""
    from scipy.special import psi

    parameters = np.exp(logs)
    whole = parameters.sum()
    of_whole = psi(whole) - psi(whole + votes.sum(axis=1))
    found: FloatArray = (of_whole[:, None] + psi(parameters + votes) - psi(parameters)) * parameters
    return found


def _entropies(logs: FloatArray, votes: FloatArray) -> FloatArray:
    from scipy.special import psi

    known = np.exp(logs) + votes
    whole = known.sum(axis=1)
    found: FloatArray = psi(whole + 1) - (known / whole[:, None] * psi(known + 1)).sum(axis=1)
    return found


def _spread(logs: FloatArray, rows: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the inverse of the likelihood's curvature at its maximum, without directions in which it is flat."""
    step = 1e-4
    shifts = step * np.eye(len(logs))
    slopes = [_cost(logs + one, rows, weights)[1] - _cost(logs - one, rows, weights)[1] for one in shifts]
    curvature = np.array(slopes) / (2 * step)
    values, vectors = np.linalg.eigh((curvature + curvature.T) / 2)
    inverse = np.where(values > 1.0, 1 / np.maximum(values, 1.0), 0.0)
    found: FloatArray = (vectors * inverse) @ vectors.T
    return found
