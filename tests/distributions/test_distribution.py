"""What all distributions share: the checks of parameters and values, what they cost, and the base class's refusals."""

import subprocess
import sys

import pytest

import jtorch
from jtorch.engine import flush, stats
from tests.distributions.comparing import alike
from tests.oracle import same, same_error, same_warnings

WRONG = {
    "Bernoulli": lambda m, d: d.Bernoulli(m.tensor([0.5, 1.5])),
    "Bernoulli of none": lambda m, d: d.Bernoulli(),
    "Bernoulli logits": lambda m, d: d.Bernoulli(logits=m.tensor([0.0, float("nan")])),
    "Beta": lambda m, d: d.Beta(m.tensor([1.0, -1.0]), 2.0),
    "Beta of numbers": lambda m, d: d.Beta(0.0, 2.0),
    "Binomial": lambda m, d: d.Binomial(m.tensor([2.5]), m.tensor([0.5])),
    "Categorical": lambda m, d: d.Categorical(m.tensor([-0.5, 1.0])),
    "Categorical of a number": lambda m, d: d.Categorical(logits=m.tensor(0.5)),
    "Chi2": lambda m, d: d.Chi2(m.tensor([-1.0])),
    "ContinuousBernoulli": lambda m, d: d.ContinuousBernoulli(m.tensor([2.0]), validate_args=True),
    "Dirichlet": lambda m, d: d.Dirichlet(m.tensor([[1.0, 2.0], [0.0, 1.0]])),
    "Dirichlet of a number": lambda m, d: d.Dirichlet(m.tensor(1.0)),
    "FisherSnedecor": lambda m, d: d.FisherSnedecor(-1.0, 2.0),
    "Gamma": lambda m, d: d.Gamma(1.0, -2.0),
    "Geometric": lambda m, d: d.Geometric(m.tensor([0.5, 0.0])),
    "Gumbel": lambda m, d: d.Gumbel(0.0, m.tensor([-1.0, 1.0])),
    "HalfNormal": lambda m, d: d.HalfNormal(-1.0),
    "Independent": lambda m, d: d.Independent(d.Normal(0.0, 1.0), 1),
    "InverseGamma": lambda m, d: d.InverseGamma(-1.0, 1.0),
    "LKJCholesky": lambda m, d: d.LKJCholesky(1),
    "LKJCholesky concentration": lambda m, d: d.LKJCholesky(3, -1.0),
    "LogNormal": lambda m, d: d.LogNormal(0.0, -1.0),
    "LowRank": lambda m, d: d.LowRankMultivariateNormal(m.zeros(2), m.ones(3, 1), m.ones(2)),
    "LowRank diagonal": lambda m, d: d.LowRankMultivariateNormal(m.zeros(2), m.ones(2, 1) * 0.1, -m.ones(2)),
    "Mixture": lambda m, d: d.MixtureSameFamily(d.Categorical(m.ones(3)), d.Normal(m.zeros(2), 1.0)),
    "Mixture of a normal": lambda m, d: d.MixtureSameFamily(d.Normal(0.0, 1.0), d.Normal(m.zeros(2), 1.0)),
    "Multinomial": lambda m, d: d.Multinomial(m.tensor(3), m.ones(2)),
    "Multinomial probs": lambda m, d: d.Multinomial(3, m.tensor([-1.0, 0.5])),
    "MultivariateNormal": lambda m, d: d.MultivariateNormal(m.zeros(2), m.tensor([[1.0, 2.0], [2.0, 1.0]])),
    "MultivariateNormal tril": lambda m, d: d.MultivariateNormal(m.zeros(2), scale_tril=m.ones(2, 2)),
    "MultivariateNormal of both": lambda m, d: d.MultivariateNormal(m.zeros(2), m.eye(2), m.eye(2)),
    "MultivariateNormal of a vector": lambda m, d: d.MultivariateNormal(m.zeros(2), m.ones(2)),
    "MultivariateNormal not square": lambda m, d: d.MultivariateNormal(m.zeros(2), m.ones(2, 3)),
    "Normal": lambda m, d: d.Normal(m.tensor([0.0, float("nan")]), m.tensor([1.0, -1.0])),
    "Normal of numbers": lambda m, d: d.Normal(0.0, -1.0),
    "Normal of text": lambda m, d: d.Normal("0", 1.0),
    "Normal unchecked": lambda m, d: d.Normal(0.0, -1.0, validate_args=False).sample(),
    "OneHotCategorical": lambda m, d: d.OneHotCategorical(m.tensor([-0.5, 1.0])),
    "Poisson": lambda m, d: d.Poisson(m.tensor([-0.5, 1.0])),
    "Relaxed": lambda m, d: d.RelaxedBernoulli(m.tensor(0.5), m.tensor([0.5, 2.0])),
    "StudentT": lambda m, d: d.StudentT(-1.0),
    "Transformed": lambda m, d: d.TransformedDistribution(d.Normal(0.0, 1.0), [3]),
    "Transformed by text": lambda m, d: d.TransformedDistribution(d.Normal(0.0, 1.0), "exp"),
    "Transformed number": lambda m, d: d.TransformedDistribution(d.Normal(0.0, 1.0), d.StickBreakingTransform()),
    "Uniform": lambda m, d: d.Uniform(m.tensor([0.0, 2.0]), m.tensor([1.0, 1.0])),
    "Weibull": lambda m, d: d.Weibull(1.0, -1.0),
    "Wishart": lambda m, d: d.Wishart(1.0, m.eye(3)),
    "Wishart of none": lambda m, d: d.Wishart(1.0),
    "value": lambda m, d: d.Exponential(1.0).log_prob(m.tensor([1.0, -1.0])),
    "value of a transform": lambda m, d: d.LogNormal(0.0, 1.0).log_prob(m.tensor(-1.0)),
    "value in a cdf": lambda m, d: d.Uniform(0.0, 1.0).cdf(m.tensor(2.0)),
    "value of a class": lambda m, d: d.Categorical(m.ones(3)).log_prob(m.tensor([0, 3])),
    "value of counts": lambda m, d: d.Multinomial(3, m.ones(2)).log_prob(m.tensor([2.0, 2.0])),
    "value of another event": lambda m, d: d.Dirichlet(m.ones(3)).log_prob(m.ones(2)),
    "value of another batch": lambda m, d: d.Normal(m.zeros(3), 1.0).log_prob(m.ones(2)),
    "value that is a number": lambda m, d: d.Normal(0.0, 1.0).log_prob(1.0),
    "value of a mixture": lambda m, d: d.MixtureSameFamily(
        d.Categorical(m.ones(2)), d.Gamma(m.ones(2), m.ones(2))
    ).log_prob(m.tensor(-1.0)),
    "enumeration": lambda m, d: d.Independent(d.Bernoulli(m.tensor([0.5])), 1).enumerate_support(),
    "counts of trials": lambda m, d: d.Binomial(m.tensor([2, 3]), m.tensor([0.5, 0.5])).enumerate_support(),
    "default": lambda m, d: d.Distribution.set_default_validate_args(3),
    "own constructor": lambda m, d: type("Own", (d.Normal,), {"__init__": lambda self: None})()._get_checked_instance(
        d.Normal
    ),
    "sample of none": lambda m, d: d.Distribution(validate_args=False).rsample(),
    "expansion of none": lambda m, d: d.Distribution(validate_args=False).expand((2,)),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.filterwarnings("ignore")
def test_what_is_wrong_raises_torchs_error(name):
    same_error(lambda m: WRONG[name](m, m.distributions))


def test_unchecked_distributions_take_anything():
    def unchecked(module):
        d = module.distributions
        return {
            "given": d.Normal(module.tensor(0.0), module.tensor(-1.0), validate_args=False).variance,
            "expanded": d.Exponential(-1.0, validate_args=False).expand((2,)).log_prob(module.tensor(-1.0)),
        }

    alike(unchecked)


def test_the_default_can_be_switched_off():
    def switched(m):
        m.distributions.Distribution.set_default_validate_args(False)
        try:
            return m.distributions.Normal(0.0, -1.0).log_prob(m.tensor(float("nan")))
        finally:
            m.distributions.Distribution.set_default_validate_args(True)

    same(switched, grad_fn=False)


def test_python_O_switches_it_off():
    code = "from jtorch.distributions import Normal; print(Normal(0.0, -1.0)._validate_args)"
    assert subprocess.run([sys.executable, "-O", "-c", code], capture_output=True, text=True).stdout == "False\n"


def test_classes_of_the_users_own():
    def bare(m):
        class Bare(m.distributions.Distribution):
            pass

        return Bare(validate_args=True)._validate_sample(m.ones(()))

    same_warnings(bare)
    same_warnings(lambda m: m.distributions.Normal(0.0, 1.0).sample_n(2))

    def lazily(m):
        class Own(m.distributions.Distribution):
            arg_constraints = {"rate": m.distributions.constraints.positive}

            @m.distributions.utils.lazy_property
            def rate(self):
                return m.tensor(-1.0)

        own = Own()
        return own.batch_shape, isinstance(Own.rate, property), own.rate, repr(own)

    same(lazily)


def programs(make):
    """How many programs a function takes in its second call."""
    flush.flush()
    make()
    flush.flush()
    before = stats.programs
    make()
    return stats.programs - before


def layer(inputs=3):
    """A layer and a batch; of 20 000 inputs it is no work to be done twice for a check."""
    jtorch.manual_seed(0)
    return jtorch.nn.Linear(inputs, 2), jtorch.rand(4, inputs) / inputs


def test_values_at_hand_are_checked_beside_the_step():
    linear, x = layer()
    d, labels = jtorch.distributions, jtorch.tensor([[0.0, 1.0]] * 4)
    scale = jtorch.rand(2) + 0.5

    def step():
        y = linear(x)
        prior = d.Normal(jtorch.zeros_like(y), scale.expand(4, 2) * 2)
        return (prior.log_prob(labels) + y).sum().item()

    assert programs(step) == 1


def test_a_constructor_takes_one_program_at_most():
    linear, x = layer(20_000)
    d = jtorch.distributions

    def counted(make):
        def build():
            y = linear(x)
            make(y, y.exp())
            return y

        return programs(build)

    assert counted(lambda y, s: None) == 0
    assert counted(lambda y, s: d.Normal(y, s)) == 1
    assert counted(lambda y, s: d.LogNormal(y, s)) == 1
    assert counted(lambda y, s: d.Beta(s, s)) == 1
    assert counted(lambda y, s: d.StudentT(s, y, s)) == 1
    assert counted(lambda y, s: d.RelaxedOneHotCategorical(s[0, 0], logits=y)) == 1
    assert counted(lambda y, s: d.Normal(y, s, validate_args=False)) == 0


@pytest.mark.parametrize(("inputs", "count"), [(3, 1), (20_000, 2)])
def test_an_autoencoders_step(inputs, count):
    linear, x = layer(inputs)
    sgd = jtorch.optim.SGD(linear.parameters(), 0.01)
    d = jtorch.distributions

    def step(**options):
        mean, log_scale = linear(x).chunk(2, -1)
        posterior = d.Normal(mean, log_scale.exp(), **options)
        prior = d.Normal(jtorch.zeros_like(mean), jtorch.ones_like(mean), **options)
        loss = (posterior.rsample() ** 2 + d.kl_divergence(posterior, prior)).mean()
        sgd.zero_grad()
        loss.backward()
        sgd.step()

    assert programs(lambda: (step(), flush.flush())) == count  # what the checks wait for, and the rest
    assert programs(lambda: (step(validate_args=False), flush.flush())) == 1


def test_checks_under_vmap():
    def mapped(m):
        return m.vmap(lambda x: m.distributions.Normal(x, 1.0).log_prob(x))(m.tensor([0.5, 1.0]))

    same(mapped, grad_fn=False)
    same_error(lambda m: m.vmap(lambda x: m.distributions.Normal(0.0, x).mean + x)(m.tensor([0.5, -1.0])), text=False)
