"""Data parallelism: nn.DataParallel hands each device a part of the batch; without several devices it is the model."""

import jtorch as torch
from jtorch import nn
from jtorch.utils.data import DataLoader, Dataset

INPUT, OUTPUT, BATCH = 5, 2, 30


class RandomDataset(Dataset):
    """Random rows, and what a fixed linear map makes of them."""

    def __init__(self, size, length):
        self.data = torch.randn(length, size)
        self.wanted = self.data @ torch.randn(size, OUTPUT)

    def __getitem__(self, index):
        return self.data[index], self.wanted[index]

    def __len__(self):
        return len(self.data)


class Model(nn.Module):
    """One linear layer. Shape: (B, 5) -> (B, 2)."""

    def __init__(self, input_size, output_size):
        super().__init__()
        self.fc = nn.Linear(input_size, output_size)

    def forward(self, input):
        return self.fc(input)


def main():
    torch.manual_seed(0)
    device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    model = Model(INPUT, OUTPUT)
    if torch.cuda.device_count() > 1:
        print("on", torch.cuda.device_count(), "GPUs")
    model = nn.DataParallel(model)
    model.to(device)
    loader = DataLoader(RandomDataset(INPUT, 100), batch_size=BATCH, shuffle=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(5):
        for data, wanted in loader:
            data, wanted = data.to(device), wanted.to(device)
            output = model(data)
            loss = nn.functional.mse_loss(output, wanted)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if epoch == 0:
                print("outside: input", tuple(data.size()), "output", tuple(output.size()))
        print(f"epoch {epoch}: loss {loss.item():.5f}")
    print("weights are kept as", *model.state_dict())


if __name__ == "__main__":
    main()
