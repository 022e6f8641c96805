"""torch.overrides: modes, and questions about what can be taken over."""

from tests.oracle import same


def test_modes():
    def run(torch):
        class Noting(torch.overrides.TorchFunctionMode):
            def __torch_function__(self, func, types, args=(), kwargs=None):
                seen.append((func.__name__, [t.__name__ for t in types], len(args), sorted(kwargs or {})))
                return func(*args, **(kwargs or {}))

        class Doubling(torch.overrides.TorchFunctionMode):
            def __torch_function__(self, func, types, args=(), kwargs=None):
                result = func(*args, **(kwargs or {}))
                return result * 2 if func in (torch.add, torch.zeros, torch.ones) else result

        seen = []
        t = torch.ones(2)
        with Noting() as mode:
            a = torch.add(t, 1) * 2
            b = torch.ones(3)
            c = torch.nn.functional.linear(t, torch.ones(1, 2))
        with Doubling(), Noting():
            d = torch.add(t, 1)
        with torch.overrides.BaseTorchFunctionMode():
            e = t.exp()
        return seen, a, b, c, d, e, isinstance(mode, Noting)

    same(run)


def test_questions_about_overriding():
    def run(torch):
        o = torch.overrides
        return [
            o.resolve_name(torch.add), o.resolve_name(torch.Tensor.mul), o.resolve_name(torch.Tensor.shape.__get__),
            o.resolve_name(torch.nn.functional.relu), o.is_tensor_method_or_property(torch.Tensor.add),
            o.is_tensor_method_or_property(torch.Tensor.shape.__get__), o.is_tensor_method_or_property(torch.add),
            o.is_tensor_like(torch.ones(1)), o.is_tensor_like([1]), torch.add in o.get_overridable_functions()[torch],
            torch.tensor in o.get_ignored_functions(), torch.Tensor.add in o.get_overridable_functions()[torch.Tensor],
        ]  # fmt: skip

    same(run)


def test_a_function_of_the_users_that_can_be_taken_over():
    def run(torch):
        class Mine:
            @classmethod
            def __torch_function__(cls, func, types, args=(), kwargs=None):
                return func.__name__, len(args), kwargs

        def twice(x, *, scale=2):
            if torch.overrides.has_torch_function((x,)):
                return torch.overrides.handle_torch_function(twice, (x,), x, scale=scale)
            return x * scale

        return twice(Mine()), twice(torch.ones(1)), twice(Mine(), scale=3)

    same(run)
