"""Deep Q-learning: a cart learns to stop in the middle of a track that pushes it about, by trial and error."""

import argparse
import math
import random
from collections import deque, namedtuple

import jtorch as torch
from jtorch import nn, optim

Transition = namedtuple("Transition", ("state", "action", "next_state", "reward"))


class Track:
    """A cart at x with speed v on a track from -1 to 1. Pushes: left, none, right. It falls off at either end."""

    actions, longest = 3, 60

    def __init__(self, seed):
        self.rng = random.Random(seed)

    def reset(self):
        self.x, self.v, self.time = self.rng.uniform(-0.8, 0.8), self.rng.uniform(-0.05, 0.05), 0
        return [self.x, self.v]

    def step(self, action):
        """(state, reward, whether it fell, whether time is up)."""
        self.v += 0.02 * (action - 1) + 0.01 * math.sin(5 * self.x)
        self.x += self.v
        self.time += 1
        fell = abs(self.x) > 1
        reward = -10.0 if fell else 1.0 - abs(self.x) - 5 * abs(self.v)
        return [self.x, self.v], reward, fell, self.time == self.longest


class ReplayMemory:
    """The last transitions, from which batches are drawn."""

    def __init__(self, capacity, rng):
        self.memory, self.rng = deque([], maxlen=capacity), rng

    def push(self, *args):
        self.memory.append(Transition(*args))

    def sample(self, size):
        return self.rng.sample(self.memory, size)

    def __len__(self):
        return len(self.memory)


class DQN(nn.Module):
    """What each action is worth in a state. Shape: (B, 2) -> (B, 3)."""

    def __init__(self, hidden=32):
        super().__init__()
        self.layer1 = nn.Linear(2, hidden)
        self.layer2 = nn.Linear(hidden, hidden)
        self.layer3 = nn.Linear(hidden, Track.actions)

    def forward(self, x):
        x = torch.relu(self.layer1(x))
        x = torch.relu(self.layer2(x))
        return self.layer3(x)


class Agent:
    """A network that acts, a slowly following copy that judges, and a memory."""

    batch, gamma, tau = 64, 0.95, 0.01

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.policy, self.target = DQN(), DQN()
        self.target.load_state_dict(self.policy.state_dict())
        self.optimizer = optim.AdamW(self.policy.parameters(), lr=1e-3, amsgrad=True)
        self.memory = ReplayMemory(5000, self.rng)
        self.steps = 0

    def act(self, state, explore=True):
        """Mostly the action that seems best; another one less and less often."""
        epsilon = 0.05 + 0.85 * math.exp(-self.steps / 500)
        self.steps += explore
        if explore and self.rng.random() < epsilon:
            return self.rng.randrange(Track.actions)
        with torch.no_grad():
            return self.policy(torch.tensor([state])).max(1).indices.item()

    def learn(self):
        """One step on a batch of transitions; the loss, or None while the memory is small."""
        if len(self.memory) < self.batch:
            return None
        batch = Transition(*zip(*self.memory.sample(self.batch)))
        going_on = torch.tensor([s is not None for s in batch.next_state])
        following = torch.tensor([s or [0.0, 0.0] for s in batch.next_state])
        actions, rewards = torch.tensor(batch.action).unsqueeze(1), torch.tensor(batch.reward)
        values = self.policy(torch.tensor(batch.state)).gather(1, actions).squeeze(1)
        with torch.no_grad():
            best = self.target(following).max(1).values * going_on
        loss = nn.SmoothL1Loss()(values, rewards + self.gamma * best)
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_value_(self.policy.parameters(), 100)
        self.optimizer.step()
        with torch.no_grad():
            for slow, fast in zip(self.target.parameters(), self.policy.parameters()):
                slow.mul_(1 - self.tau).add_(fast, alpha=self.tau)
        return loss


def episode(track, agent, learning=True):
    """(sum of rewards, how long the cart stayed on the track, the last loss)."""
    state, total, loss = track.reset(), 0.0, None
    while True:
        action = agent.act(state, learning)
        following, reward, fell, over = track.step(action)
        total += reward
        if learning:
            agent.memory.push(state, action, None if fell else following, reward)
            loss = agent.learn()
        if fell or over:
            return total, track.time, loss
        state = following


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=80)
    args = parser.parse_args()
    torch.manual_seed(0)
    track, agent = Track(0), Agent(0)
    rewards = []
    for number in range(1, args.episodes + 1):
        reward, _, loss = episode(track, agent)
        rewards.append(reward)
        if number % max(args.episodes // 8, 1) == 0:
            last = rewards[-max(args.episodes // 8, 1) :]
            says = "" if loss is None else f", loss {loss.item():.4f}"
            print(f"episode {number}: mean reward {sum(last) / len(last):.2f}{says}")
    trials = [episode(track, agent, learning=False) for _ in range(10)]
    print("without exploring, it stays on the track for", [time for _, time, _ in trials], "steps")
    print(f"mean reward {sum(reward for reward, _, _ in trials) / len(trials):.2f}")


if __name__ == "__main__":
    main()
